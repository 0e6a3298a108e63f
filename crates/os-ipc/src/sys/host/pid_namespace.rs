//! PID namespaces: a pid means the same process only within one of them.

/// `stat("/proc/self/ns/pid")`: the lower 32 bits of the inode of this process's PID namespace.
///
/// 0 if `/proc` does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn pid_namespace() -> u32 {
    use std::os::unix::fs::MetadataExt;

    #[allow(clippy::cast_possible_truncation, reason = "namespaces have small inodes")]
    std::fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino() as u32)
}

/// 0: the system has no PID namespaces.
#[cfg(not(target_os = "linux"))]
pub(crate) fn pid_namespace() -> u32 {
    0
}
