//! Windows has two sets of codes: the errnos of its C library, which are ours, and those of its own calls.

pub(super) use libc::{
    E2BIG, EACCES, EAGAIN, EBADF, EBUSY, ECHILD, EEXIST, EFAULT, EFBIG, EIDRM, EINTR, EINVAL, EIO, EISDIR,
    ELOOP, EMFILE, EMLINK, ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOLCK, ENOMEM, ENOSPC, ENOSYS, ENOTDIR,
    ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM, ERANGE, EROFS, ESPIPE, ESRCH, ETIMEDOUT, ETXTBSY, EXDEV,
};

use super::{OsCode, listed};

/// `EDQUOT`, under the number of Windows' sockets: `WSAEDQUOT`.
pub(super) const EDQUOT: i32 = 10069;

/// The name of a code that this crate creates.
pub(super) fn name(code: OsCode) -> String {
    listed(code).map_or_else(|| format!("E{}", code.raw()), str::to_owned)
}

/// The errno with the meaning of a failed call's code (`winerror.h`).
pub(super) fn of_io(error: &std::io::Error) -> Option<OsCode> {
    Some(match error.raw_os_error()? {
        2 | 3 | 53 | 67 => OsCode::ENOENT,
        4 => OsCode::EMFILE,
        5 | 32 | 33 => OsCode::EACCES,
        6 => OsCode::EBADF,
        8 | 14 | 1450 | 1455 | 1816 => OsCode::ENOMEM,
        17 => OsCode::EXDEV,
        19 => OsCode::EROFS,
        50 | 120 => OsCode::ENOSYS,
        80 | 183 => OsCode::EEXIST,
        87 => OsCode::EINVAL,
        39 | 112 => OsCode::ENOSPC,
        206 => OsCode::ENAMETOOLONG,
        267 => OsCode::ENOTDIR,
        298 => OsCode::EOVERFLOW,
        1295 => OsCode::EDQUOT,
        1314 => OsCode::EPERM,
        _ => OsCode::EIO,
    })
}
