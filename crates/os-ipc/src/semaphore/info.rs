//! What is known about a semaphore.

use super::Backend;

/// What is known about a semaphore; `None` where the system does not say.
#[derive(Clone, Debug)]
pub struct SemaphoreInfo {
    /// Which of the system's two kinds it is.
    pub backend: Backend,
    /// The name with its slash, where the record tells it.
    pub name: Option<String>,
    /// The System V key.
    pub key: Option<i32>,
    /// The System V set's id.
    pub id: Option<i32>,
    /// The counter.
    pub value: Option<u32>,
    /// How many threads of all processes wait in the kernel: at most one a process for ours.
    pub waiters: Option<u32>,
    /// How many waits of this process are pending.
    pub pending: usize,
    /// Who changed the counter last; `None` for nobody, or for a process of another PID namespace.
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
    /// Whether it is known to be the one of this name.
    pub verified: bool,
    /// Whether it was removed, and lives on only for those who have it open.
    pub removed: bool,
}
