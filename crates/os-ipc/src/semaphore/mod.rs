//! Named counting semaphores.

mod backend;
#[cfg(unix)]
mod explain;
mod id;
mod identity;
mod info;
#[cfg(windows)]
mod ledger;
#[cfg(unix)]
mod posix;
#[cfg(system_v_semaphores)]
mod system_v;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use backend::Backend;
use backend::Object;
pub use id::SemaphoreId;
pub use identity::SemaphoreIdentity;
pub use info::SemaphoreInfo;
#[cfg(system_v_semaphores)]
pub(crate) use system_v::sets as system_v_sets;

use crate::access::Owner;
use crate::error::{Code, Error, Result};
use crate::hints::Wanted;
use crate::unlinked::Unlinked;
use crate::waiting::{
    Executors, Holder, Mailbox, Queue, Request, Wait, Waiter, WaiterId, block_in_queue, spin_before_sleep,
};

/// The largest counter that every backend supports: SEMVMX of semop(2). A [`Backend`] may allow more.
pub const VALUE_MAX: u16 = 32_767;

/// A handle on a counting semaphore.
///
/// Its units have no owner. Permits, which have one, are those of a [`Limit`](crate::Limit).
pub struct Semaphore {
    object: Box<dyn Object>,
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    created: bool,
    unlinked: Unlinked,
}

/// The parameters of a new semaphore.
#[derive(Clone, Copy, Debug)]
pub struct Creation {
    /// The first value of the counter, at most [`Backend::value_max`].
    pub initial: u32,
    /// Permission bits; the umask does not change them.
    pub mode: u32,
}

impl Semaphore {
    /// Creates a semaphore; `EEXIST` if it exists.
    pub fn create(id: &SemaphoreId, creation: Creation) -> Result<Self> {
        creation.check(id.backend())?;
        let engine = id.engine()?;
        let made = engine.create(id, creation).map(|object| Self::new(object, true));
        made.map_err(|error| engine.explain(error, id, Wanted::Make(0)))
    }

    /// Opens a semaphore; `ENOENT` if it does not exist.
    pub fn open(id: &SemaphoreId, owner: Owner) -> Result<Self> {
        let engine = id.engine()?;
        let opened = engine.open(id, owner).map(|object| Self::new(object, false));
        opened.map_err(|error| engine.explain(error, id, Wanted::Open))
    }

    /// Opens a semaphore, or creates it if it does not exist.
    pub fn open_or_create(id: &SemaphoreId, creation: Creation, owner: Owner) -> Result<Self> {
        creation.check(id.backend())?;
        let engine = id.engine()?;
        let opened = engine.open_or_create(id, creation, owner);
        opened
            .map(|(object, created)| Self::new(object, created))
            .map_err(|error| engine.explain(error, id, Wanted::Make(0)))
    }

    /// Removes the semaphore of this name or key; false if it does not exist.
    pub fn unlink_id(id: &SemaphoreId) -> Result<bool> {
        let engine = id.engine()?;
        engine.unlink(id).map_err(|error| engine.explain(error, id, Wanted::Remove))
    }

    fn new(object: Box<dyn Object>, created: bool) -> Self {
        Self { queue: object.queue(), object, holder: Arc::default(), created, unlinked: Unlinked::default() }
    }

    /// The name with its slash; empty for a raw key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Which system it lives in.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.object.backend()
    }

    /// Whether this handle created the semaphore.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// Whether the object is known to be the semaphore of this name, and not another one with the same key.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.object.verified()
    }

    /// The counter.
    pub fn value(&self) -> Result<u32> {
        self.queue.before_reading();
        self.object.value()
    }

    /// Adds `count` units, all or none.
    pub fn post(&self, count: u32) -> Result<()> {
        let most = self.backend().post_max();
        if count == 0 || count > most {
            return Err(Error::new(Code::OutOfRange, format!("a count is 1 to {most}")));
        }
        self.object.post(count)
    }

    /// Takes a unit if one is free now.
    pub fn try_wait(&self) -> Result<bool> {
        self.queue.try_take(Request::Unit, &self.holder)
    }

    /// Takes a unit, and blocks the calling thread until it has one; false if `timeout` passes first.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.queue.before_blocking();
        // On Linux a try is no system call there, and takes less time than the two looks at the clock of a wait.
        if self.object.backend() == Backend::Posix && self.queue.take_at_once(Request::Unit, &self.holder)? {
            return Ok(true);
        }
        spin_before_sleep(
            || self.queue.take_at_once(Request::Unit, &self.holder),
            || {
                if self.object.may_block(deadline) {
                    self.object.wait(deadline)
                } else {
                    block_in_queue(&self.queue, Request::Unit, &self.holder, deadline)
                }
            },
        )
    }

    /// Starts a wait whose outcome comes to `mailbox`, unless a unit is free at once.
    pub fn start_wait(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let request = Request::Unit;
        if self.queue.take_at_once(request, &self.holder)? {
            return Ok(Wait::Done);
        }
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        self.queue.join(Waiter { request, holder, mailbox, executors })
    }

    /// Ends a wait: when this returns, nothing arrives for it any more, and no unit is lost.
    pub fn cancel(&self, ticket: WaiterId, mailbox: &Mailbox) {
        self.queue.cancel(ticket, mailbox);
    }

    /// Ends all waits of this handle.
    pub fn cancel_all(&self, mailbox: &Mailbox) {
        self.queue.cancel_all(&self.holder, mailbox);
    }

    /// The same, for a party that ends: it does not wait until the thread of the waits has left the kernel.
    pub fn withdraw(&self, mailbox: &Mailbox) {
        self.queue.withdraw_all(&self.holder, mailbox);
    }

    /// Sets whether a thread of libuv's pool may block for the waits of this handle.
    pub fn allow_pool(&self, allowed: bool) {
        self.queue.allow_pool(&self.holder, allowed);
    }

    /// Information about the semaphore.
    pub fn info(&self) -> Result<SemaphoreInfo> {
        self.queue.before_reading();
        let mut info = self.object.info()?;
        info.pending = self.queue.pending();
        Ok(info)
    }

    /// Removes the semaphore; on System V every waiter gets `EIDRM`. A second call does nothing.
    pub fn unlink(&self) -> Result<()> {
        self.unlinked.once(|| self.identity().remove())
    }

    /// The identity of the semaphore: it can be removed even after this handle was dropped.
    #[must_use]
    pub fn identity(&self) -> SemaphoreIdentity {
        SemaphoreIdentity(self.object.identity())
    }
}

/// Every semaphore that we may read, one backend's after the other's.
pub(crate) fn list() -> Result<Vec<SemaphoreInfo>> {
    let mut semaphores = Vec::new();
    for engine in Backend::ALL.into_iter().filter_map(Backend::engine) {
        semaphores.extend(engine.list()?);
    }
    Ok(semaphores)
}

impl Creation {
    fn check(self, backend: Backend) -> Result<()> {
        let most = backend.value_max();
        if self.initial > most {
            return Err(Error::new(Code::OutOfRange, format!("an initial value is 0 to {most}")));
        }
        if self.mode > 0o777 {
            return Err(Error::new(Code::OutOfRange, "a mode is 0 to 0o777"));
        }
        Ok(())
    }
}
