//! For C libraries that abort no process because of a semaphore's content: musl, darwin.

use std::ptr::NonNull;

use libc::sem_t;

use crate::error::OsCode;

#[allow(clippy::unnecessary_wraps, reason = "the same face on every platform")]
/// # Safety
/// - None: it reads nothing.
pub(super) unsafe fn check(_: NonNull<sem_t>) -> Result<(), OsCode> {
    Ok(())
}
