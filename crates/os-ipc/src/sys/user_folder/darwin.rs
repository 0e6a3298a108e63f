//! The folder of a user on darwin.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::error::OsCode;

/// The call that errors name.
pub(crate) const CALL: &str = "confstr";

/// `confstr(_CS_DARWIN_USER_DIR)`: the user's folder under `/var/folders`, the same for all programs.
///
/// Not `TMPDIR`, which can differ between programs, nor `/tmp`, where old files are deleted.
pub(crate) fn user_folder() -> Result<PathBuf, OsCode> {
    let mut path = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: confstr writes at most `path.len()` bytes, the NUL included.
    let length = unsafe { libc::confstr(libc::_CS_DARWIN_USER_DIR, path.as_mut_ptr().cast(), path.len()) };
    if length == 0 {
        return Err(OsCode::last());
    }
    let path = CStr::from_bytes_until_nul(&path).map_err(|_| OsCode::EINVAL)?;
    Ok(PathBuf::from(OsStr::from_bytes(path.to_bytes())))
}
