//! What is known about a limit.

use super::LimitEngine;

/// How many permits a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The process.
    pub pid: i32,
    /// Its permits.
    pub permits: u32,
}

/// What is known about a limit; `None` where its set does not say.
#[derive(Clone, Debug)]
pub struct LimitInfo {
    /// The engine.
    pub engine: LimitEngine,
    /// The name with its slash, where the record tells it.
    pub name: Option<String>,
    /// The System V key; `None` for a ledger.
    pub key: Option<i32>,
    /// The System V set's id; `None` for a ledger.
    pub id: Option<i32>,
    /// How many permits there are, as recorded; `None` for a set that another program made.
    pub permits: Option<u16>,
    /// How many of them are free.
    pub free: u16,
    /// Which processes hold how many, by pid; `None` for a set that another program made.
    pub holders: Option<Vec<Holding>>,
    /// How many permits are held and none of [`holders`](Self::holders) has them: the set has words for 64 processes, and
    /// no pid tells of a process of another PID namespace.
    pub unnamed: Option<u32>,
    /// Which processes hold permits or wait, and are stopped by a signal or a debugger; `None` for a System V set.
    pub stopped: Option<Vec<i32>>,
    /// How many threads of all processes wait in the kernel: at most one a process for ours. In a ledger, how many processes wait.
    pub waiters: u32,
    /// How many waits of this process are pending.
    pub pending: usize,
    /// The process that changed the counter last; `None` if there is none, or if it is of another PID namespace.
    pub last_pid: Option<i32>,
    /// The owner's user.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Seconds since 1970 of the last operation.
    pub operated_at: Option<i64>,
    /// Seconds since 1970 of the creation or the last change of owner, mode or (by semctl) value.
    pub changed_at: i64,
    /// Whether it is known to be the one of this name.
    pub verified: bool,
}
