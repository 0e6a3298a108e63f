//! Information about a semaphore.

use super::Backend;

/// Information about a semaphore; `None` where the system does not tell.
#[derive(Clone, Debug)]
pub struct SemaphoreInfo {
    /// The backend.
    pub backend: Backend,
    /// The name with its slash, where the record has it.
    pub name: Option<String>,
    /// The System V key.
    pub key: Option<i32>,
    /// The System V set's id.
    pub id: Option<i32>,
    /// The counter.
    pub value: Option<u32>,
    /// The number of threads, in all processes, that wait in the kernel: at most one for each process of this library.
    pub waiters: Option<u32>,
    /// The number of pending waits of this process.
    pub pending: usize,
    /// The process that changed the counter last; `None` without one, or for a process of another PID namespace.
    pub last_pid: Option<i32>,
    /// The owner's user.
    pub uid: Option<u32>,
    /// The owner's group.
    pub gid: Option<u32>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Seconds since 1970 of the last operation.
    pub operated_at: Option<i64>,
    /// Seconds since 1970 of the creation or the last change of owner, mode or (by semctl) value.
    pub changed_at: Option<i64>,
    /// Whether it is known to be the semaphore of this name.
    pub verified: bool,
    /// Whether it was removed, and exists only for the processes that have it open.
    pub removed: bool,
}
