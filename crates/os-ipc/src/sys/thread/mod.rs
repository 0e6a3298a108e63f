//! Threads of our own.

#[cfg_attr(loom, path = "model.rs")]
#[cfg_attr(not(loom), path = "kept.rs")]
mod imp;

pub(crate) use imp::*;
