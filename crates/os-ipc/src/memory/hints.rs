//! What to do where the errno misleads.

use nix::errno::Errno;

use crate::error::Error;
use crate::sys::named_memory;

/// Adds what is known about room for POSIX objects.
pub(super) fn posix_room(error: Error) -> Error {
    match error.errno() {
        Some(Errno::ENOSPC) => match named_memory::space() {
            Some(space) => error.with_hint(format!(
                "{} has {} of {} bytes free; a container's is 64 MB unless it was started with another --shm-size",
                space.path, space.free, space.total
            )),
            None => error,
        },
        Some(Errno::EDQUOT) => error.with_hint("the user's quota of the file system on /dev/shm is used up"),
        Some(Errno::EMFILE) => error.with_hint("each POSIX object holds a file descriptor: see `ulimit -n`"),
        Some(Errno::ENOMEM) => error.with_hint(NO_MEMORY),
        _ => error,
    }
}

const NO_MEMORY: &str = "there is not enough memory, or this process or its container has reached its limit of address space or mappings";

/// Adds the kernel's limits for System V segments to an error of shmget for `size` bytes, or of shmat.
pub(super) fn segment_limits(error: Error, size: usize) -> Error {
    match error.errno() {
        Some(Errno::ENOSPC) => match (limit("shmmni"), limit("shmall"), segments()) {
            (Some(most), _, Some(there)) if there >= most => error.with_hint(format!(
                "this is not the disk: SHMMNI, how many segments there can be, is {most} and there are {there} \
                 (/proc/sys/kernel/shmmni; `ipcs -m` lists them)"
            )),
            (_, Some(pages), _) => error.with_hint(format!(
                "this is not the disk: SHMALL, how many pages all segments can have together, is {pages} \
                 (/proc/sys/kernel/shmall; `ipcs -m` lists them)"
            )),
            _ => error.with_hint(
                "this is not the disk: the kernel's limit of segments (SHMMNI) or of their pages (SHMALL) is reached; \
                 `ipcs -m` lists what there is",
            ),
        },
        Some(Errno::EINVAL) => match limit("shmmax") {
            Some(most) if u64::try_from(size).is_ok_and(|size| size > most) => error.with_hint(format!(
                "SHMMAX, the most bytes that a segment can have, is {most} (/proc/sys/kernel/shmmax)"
            )),
            _ => error,
        },
        Some(Errno::ENOMEM) => error.with_hint(NO_MEMORY),
        Some(Errno::EMFILE) => error.with_hint("this process has attached as many segments as it may (SHMSEG)"),
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
