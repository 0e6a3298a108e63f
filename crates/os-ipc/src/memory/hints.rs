//! Hints where the errno misleads.

use crate::error::{Error, OsCode};
use crate::sys::host::limits;
use crate::sys::system_v::table::SEGMENTS;

/// Adds the kernel's limits for System V segments to an error of shmget for `size` bytes, or of shmat.
pub(super) fn segment_limits(error: Error, size: usize) -> Error {
    match error.errno() {
        Some(OsCode::ENOSPC) => match (limits::segments(), limits::segment_pages(), there_are()) {
            (Some(most), _, Some(there)) if there >= most => error.with_hint(format!(
                "the disk is not full: SHMMNI, the most segments of this host, is {most} and there are {there} \
                 (/proc/sys/kernel/shmmni; `ipcs -m` lists them)"
            )).with_limit(most),
            (_, Some(pages), _) => error.with_hint(format!(
                "the disk is not full: SHMALL, the most pages of all segments together, is {pages} \
                 (/proc/sys/kernel/shmall; `ipcs -m` lists them)"
            )).with_limit(pages),
            _ => error.with_hint(
                "the disk is not full: the kernel's limit of segments (SHMMNI) or of their pages (SHMALL) is reached; \
                 `ipcs -m` lists the segments",
            ),
        },
        Some(OsCode::EINVAL) => match limits::segment_bytes() {
            Some(most) if u64::try_from(size).is_ok_and(|size| size > most) => error.with_hint(format!(
                "SHMMAX, the most bytes of a segment, is {most} (/proc/sys/kernel/shmmax)"
            )).with_limit(most),
            _ => error,
        },
        _ => error,
    }
}

/// The number of segments in this IPC namespace.
fn there_are() -> Option<u64> {
    u64::try_from(SEGMENTS.ids().ok()?.len()).ok()
}
