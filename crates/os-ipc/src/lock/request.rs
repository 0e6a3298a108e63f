//! A request for a lock, and the lock once it is granted.

use std::sync::Arc;

use super::{LockEngine, LockName, idle, queues, registry};
use crate::error::{OsCode, Result};
use crate::waiting::{Executors, Holder, Mailbox, Queue, Request, Wait, Waiter};

/// The mode of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Shared with other requests for the same mode.
    Shared,
    /// Exclusive.
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
/// A request that is dropped gives its lock back. A pending one has to be [cancelled](Self::cancel) first.
pub struct Lock {
    queue: Arc<Queue>,
    mode: LockMode,
    holder: Arc<Holder>,
    _entered: registry::Entered,
}

impl Lock {
    /// A request that has not asked yet; [`LockEngine::requests`] reports `client` with it.
    #[must_use]
    pub fn new(engine: &LockEngine, name: &LockName, mode: LockMode, client: u32) -> Self {
        let queue = queues::of(engine, name);
        queues::locking(&queue).join();
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

    /// Takes the lock if it is free now and this process has no waiters for it.
    pub fn try_take(&self) -> Result<bool> {
        self.queue.try_take_in_turn(self.mode.request(), &self.holder)
    }

    /// Takes the lock, or waits for it: the outcome comes to `mailbox`.
    pub fn start(&self, mailbox: &Arc<Mailbox>) -> Result<Wait> {
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        // The wait can be long, and the program would miss a thread of libuv's pool.
        let executors = Executors::THREAD;
        self.queue.wait(Waiter { request: self.mode.request(), holder, mailbox, executors })
    }

    /// Ends the wait: when this returns, nothing arrives for the request any more.
    pub fn cancel(&self, mailbox: &Mailbox) {
        self.queue.cancel_all(&self.holder, mailbox);
    }

    /// The same, for a party that ends: it does not wait until the thread of the wait has left the kernel.
    pub fn withdraw(&self, mailbox: &Mailbox) {
        self.queue.withdraw_all(&self.holder, mailbox);
    }

    /// Whether the request has the lock.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holder.permits() > 0
    }

    /// Gives the lock back. If its object was removed by force, this does nothing.
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
        // A lock that cannot be given back now goes back when the process ends.
        let _ = self.release();
        queues::locking(&self.queue).part();
        idle::after_use(&self.queue);
    }
}
