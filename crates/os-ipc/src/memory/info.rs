//! What the kernel knows of a memory object.

use std::time::SystemTime;

use crate::name::Name;

/// Which system a memory object lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// A POSIX object: `shm_open(3)`.
    Posix,
    /// A System V segment: shmget(2).
    SystemV,
}

/// What the kernel knows of a memory object. What a system does not keep is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedMemoryInfo {
    /// Which system it lives in.
    pub kind: MemoryKind,
    /// The name of a POSIX object.
    pub name: Option<Name>,
    /// The key of a System V segment, unless it has none or lost it.
    pub key: Option<i32>,
    /// The id of a System V segment.
    pub id: Option<i32>,
    /// Its size in bytes now: a peer can cut a POSIX object.
    pub size: u64,
    /// How often a System V segment is attached, in all processes.
    pub attached: Option<u64>,
    /// The process that made a System V segment; `None` when it is of another PID namespace.
    pub creator_pid: Option<i32>,
    /// The last one that attached or detached it, likewise.
    pub last_pid: Option<i32>,
    /// Who owns it.
    pub uid: u32,
    /// Whose group it is.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// When it was made.
    pub created_at: Option<SystemTime>,
    /// When it was last attached.
    pub attached_at: Option<SystemTime>,
    /// When it was last detached.
    pub detached_at: Option<SystemTime>,
    /// When its owner, mode or (POSIX) size last changed.
    pub changed_at: Option<SystemTime>,
    /// Its name or key is gone, and it goes with the last process that has it; where a system tells.
    pub removed: Option<bool>,
}
