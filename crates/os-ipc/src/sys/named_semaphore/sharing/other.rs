//! A C library that aborts no process for what is in a semaphore: musl, darwin.

use std::ptr::NonNull;

use libc::sem_t;

use crate::error::OsCode;

#[allow(clippy::unnecessary_wraps, reason = "the same face on every platform")]
/// # Safety
/// - None: it looks at nothing.
pub(super) unsafe fn check(_: NonNull<sem_t>) -> Result<(), OsCode> {
    Ok(())
}
