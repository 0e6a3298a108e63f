//! Whether the kernel undoes what a dead process did to a semaphore.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;

pub(crate) use imp::*;
