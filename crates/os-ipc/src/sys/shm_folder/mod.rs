//! The folder of POSIX objects, where they are files, and its content.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only files can be inspected"))]
mod types;

pub(crate) use imp::*;
pub(crate) use types::{Fault, Room};
