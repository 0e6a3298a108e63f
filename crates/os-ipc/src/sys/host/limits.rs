//! The limits of this host for System V segments: proc(5); `None` where there is no such file.

use std::fs;

/// SHMMNI: the most segments.
pub(crate) fn segments() -> Option<u64> {
    limit("/proc/sys/kernel/shmmni")
}

/// SHMALL: the most pages of all segments together.
pub(crate) fn segment_pages() -> Option<u64> {
    limit("/proc/sys/kernel/shmall")
}

/// SHMMAX: the most bytes of a segment.
pub(crate) fn segment_bytes() -> Option<u64> {
    limit("/proc/sys/kernel/shmmax")
}

fn limit(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
