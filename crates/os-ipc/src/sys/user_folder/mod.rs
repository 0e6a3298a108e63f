//! Where a folder of the user's own can be.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;

pub(crate) use imp::*;
