//! A request for a lock, and the lock once it is granted.

use std::sync::Arc;

use super::{LockEngine, LockName, idle, line, registry};
use crate::error::{OsCode, Result};
use crate::waiting::{Executors, Holder, Mailbox, Queue, Request, Wait, Waiter};

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Together with others who ask for the same.
    Shared,
    /// Alone.
    Exclusive,
}

impl LockMode {
    fn request(self) -> Request {
        match self {
            Self::Shared => Request::Shared,
            Self::Exclusive => Request::Exclusive,
        }
    }
}

/// A request for a lock, to be granted once.
///
/// Dropped, it gives back what it has. One that still waits has to be [cancelled](Self::cancel) first.
pub struct Lock {
    queue: Arc<Queue>,
    mode: LockMode,
    holder: Arc<Holder>,
    _entered: registry::Entered,
}

impl Lock {
    /// A request that has not asked yet; `client` is what [`LockEngine::requests`] says of it.
    #[must_use]
    pub fn new(engine: &LockEngine, name: &LockName, mode: LockMode, client: u32) -> Self {
        let queue = line::of(engine, name);
        line::locking(&queue).join();
        let holder = Arc::<Holder>::default();
        let entry = registry::Entry {
            engine: engine.clone(),
            name: name.clone(),
            mode,
            client,
            holder: Arc::clone(&holder),
        };
        Self { queue, mode, holder, _entered: registry::enter(entry) }
    }

    /// Takes the lock if it is to be had now, and nobody of this process waits for it.
    pub fn try_take(&self) -> Result<bool> {
        self.queue.try_take_in_turn(self.mode.request(), &self.holder)
    }

    /// Takes the lock, or waits for it: the outcome comes to `mailbox`.
    pub fn start(&self, mailbox: &Arc<Mailbox>) -> Result<Wait> {
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        // Nobody knows how long it takes, and a thread of libuv's pool would be missed.
        let executors = Executors::THREAD;
        self.queue.wait(Waiter { request: self.mode.request(), holder, mailbox, executors })
    }

    /// Ends the wait: when this returns, nothing arrives for it any more.
    pub fn cancel(&self, mailbox: &Mailbox) {
        self.queue.cancel_all(&self.holder, mailbox);
    }

    /// Whether it has the lock.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holder.permits() > 0
    }

    /// Gives the lock back. One whose object was removed by force has nothing to give back.
    pub fn release(&self) -> Result<()> {
        if !self.holder.remove() {
            return Ok(());
        }
        match self.queue.release(self.mode.request(), self.holder.token()) {
            Ok(()) => Ok(()),
            Err(errno) => Err(self.failure(errno)),
        }
    }

    fn failure(&self, errno: OsCode) -> crate::error::Error {
        self.queue.counter().failure("give back", errno)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What cannot be given back goes back when the process ends.
        let _ = self.release();
        line::locking(&self.queue).part();
        idle::after_use(&self.queue);
    }
}
