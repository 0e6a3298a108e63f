//! Threads, and how one is called out of a blocking call.

#[cfg_attr(loom, path = "model.rs")]
#[cfg_attr(not(loom), path = "unix.rs")]
mod imp;

pub(crate) use imp::*;
