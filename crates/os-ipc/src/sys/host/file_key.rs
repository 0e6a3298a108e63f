//! ftok(3).

use std::ffi::CStr;

use crate::error::OsCode;

/// `ftok(path, project_id)`: -1 means failure, and is never the key of an existing file.
pub(crate) fn ftok(path: &CStr, project_id: u8) -> Result<i32, OsCode> {
    // SAFETY: `path` is a NUL-terminated string that outlives the call.
    OsCode::result(unsafe { libc::ftok(path.as_ptr(), i32::from(project_id)) })
}
