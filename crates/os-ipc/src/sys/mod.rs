//! The system calls: the only unsafe code of this crate, one file a facility.
//!
//! Platforms are chosen here and nowhere else.

#![allow(unsafe_code, reason = "this is where the system calls are")]

mod file_key;

pub(crate) use file_key::ftok;

/// The most bytes of a semaphore's name, slash included, where it is fewer than elsewhere.
///
/// PSEMNAMLEN of XNU's `posix_sem.c` is 31, the NUL included.
pub(crate) const SEMAPHORE_NAME_MAX: Option<usize> =
    if cfg!(target_vendor = "apple") { Some(30) } else { None };

/// The most bytes of a memory object's name, slash included: PSHMNAMLEN of XNU's `posix_shm.c`.
pub(crate) const MEMORY_NAME_MAX: Option<usize> = if cfg!(target_vendor = "apple") { Some(31) } else { None };
