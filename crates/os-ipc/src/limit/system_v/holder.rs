//! A process's word in the set of a limit: how many permits it holds. All that it writes there is undone when it dies.
//!
//! | value | means |
//! |---|---|
//! | 0 | free |
//! | [`CLAIMED`] + n | a process has it, and holds n permits; it may hold none while a thread of it waits for one more |
//! | [`HANDED_ON`] + that | and the program that it becomes by execve(2) is meant to keep them |
//!
//! The process is the one that changed the word last (`GETPID`).

use crate::record::{HOLDERS, HOLDERS_AT};
use crate::sys::system_v::semaphore::{self as sys, SetId};

/// A process has the word.
pub(super) const CLAIMED: u16 = 0x2000;

/// Its permits are for the program that the process becomes.
pub(super) const HANDED_ON: u16 = 0x4000;

/// The most permits of a word: further ones of its process are not named.
pub(super) const MOST: u16 = CLAIMED - 1;

/// How many permits the process of a word holds.
pub(super) fn permits(value: u16) -> u16 {
    value & MOST
}

/// Indices of all words.
pub(super) fn words() -> std::ops::Range<u16> {
    HOLDERS_AT..HOLDERS_AT + HOLDERS
}

/// The word that this process tries first: processes seldom try the same one.
pub(super) fn first_choice() -> u16 {
    let place = std::process::id() % u32::from(HOLDERS);
    HOLDERS_AT + u16::try_from(place).unwrap_or_default()
}

/// The process that has a word: `None` for a process of another PID namespace.
pub(super) fn pid_of(set: SetId, word: u16) -> Option<i32> {
    sys::last_pid_at(set, word).ok().filter(|pid| *pid != 0)
}
