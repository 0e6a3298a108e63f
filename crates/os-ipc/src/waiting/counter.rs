//! What the queue asks of a backend.

use nix::errno::Errno;

use crate::error::Error;

/// Whether a unit has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Taken for good: a signal between processes.
    Loose,
    /// A permit: it comes back when its process dies, where the backend can do that.
    Owned,
}

/// A kernel's counter.
pub(crate) trait Counter: Send + Sync {
    /// Takes a unit if one is there now.
    fn try_take(&self, hold: Hold) -> Result<bool, Errno>;

    /// Takes a unit as [`Hold::Owned`], and waits for one as long as it takes; `EINTR` after a signal.
    fn take(&self) -> Result<(), Errno>;

    /// Gives back a unit that was taken as [`Hold::Owned`].
    fn give_back(&self) -> Result<(), Errno>;

    /// Makes a unit that was taken as [`Hold::Owned`] a [`Hold::Loose`] one; the counter does not move.
    fn disown(&self) -> Result<(), Errno>;

    /// The error for a call that could not `act` on the semaphore ("take a unit from", "wait for").
    fn failure(&self, act: &str, errno: Errno) -> Error;
}
