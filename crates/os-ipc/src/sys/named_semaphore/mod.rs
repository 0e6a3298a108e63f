//! POSIX semaphores.

#[path = "unix.rs"]
mod imp;

pub(crate) use imp::*;
