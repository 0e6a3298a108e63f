//! Information about locks.

use super::LockMode;

/// The most requests of one kind that are listed for one process and lock: 1,000.
///
/// Other processes write that number, so this bounds the entries that a wrong number makes.
pub(super) const MOST_OF_A_PROCESS: usize = 1000;

/// A request that holds a lock or waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockRequest {
    /// The lock's name.
    pub name: String,
    /// The mode that the lock has or would have.
    pub mode: LockMode,
    /// Whether the request holds the lock; otherwise it waits.
    pub held: bool,
    /// The time when the request asked, in microseconds since the host started; in another process, when its first
    /// waiter asked.
    ///
    /// 0 for a holder.
    pub asked: u64,
    /// The pid of the request; `None` where the kernel does not tell.
    pub pid: Option<i32>,
    /// The client that [`Lock::new`](super::Lock::new) was given; `None` for other processes.
    pub client: Option<u32>,
}

/// A lock that is in use, or was in use when its last user died.
#[derive(Clone, Debug)]
pub struct LockInfo {
    /// Its name.
    pub name: String,
    /// The System V key; `None` for a file.
    pub key: Option<i32>,
    /// The System V set's id.
    pub id: Option<i32>,
    /// Whether the lock is held exclusively.
    pub exclusive: bool,
    /// The number of shared holders.
    pub shared: u32,
    /// The number of threads, in all processes, that wait in the kernel: at most one for each process.
    pub waiters: u32,
    /// The pids that use the lock, as far as the kernel knows.
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
