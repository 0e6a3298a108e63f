//! Memory that a peer truncates during its use. Only Linux lets a peer do that.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;

pub(crate) use imp::*;
