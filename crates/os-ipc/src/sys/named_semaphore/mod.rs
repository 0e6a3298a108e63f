//! POSIX semaphores.

#[path = "unix.rs"]
mod imp;
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"),
    path = "sharing/glibc.rs"
)]
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64")),
    path = "sharing/other.rs"
)]
mod sharing;

pub(crate) use imp::*;
