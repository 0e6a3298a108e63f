//! The results of the calls of POSIX shared memory, on every platform.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use super::Identity;
use crate::sys::access::Access;

/// The state of an open object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) size: u64,
    pub(crate) access: Access,
    /// The identity among the objects of the same name.
    pub(crate) identity: Identity,
    pub(crate) created: Option<SystemTime>,
    /// The time of the last change of its owner, mode or size.
    pub(crate) changed: Option<SystemTime>,
    /// Whether it has lost its name; `None` where the system does not tell.
    pub(crate) removed: Option<bool>,
}

impl Status {
    pub(super) fn of(metadata: &Metadata, identity: Identity, removed: Option<bool>) -> Self {
        let seconds = u64::try_from(metadata.ctime()).ok().filter(|&seconds| seconds != 0);
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
        let changed = seconds
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)));
        Self {
            size: metadata.size(),
            access: Access::of_file(metadata),
            identity,
            created: metadata.created().ok().filter(|&time| time != SystemTime::UNIX_EPOCH),
            changed,
            removed,
        }
    }
}

/// The room for memory objects, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) path: &'static str,
}
