//! The system calls: the only unsafe code of this crate, one file a facility.
//!
//! Platforms are chosen here and nowhere else.

#![allow(unsafe_code, reason = "this is where the system calls are")]

mod file_key;
pub(crate) mod module;
pub(crate) mod posix_sem;
// darwin has semop but no semtimedop, and no undo that survives its quirks: POSIX is its backend.
#[cfg_attr(not(target_os = "linux"), path = "no_sysv_sem.rs")]
pub(crate) mod sysv_sem;
pub(crate) mod thread;

use std::ffi::c_int;

use nix::errno::Errno;

pub(crate) use file_key::ftok;

/// The most bytes of a semaphore's name, slash included, where it is fewer than elsewhere.
///
/// PSEMNAMLEN of XNU's `posix_sem.c` is 31, the NUL included.
pub(crate) const SEMAPHORE_NAME_MAX: Option<usize> =
    if cfg!(target_vendor = "apple") { Some(30) } else { None };

/// The most bytes of a memory object's name, slash included: PSHMNAMLEN of XNU's `posix_shm.c`.
pub(crate) const MEMORY_NAME_MAX: Option<usize> = if cfg!(target_vendor = "apple") { Some(31) } else { None };

/// Calls until no signal comes in between: even a call that does not wait can meet one.
fn uninterrupted(mut call: impl FnMut() -> c_int) -> Result<c_int, Errno> {
    loop {
        match Errno::result(call()) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}
