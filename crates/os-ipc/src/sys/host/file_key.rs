//! ftok(3).

use std::ffi::CStr;

use nix::errno::Errno;

/// `ftok(path, project_id)`: -1 is its failure, and never a key of a file that exists.
pub(crate) fn ftok(path: &CStr, project_id: u8) -> Result<i32, Errno> {
    // SAFETY: `path` is a NUL-terminated string that outlives the call.
    Errno::result(unsafe { libc::ftok(path.as_ptr(), i32::from(project_id)) })
}
