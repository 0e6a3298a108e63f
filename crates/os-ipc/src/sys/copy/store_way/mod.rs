//! Which way large stores take. Stores past the caches: so far for one processor.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "other.rs")]
mod imp;

pub(in crate::sys) use imp::*;
