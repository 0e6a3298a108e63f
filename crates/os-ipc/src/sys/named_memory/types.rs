//! What the calls of POSIX shared memory answer, on every platform.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use super::Identity;
use crate::sys::access::Access;

/// What is known of an open object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) size: u64,
    pub(crate) access: Access,
    /// What tells it from another object of the same name.
    pub(crate) identity: Identity,
    pub(crate) created: Option<SystemTime>,
    /// When its owner, mode or size last changed.
    pub(crate) changed: Option<SystemTime>,
    /// Whether it has lost its name; `None` where nothing tells.
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

/// How much room there is for memory objects, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) path: &'static str,
}
