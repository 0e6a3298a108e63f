//! Whether the kernel undoes the semaphore operations of a dead process.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;

pub(crate) use imp::*;
