//! What is known about locks.

use super::LockMode;

/// How many requests of one kind a process is taken to have for one lock.
///
/// Others write that number, so it makes no more entries than this, whatever it is.
pub(super) const MOST_OF_A_PROCESS: usize = 1000;

/// Somebody who holds a lock or waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// The lock's name.
    pub name: String,
    /// How it is held, or is to be.
    pub mode: LockMode,
    /// Whether it is held; else it is waited for.
    pub held: bool,
    /// When the first waiter of its process asked, or it itself in this process: microseconds since the host started.
    ///
    /// 0 for what is held.
    pub asked: u64,
    /// Whose it is; `None` where the kernel does not say.
    pub pid: Option<i32>,
    /// Who in this process asked, as [`Lock::new`](super::Lock::new) was told; `None` in others.
    pub client: Option<u32>,
}

/// A lock that is in use, or was when its last user died.
#[derive(Clone, Debug)]
pub struct LockInfo {
    /// Its name.
    pub name: String,
    /// The System V key; `None` for a file.
    pub key: Option<i32>,
    /// The System V set's id.
    pub id: Option<i32>,
    /// Whether somebody has it alone.
    pub exclusive: bool,
    /// How many hold it together.
    pub shared: u32,
    /// How many threads of all processes wait in the kernel: at most one a process.
    pub waiters: u32,
    /// Who uses it, as far as the kernel knows.
    pub processes: Vec<i32>,
    /// The owner's user.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Seconds since 1970 of the creation.
    pub changed_at: i64,
}
