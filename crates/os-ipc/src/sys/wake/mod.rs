//! Wake-ups between processes: a process that waits has an inbox, and others put hints into it.
//!
//! A hint says which object to look at again. It is never more than that: it may come for nothing, and it may be lost
//! when an inbox is full. So a reader looks at everything when its inbox was nearly full.
//!
//! | file | holds |
//! |---|---|
//! | `unix` | an inbox as a FIFO, and poll(2) over inboxes, watches and a bell |
//! | `watches` | the processes whose deaths end a sleep |
//! | `pipe_signal` | a write without `SIGPIPE` |
//! | `windows` | an inbox as a named event, and WaitForMultipleObjects |
//! | `model` | the inbox and the sleep of the model checker |

#[cfg_attr(loom, path = "model.rs")]
#[cfg_attr(all(not(loom), unix), path = "unix.rs")]
#[cfg_attr(all(not(loom), windows), path = "windows.rs")]
mod imp;
#[cfg(all(unix, not(loom)))]
mod pipe_signal;
mod watches;

#[cfg(loom)]
pub(crate) use imp::with_world;
pub(crate) use imp::{Bell, Inbox, hint, remove, wait};
#[cfg(all(test, unix, not(loom)))]
pub(crate) use imp::{is_inbox, path};
pub(crate) use watches::Watches;

use crate::sys::death::ProcessId;

/// What ended a sleep. All of it is empty after the time is over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// The keys of the hints, in the order of their arrival.
    pub(crate) keys: Vec<u64>,
    /// Hints may be lost, since an inbox was nearly full.
    pub(crate) overflow: bool,
    /// The watched processes that have died.
    pub(crate) dead: Vec<ProcessId>,
}

#[cfg(all(test, unix, not(loom)))]
mod tests;
