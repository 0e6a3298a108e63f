//! The operations that the queue needs from a backend.

use std::sync::Arc;

use super::watched::Watched;
use crate::error::{Error, OsCode, Result};
use crate::sys::interrupt::Interrupt;

/// The request of a waiter, and whether its unit has an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A unit, taken for good: a signal between processes.
    Unit,
    /// A permit of a limit: it comes back when its process dies.
    Permit,
    /// A permit that is taken away from a limit, while that has more than this number.
    Shrink(u16),
    /// A lock, shared with other requests for the same.
    Shared,
    /// A lock, held exclusively.
    Exclusive,
}

impl Request {
    /// Whether what is taken has an owner, who gives it back.
    pub(crate) fn is_owned(self) -> bool {
        !matches!(self, Self::Unit | Self::Shrink(_))
    }
}

/// The place where a backend took a unit or lock; the backend needs it for giving that back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) i32);

/// A counter in the kernel.
pub(crate) trait Counter: Send + Sync {
    /// Takes for the request if that is possible now.
    fn try_take(&self, request: Request) -> Result<Option<Token>>;

    /// The same for a party that waits if this takes nothing: what a waiter is told need not be looked for.
    fn try_before_wait(&self, request: Request) -> Result<Option<Token>> {
        self.try_take(request)
    }

    /// Takes what is asked for, a unit so that it comes back when its process dies, and waits as long as it takes; `None` after an interrupt.
    ///
    /// A part that was taken before the interrupt may stay taken: the next call goes on with it, or [`Locking::rest`]
    /// gives it up.
    fn take(&self, request: Request, interrupt: &Interrupt) -> Result<Option<Token>>;

    /// Whether a moment of [`try_take`](Self::try_take) in a loop may replace [`take`](Self::take).
    fn may_be_polled(&self) -> bool {
        false
    }

    /// Gives a unit or lock back.
    fn give_back(&self, request: Request, token: Token) -> std::result::Result<(), OsCode>;

    /// The number of threads, in all processes, that wait in the kernel for a release of `request`;
    /// `None` where the kernel does not tell.
    fn kernel_waiters(&self, _request: Request) -> Option<u32> {
        None
    }

    /// Turns a unit that was taken into a [`Request::Unit`]; the counter does not move.
    fn disown(&self, _token: Token) -> std::result::Result<(), OsCode> {
        Ok(())
    }

    /// The source as one that the hub watches; `None` where [`take`](Self::take) waits in the kernel.
    fn watched(&self) -> Option<&dyn Watched> {
        None
    }

    /// The error for a call that failed to `act` on the object ("take a unit from", "give a permit back to").
    fn failure(&self, act: &str, errno: OsCode) -> Error;
}

impl<C: Counter + ?Sized> Counter for Arc<C> {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        (**self).try_take(request)
    }

    fn try_before_wait(&self, request: Request) -> Result<Option<Token>> {
        (**self).try_before_wait(request)
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

    fn watched(&self) -> Option<&dyn Watched> {
        (**self).watched()
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        (**self).failure(act, errno)
    }
}

/// A lock: its kernel objects exist only while a request uses them, and they tell other processes which requests wait.
pub(crate) trait Locking: Counter {
    /// One more request uses the lock.
    fn join(&self);

    /// One request fewer uses the lock.
    fn part(&self);

    /// Closes the lock if no request uses it and no driver takes from it (`driven`); false if a driver does, so that the
    /// caller tries again.
    fn close_unused(&self, driven: bool) -> bool;

    /// The process ends: gives back everything that it has, closes the lock, and takes nothing any more.
    fn end_process(&self);

    /// A waiter with this request joined or left the list; `oldest` is the time when the list's first waiter asked.
    fn listed(&self, request: Request, joined: bool, oldest: Option<u64>);

    /// The list is empty, and no thread takes.
    fn rest(&self);
}

/// The object that a queue waits for.
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

    /// Takes for the first waiter if that is possible now.
    pub(super) fn attempt(&self, request: Request) -> Result<Option<Token>> {
        match self.counter().watched() {
            Some(watched) => watched.take_in_turn(request),
            None => self.counter().try_take(request),
        }
    }

    pub(super) fn rest(&self) {
        match self {
            Self::Lock(lock) => lock.rest(),
            Self::Units(counter) => counter.watched().into_iter().for_each(Watched::parted),
        }
    }
}
