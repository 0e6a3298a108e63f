//! System V semaphores.
//!
//! darwin has semop but no semtimedop, and no undo that survives its quirks: POSIX is its backend.

#[path = "linux.rs"]
mod imp;
mod limits;
mod types;
mod values;

pub(crate) use imp::*;
pub(crate) use limits::SemaphoreLimits;
