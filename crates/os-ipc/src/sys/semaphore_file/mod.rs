//! The file of a POSIX semaphore, where the C library keeps one: its owner and its content.
//!
//! sem_open(3) does not tell them. Without such a file (darwin), they are not known.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;

pub(crate) use imp::*;

use crate::sys::access::Access;
use crate::sys::file_identity::FileIdentity;

/// The file under a name.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there are no files"))]
pub(crate) enum Found {
    /// No file.
    Nothing,
    /// A file that can be a semaphore.
    File {
        identity: FileIdentity,
        access: Access,
        /// It has a second name: sem_open creates a file under another name, links it here, and removes that name.
        linked: bool,
    },
}

/// The state of a semaphore, read from its file.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there are no files"))]
pub(crate) struct Contents {
    pub(crate) value: u32,
    pub(crate) waiters: u32,
    pub(crate) access: Access,
    /// Seconds since 1970 of the last change of its owner, mode or size.
    pub(crate) changed: i64,
}
