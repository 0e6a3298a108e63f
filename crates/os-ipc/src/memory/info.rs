//! Information about a memory object.

use std::time::SystemTime;

use crate::name::Name;

/// The kind of a memory object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// A POSIX object: `shm_open(3)`.
    Posix,
    /// A System V segment: shmget(2).
    SystemV,
    /// File mappings of Windows: CreateFileMapping.
    Windows,
}

/// Information of the kernel about a memory object. A field that the system does not keep is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMemoryInfo {
    /// The kind.
    pub kind: MemoryKind,
    /// The name of a POSIX object.
    pub name: Option<Name>,
    /// The key of a System V segment, unless it has none or lost it.
    pub key: Option<i32>,
    /// The id of a System V segment.
    pub id: Option<i32>,
    /// The size in bytes now: a peer can truncate a POSIX object.
    pub size: u64,
    /// The number of attachments of a System V segment, in all processes.
    pub attached: Option<u64>,
    /// The process that created a System V segment; `None` for a process of another PID namespace.
    pub creator_pid: Option<i32>,
    /// The process that last attached or detached it; likewise.
    pub last_pid: Option<i32>,
    /// The user who owns it.
    pub uid: u32,
    /// The group that it belongs to.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// The time of the creation.
    pub created_at: Option<SystemTime>,
    /// The time of the last attachment.
    pub attached_at: Option<SystemTime>,
    /// The time of the last detachment.
    pub detached_at: Option<SystemTime>,
    /// The time of the last change of its owner, mode or (POSIX) size.
    pub changed_at: Option<SystemTime>,
    /// Whether its name or key is gone, so that it ends with its last user; `None` where the system does not tell.
    pub removed: Option<bool>,
}
