//! What to do where the errno misleads.

use crate::error::OsCode;

use crate::error::Error;

/// Adds the kernel's limits for System V segments to an error of shmget for `size` bytes, or of shmat.
pub(super) fn segment_limits(error: Error, size: usize) -> Error {
    match error.errno() {
        Some(OsCode::ENOSPC) => match (limit("shmmni"), limit("shmall"), segments()) {
            (Some(most), _, Some(there)) if there >= most => error.with_hint(format!(
                "this is not the disk: SHMMNI, how many segments there can be, is {most} and there are {there} \
                 (/proc/sys/kernel/shmmni; `ipcs -m` lists them)"
            )).with_limit(most),
            (_, Some(pages), _) => error.with_hint(format!(
                "this is not the disk: SHMALL, how many pages all segments can have together, is {pages} \
                 (/proc/sys/kernel/shmall; `ipcs -m` lists them)"
            )).with_limit(pages),
            _ => error.with_hint(
                "this is not the disk: the kernel's limit of segments (SHMMNI) or of their pages (SHMALL) is reached; \
                 `ipcs -m` lists what there is",
            ),
        },
        Some(OsCode::EINVAL) => match limit("shmmax") {
            Some(most) if u64::try_from(size).is_ok_and(|size| size > most) => error.with_hint(format!(
                "SHMMAX, the most bytes that a segment can have, is {most} (/proc/sys/kernel/shmmax)"
            )).with_limit(most),
            _ => error,
        },
        _ => error,
    }
}

fn limit(name: &str) -> Option<u64> {
    std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok()?.trim().parse().ok()
}

/// How many segments there are in this IPC namespace.
fn segments() -> Option<u64> {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").ok()?;
    u64::try_from(table.lines().count().checked_sub(1)?).ok()
}
