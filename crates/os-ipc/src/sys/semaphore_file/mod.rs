//! The file behind a POSIX semaphore, where the C library keeps it in one: whose it is, and what is in it.
//!
//! sem_open(3) has no way to ask. Where there is no such file (darwin), nothing is known.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;

pub(crate) use imp::*;

use crate::sys::access::Access;
use crate::sys::file_identity::FileIdentity;

/// What stands for a name.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there are no files"))]
pub(crate) enum Found {
    /// No file.
    Nothing,
    /// A file that a semaphore can be in.
    File {
        identity: FileIdentity,
        access: Access,
        /// It has a second name: sem_open makes a file under another name, links it here, and takes that name away.
        linked: bool,
    },
}

/// What a file says about its semaphore.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there are no files"))]
pub(crate) struct Contents {
    pub(crate) value: u32,
    pub(crate) waiters: u32,
    pub(crate) access: Access,
    /// Seconds since 1970 of the last change of its owner, mode or size.
    pub(crate) changed: i64,
}
