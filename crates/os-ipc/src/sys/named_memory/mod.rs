//! POSIX shared memory.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
#[cfg_attr(not(any(target_os = "linux", target_vendor = "apple")), path = "other.rs")]
mod imp;
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "only files can be something else than they should")
)]
mod types;

pub(crate) use imp::*;
pub(crate) use types::{Failure, Refusal};
