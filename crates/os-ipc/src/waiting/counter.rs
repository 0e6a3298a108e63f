//! What the queue asks of a backend.

use nix::errno::Errno;

use crate::error::{Error, Result};

/// What a waiter asks for, and whether it has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A unit, taken for good: a signal between processes.
    Loose,
    /// A unit as a permit: it comes back when its process dies, where the backend can do that.
    Owned,
    /// A lock, held together with others who ask for the same.
    Shared,
    /// A lock, held alone.
    Exclusive,
}

impl Hold {
    /// Whether what was taken for the one can be handed to the other.
    pub(crate) fn is_like(self, other: Self) -> bool {
        let unit = |hold| matches!(hold, Self::Loose | Self::Owned);
        self == other || unit(self) && unit(other)
    }
}

/// Where a backend took something, for its own use when that goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) i32);

/// A kernel's counter.
pub(crate) trait Counter: Send + Sync {
    /// Takes what is asked for if it is there now.
    fn try_take(&self, hold: Hold) -> Result<Option<Origin>>;

    /// Takes what is asked for, a unit as [`Hold::Owned`], and waits as long as it takes; `None` after a signal.
    ///
    /// What it has on the way then may stay taken: the next call goes on with it, or [`rest`](Self::rest) gives it up.
    fn take(&self, hold: Hold) -> Result<Option<Origin>>;

    /// Whether [`try_take`](Self::try_take), again and again for a moment, may stand for [`take`](Self::take).
    fn may_be_tried(&self) -> bool {
        false
    }

    /// Gives back what was taken.
    fn give_back(&self, hold: Hold, origin: Origin) -> std::result::Result<(), Errno>;

    /// Makes a unit that was taken a [`Hold::Loose`] one; the counter does not move.
    fn disown(&self, origin: Origin) -> std::result::Result<(), Errno>;

    /// Makes a unit that was taken a [`Hold::Owned`] one; the counter does not move.
    fn own(&self, origin: Origin) -> std::result::Result<Origin, Errno> {
        Ok(origin)
    }

    /// The error for a call that could not `act` on the object ("take a unit from", "give a permit back to").
    fn failure(&self, act: &str, errno: Errno) -> Error;

    /// One more handle uses it.
    fn join(&self) {}

    /// One handle less uses it.
    fn part(&self) {}

    /// Closes what no handle uses and no thread takes from; false where a thread does, so that it is to be tried again.
    fn close_unused(&self) -> bool {
        true
    }

    /// The process ends: gives back all that it has, closes it, and takes nothing any more.
    fn end_process(&self) {}

    /// A waiter joined the line for this, or left it; `oldest` is when the first one in the line asked.
    fn lined_up(&self, _hold: Hold, _joined: bool, _oldest: Option<u64>) {}

    /// Nobody waits any more, and no thread takes.
    fn rest(&self) {}
}
