//! The codes of Unix are errnos.

pub(super) use libc::{
    E2BIG, EACCES, EAGAIN, EBADF, EBUSY, ECHILD, EDQUOT, EEXIST, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, EIO,
    EISDIR, ELOOP, EMFILE, EMLINK, ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOLCK, ENOMEM, ENOSPC, ENOSYS,
    ENOTDIR, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM, ERANGE, EROFS, ESPIPE, ESRCH, ETIMEDOUT, ETXTBSY, EXDEV,
};
use nix::errno::Errno;

use super::OsCode;

/// The name of any errno of this platform.
pub(super) fn name(code: OsCode) -> String {
    format!("{:?}", Errno::from_raw(code.0))
}

/// The errno of a failed call.
pub(super) fn of_io(error: &std::io::Error) -> Option<OsCode> {
    error.raw_os_error().map(OsCode)
}

impl From<Errno> for OsCode {
    fn from(errno: Errno) -> Self {
        Self(errno as i32)
    }
}
