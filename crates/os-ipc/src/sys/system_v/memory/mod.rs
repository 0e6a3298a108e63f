//! System V shared memory.

#[path = "unix.rs"]
mod imp;

pub(crate) use imp::*;
