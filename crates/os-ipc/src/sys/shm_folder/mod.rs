//! The folder of POSIX objects, where they are files, and what is in it.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only files can be looked at"))]
mod types;

pub(crate) use imp::*;
pub(crate) use types::{Fault, Room};
