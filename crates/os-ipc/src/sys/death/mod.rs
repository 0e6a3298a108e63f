//! Whether a process has died.
//!
//! "Dead" needs a proof. What is not known counts as alive: a signal 0 that arrives and a state of `Z` prove nothing,
//! since a zombie gets signals, and the first thread of a process can end before the others.
//!
//! | file | holds |
//! |---|---|
//! | `descriptor` | the watch of Unix |
//! | `linux` | pidfd_open(2), and the start time in `/proc` where that is refused |
//! | `darwin` | kqueue(2) with `NOTE_EXIT`, and the start time from sysctl(3) |
//! | `windows` | process handles, and the start time from GetProcessTimes |
//! | `model` | the processes of the model checker |

#[cfg_attr(loom, path = "model.rs")]
#[cfg_attr(all(not(loom), target_os = "linux"), path = "linux.rs")]
#[cfg_attr(all(not(loom), target_vendor = "apple"), path = "darwin.rs")]
#[cfg_attr(all(not(loom), windows), path = "windows.rs")]
mod imp;

#[cfg(all(unix, not(loom)))]
mod descriptor;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::own_pid;

#[cfg(loom)]
pub(crate) use imp::kill;
pub(crate) use imp::{Watch, is_stopped, watch};

/// A process of this host: its pid, and 32 bits of the time when it started. Another process with the same pid has
/// another start time. The program that a process becomes by execve(2) is the same process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ProcessId(pub(crate) u64);

/// What the system says when it is to watch a process.
#[derive(Debug)]
pub(crate) enum Sight {
    /// The process is alive, and the watch tells its death.
    Alive(Watch),
    /// It is proved that the process is dead.
    Dead,
    /// The process cannot be watched: the system has no such call, or this process has no file descriptor left.
    Blind,
}

/// Whether it is proved that the process is dead.
pub(crate) fn is_dead(id: ProcessId) -> bool {
    matches!(watch(id), Sight::Dead)
}

/// The start time of a process where the system does not tell it.
const UNKNOWN_START: u32 = 0;

impl ProcessId {
    fn new(pid: i32, start: u32) -> Self {
        Self(u64::from(pid.cast_unsigned()) << 32 | u64::from(start))
    }

    /// The process that calls. A forked child is another process than its parent.
    pub(crate) fn own() -> Self {
        Self::look_up(false)
    }

    /// The process that calls. Later calls give the same answer, also where the system does not tell when it started.
    pub(crate) fn own_for_good() -> Self {
        Self::look_up(true)
    }

    fn look_up(forever: bool) -> Self {
        /// The answer of the last call; 0 before the first.
        static OWN: AtomicU64 = AtomicU64::new(0);
        let (known, pid) = (Self(OWN.load(Ordering::Relaxed)), own_pid().cast_signed());
        if known.pid() == pid {
            return known;
        }
        let unknown = Self::new(pid, UNKNOWN_START);
        let own = Self::of(pid);
        // The answer may be another one when a file descriptor is free for it.
        if own.is_some() || forever {
            OWN.store(own.unwrap_or(unknown).0, Ordering::Relaxed);
        }
        own.unwrap_or(unknown)
    }

    /// The process that has this pid now; `None` if there is none, or if the system does not tell.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Some(Self::new(pid, imp::start(pid)?))
    }

    /// Its pid.
    pub(crate) fn pid(self) -> i32 {
        u32::try_from(self.0 >> 32).unwrap_or_default().cast_signed()
    }

    /// Whether a process can have this pid: another program may have written anything.
    ///
    /// kill(2) gives 0 and negative numbers another meaning.
    #[cfg(not(loom))]
    fn can_exist(self) -> bool {
        self.pid() > 0
    }

    fn start(self) -> u32 {
        u32::try_from(self.0 & u64::from(u32::MAX)).unwrap_or_default()
    }

    /// Whether the pid belongs to another process now. False if the system does not tell.
    fn is_reused(self) -> bool {
        self.start() != UNKNOWN_START && Self::of(self.pid()).is_some_and(|now| now != self)
    }
}

/// The pid and the start time: `1234@56789`.
impl fmt::Debug for ProcessId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.pid(), self.start())
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests;
