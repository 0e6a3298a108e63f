//! The word in which glibc notes that processes share a semaphore: the third one of its `sem_t`.
//!
//! glibc passes the word to futex(2). If another program overwrote it, futex(2) refuses the value, and glibc aborts the
//! process.

use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::sem_t;

use crate::error::OsCode;

/// The value that `sem_init(sem, 1, 0)` writes there.
static SHARED: LazyLock<u32> = LazyLock::new(|| {
    let mut semaphore = MaybeUninit::<sem_t>::zeroed();
    let place = NonNull::from(&mut semaphore).cast::<sem_t>();
    // SAFETY: the place is as large as a sem_t and aligned like one, and outlives the calls.
    unsafe {
        libc::sem_init(place.as_ptr(), 1, 0);
        word(place)
    }
});

/// Fails with `EINVAL` for an overwritten word, as sem_wait(3) does for invalid semaphores. Called before each call that
/// can reach futex(2).
///
/// # Safety
/// - `semaphore` is mapped.
pub(super) unsafe fn check(semaphore: NonNull<sem_t>) -> Result<(), OsCode> {
    // SAFETY: the caller's.
    if unsafe { word(semaphore) } == *SHARED { Ok(()) } else { Err(OsCode::EINVAL) }
}

/// # Safety
/// - `semaphore` is mapped.
unsafe fn word(semaphore: NonNull<sem_t>) -> u32 {
    // SAFETY: the caller's. A sem_t has 32 bytes and is aligned to 8; other processes may write to it, so the load is atomic.
    unsafe { AtomicU32::from_ptr(semaphore.cast::<u32>().add(2).as_ptr()) }.load(Ordering::Relaxed)
}
