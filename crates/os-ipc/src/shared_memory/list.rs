//! All memory objects that we may read.

use super::info::SharedMemoryInfo;
use super::{posix, system_v};

/// The POSIX objects and System V segments of this host (of its IPC namespace and `/dev/shm`) that this process may read.
///
/// darwin has no way to list either.
#[must_use]
pub fn list() -> Vec<SharedMemoryInfo> {
    [posix::list(), system_v::list()].concat()
}
