//! Shared memory that is mapped here.

#[path = "unix.rs"]
mod imp;

pub(crate) use imp::*;
