//! What the queue asks of a backend.

use std::sync::Arc;

use crate::error::OsCode;

use crate::error::{Error, Result};
use crate::sys::interrupt::Interrupt;

/// What a waiter asks for, and whether it has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A unit, taken for good: a signal between processes.
    Unit,
    /// A permit of a limit: it comes back when its process dies.
    Permit,
    /// A permit that is taken away from a limit, while that has more than this number.
    Shrink(u16),
    /// A lock, held together with others who ask for the same.
    Shared,
    /// A lock, held alone.
    Exclusive,
}

impl Request {
    /// Whether what is taken has an owner, who gives it back.
    pub(crate) fn is_owned(self) -> bool {
        !matches!(self, Self::Unit | Self::Shrink(_))
    }
}

/// Where a backend took something, for its own use when that goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) i32);

/// A kernel's counter.
pub(crate) trait Counter: Send + Sync {
    /// Takes what is asked for if it is there now.
    fn try_take(&self, request: Request) -> Result<Option<Token>>;

    /// Takes what is asked for, a unit so that it comes back when its process dies, and waits as long as it takes; `None` after an interrupt.
    ///
    /// What it has on the way then may stay taken: the next call goes on with it, or [`Locking::rest`] gives it up.
    fn take(&self, request: Request, interrupt: &Interrupt) -> Result<Option<Token>>;

    /// Whether [`try_take`](Self::try_take), again and again for a moment, may stand for [`take`](Self::take).
    fn may_be_polled(&self) -> bool {
        false
    }

    /// Gives back what was taken.
    fn give_back(&self, request: Request, token: Token) -> std::result::Result<(), OsCode>;

    /// How many threads of all processes wait in the kernel for what a holder of `request` gives back; `None` where nothing
    /// tells.
    fn kernel_waiters(&self, _request: Request) -> Option<u32> {
        None
    }

    /// Makes a unit that was taken a [`Request::Unit`]; the counter does not move.
    fn disown(&self, _token: Token) -> std::result::Result<(), OsCode> {
        Ok(())
    }

    /// The error for a call that could not `act` on the object ("take a unit from", "give a permit back to").
    fn failure(&self, act: &str, errno: OsCode) -> Error;
}

impl<C: Counter + ?Sized> Counter for Arc<C> {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        (**self).try_take(request)
    }

    fn take(&self, request: Request, interrupt: &Interrupt) -> Result<Option<Token>> {
        (**self).take(request, interrupt)
    }

    fn may_be_polled(&self) -> bool {
        (**self).may_be_polled()
    }

    fn give_back(&self, request: Request, token: Token) -> std::result::Result<(), OsCode> {
        (**self).give_back(request, token)
    }

    fn kernel_waiters(&self, request: Request) -> Option<u32> {
        (**self).kernel_waiters(request)
    }

    fn disown(&self, token: Token) -> std::result::Result<(), OsCode> {
        (**self).disown(token)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        (**self).failure(act, errno)
    }
}

/// A lock: what it is made of exists only while somebody uses it, and tells others who waits.
pub(crate) trait Locking: Counter {
    /// One more request uses it.
    fn join(&self);

    /// One request less uses it.
    fn part(&self);

    /// Closes what no request uses and no thread takes from; false where a thread does, so that it is to be tried again.
    fn close_unused(&self) -> bool;

    /// The process ends: gives back all that it has, closes it, and takes nothing any more.
    fn end_process(&self);

    /// A waiter joined the list for this, or left it; `oldest` is when the first one in the list asked.
    fn listed(&self, request: Request, joined: bool, oldest: Option<u64>);

    /// Nobody waits any more, and no thread takes.
    fn rest(&self);
}

/// What a queue waits for.
pub(super) enum Source {
    Units(Box<dyn Counter>),
    Lock(Box<dyn Locking>),
}

impl Source {
    pub(super) fn counter(&self) -> &dyn Counter {
        match self {
            Self::Units(counter) => &**counter,
            Self::Lock(lock) => &**lock,
        }
    }

    pub(super) fn locking(&self) -> Option<&dyn Locking> {
        match self {
            Self::Units(_) => None,
            Self::Lock(lock) => Some(&**lock),
        }
    }

    pub(super) fn listed(&self, request: Request, joined: bool, oldest: Option<u64>) {
        if let Self::Lock(lock) = self {
            lock.listed(request, joined, oldest);
        }
    }

    pub(super) fn rest(&self) {
        if let Self::Lock(lock) = self {
            lock.rest();
        }
    }
}
