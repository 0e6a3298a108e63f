//! Shared memory that is mapped into this process.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

mod accesses;

pub(crate) use imp::*;
