//! Shared memory that is mapped into this process.

#[path = "unix.rs"]
mod imp;

pub(crate) use imp::*;
