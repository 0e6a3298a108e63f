//! Whether this process may make a system call of System V IPC.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;

pub(crate) use imp::refusal;
