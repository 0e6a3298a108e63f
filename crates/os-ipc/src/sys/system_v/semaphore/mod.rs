//! System V semaphores.
//!
//! darwin has semop but no semtimedop, and no undo that survives its quirks: POSIX is its backend.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;
mod types;
#[cfg(target_os = "linux")]
mod values;

pub(crate) use imp::*;
