//! The words of the C library's semaphore.
//!
//! glibc shares them between its versions and so cannot change them; of other C libraries nothing is known.

#[cfg_attr(
    all(target_os = "linux", target_env = "gnu", target_pointer_width = "64", target_endian = "little"),
    path = "glibc.rs"
)]
#[cfg_attr(
    not(any(
        windows,
        all(target_os = "linux", target_env = "gnu", target_pointer_width = "64", target_endian = "little")
    )),
    path = "other.rs"
)]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub use imp::Words;
pub(crate) use imp::*;
