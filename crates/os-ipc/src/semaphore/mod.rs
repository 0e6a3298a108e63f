//! Named counting semaphores.

mod explain;
mod id;
mod identity;
mod info;
pub(crate) mod patience;
mod posix;
mod system_v;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use id::{Backend, SemaphoreId};
pub use identity::SemaphoreIdentity;
pub use info::SemaphoreInfo;
pub(crate) use posix::list as list_posix;
pub(crate) use system_v::{list as list_system_v, sets as system_v_sets};

use crate::access::Owner;
use crate::counter_set;
use crate::error::{Code, Error, Result};
pub use crate::sys::semaphore_words::Words as SemaphoreWords;
use crate::waiting::{
    Executors, Holder, Mailbox, Queue, Request, Wait, Waiter, WaiterId, block_in_queue, spin_before_sleep,
};

/// The largest counter that every backend has: SEMVMX of semop(2). A [`Backend`] may allow more.
pub const VALUE_MAX: u16 = 32_767;

/// A handle on a counting semaphore.
///
/// Its units have no owner: what `wait` took, anybody may `post`. Permits, which have one, are those of a
/// [`Limit`](crate::Limit).
pub struct Semaphore {
    inside: Inside,
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    created: bool,
    unlinked: AtomicBool,
}

enum Inside {
    SystemV(system_v::Set),
    Posix(posix::Named),
}

/// What is needed to make a semaphore.
#[derive(Clone, Copy, Debug)]
pub struct Creation {
    /// The counter's first value, at most [`Backend::value_max`].
    pub initial: u32,
    /// Permission bits; the umask does not change them.
    pub mode: u32,
}

impl Semaphore {
    /// Makes a semaphore; `EEXIST` when there is one.
    pub fn create(id: &SemaphoreId, creation: Creation) -> Result<Self> {
        creation.check(id.backend())?;
        match id.backend() {
            Backend::SystemV => system_v::create(id, creation).map(|set| Self::system_v(set, true)),
            Backend::Posix => {
                posix::create(id.name_of_posix()?, creation).map(|named| Self::posix(named, true))
            }
        }
        .map_err(|error| explain::making(error, id))
    }

    /// Opens a semaphore; `ENOENT` when there is none.
    pub fn open(id: &SemaphoreId, owner: Owner) -> Result<Self> {
        match id.backend() {
            Backend::SystemV => system_v::open(id, owner).map(|set| Self::system_v(set, false)),
            Backend::Posix => posix::open(id.name_of_posix()?, owner).map(|named| Self::posix(named, false)),
        }
        .map_err(|error| explain::opening(error, id))
    }

    /// Opens a semaphore, or makes it when there is none.
    pub fn open_or_create(id: &SemaphoreId, creation: Creation, owner: Owner) -> Result<Self> {
        creation.check(id.backend())?;
        match id.backend() {
            Backend::SystemV => system_v::open_or_create(id, creation, owner)
                .map(|(set, created)| Self::system_v(set, created)),
            Backend::Posix => posix::open_or_create(id.name_of_posix()?, creation, owner)
                .map(|(named, created)| Self::posix(named, created)),
        }
        .map_err(|error| explain::making(error, id))
    }

    /// Removes the semaphore of this name or key; false when there was none.
    pub fn unlink_id(id: &SemaphoreId) -> Result<bool> {
        match id.backend() {
            Backend::SystemV => system_v::unlink(id),
            Backend::Posix => posix::unlink(id.name_of_posix()?),
        }
        .map_err(|error| explain::removing(error, id))
    }

    fn system_v(set: system_v::Set, created: bool) -> Self {
        let queue = set.queue();
        Self::new(Inside::SystemV(set), queue, created)
    }

    fn posix(named: posix::Named, created: bool) -> Self {
        let queue = named.queue();
        Self::new(Inside::Posix(named), queue, created)
    }

    fn new(inside: Inside, queue: Arc<Queue>, created: bool) -> Self {
        Self { inside, queue, holder: Arc::default(), created, unlinked: AtomicBool::new(false) }
    }

    /// The name with its slash; empty for a raw key.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.inside {
            Inside::SystemV(set) => set.name(),
            Inside::Posix(named) => named.name(),
        }
    }

    /// Which of the system's two kinds it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match &self.inside {
            Inside::SystemV(_) => Backend::SystemV,
            Inside::Posix(_) => Backend::Posix,
        }
    }

    /// Whether this handle made it.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// Whether the object is known to be the one of this name, and not another's with the same key.
    #[must_use]
    pub fn verified(&self) -> bool {
        match &self.inside {
            Inside::SystemV(set) => set.verified(),
            Inside::Posix(_) => true,
        }
    }

    /// The counter.
    pub fn value(&self) -> Result<u32> {
        self.queue.before_reading();
        match &self.inside {
            Inside::SystemV(set) => set.value(),
            Inside::Posix(named) => named.value(),
        }
    }

    /// Adds `count` units, all or none.
    pub fn post(&self, count: u32) -> Result<()> {
        let most = self.backend().value_max();
        if count == 0 || count > most {
            return Err(Error::new(Code::OutOfRange, format!("a count is 1 to {most}")));
        }
        match &self.inside {
            Inside::SystemV(set) => set.post(count),
            Inside::Posix(named) => named.post(count),
        }
    }

    /// The words that the counter of a POSIX semaphore is in, for those who count in them: where the C library is one
    /// whose way of counting is known.
    #[must_use]
    pub fn words(&self) -> Option<SemaphoreWords> {
        match &self.inside {
            Inside::SystemV(_) => None,
            Inside::Posix(named) => named.words(),
        }
    }

    /// Wakes one of those who wait, after a unit was added to [`words`](Self::words).
    pub fn wake_one(&self) {
        if let Inside::Posix(named) = &self.inside {
            named.wake_one();
        }
    }

    /// Takes a unit if one is there now.
    pub fn try_wait(&self) -> Result<bool> {
        self.queue.try_take(Request::Unit, &self.holder)
    }

    /// Takes a unit, and blocks the calling thread until one is there; false when `timeout` is over first.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.queue.before_blocking();
        spin_before_sleep(
            || self.queue.take_at_once(Request::Unit, &self.holder),
            || match &self.inside {
                Inside::SystemV(set) => set.wait(deadline),
                Inside::Posix(named) if posix::Named::may_block(deadline) && self.queue.pending() == 0 => {
                    named.wait(deadline)
                }
                Inside::Posix(_) => block_in_queue(&self.queue, &self.holder, deadline),
            },
        )
    }

    /// Starts a wait that ends in `mailbox`, unless a unit is there at once.
    pub fn start_wait(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let request = Request::Unit;
        if self.queue.take_at_once(request, &self.holder)? {
            return Ok(Wait::Done);
        }
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        self.queue.join(Waiter { request, holder, mailbox, executors })
    }

    /// Ends a wait: when this returns, nothing arrives for it any more, and no unit was lost.
    pub fn cancel(&self, ticket: WaiterId, mailbox: &Mailbox) {
        self.queue.cancel(ticket, mailbox);
    }

    /// Ends all waits of this handle.
    pub fn cancel_all(&self, mailbox: &Mailbox) {
        self.queue.cancel_all(&self.holder, mailbox);
    }

    /// Says whether a thread of libuv's pool may block for the waits of this handle.
    pub fn allow_pool(&self, allowed: bool) {
        self.queue.allow_pool(&self.holder, allowed);
    }

    /// What is known about the semaphore.
    pub fn info(&self) -> Result<SemaphoreInfo> {
        self.queue.before_reading();
        let mut info = match &self.inside {
            Inside::SystemV(set) => set.info(),
            Inside::Posix(named) => named.info(),
        }?;
        info.pending = self.queue.pending();
        Ok(info)
    }

    /// Removes the semaphore; on System V everybody who waits gets `EIDRM`. A second call does nothing.
    pub fn unlink(&self) -> Result<()> {
        if self.unlinked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.identity().remove()?;
        self.unlinked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Which semaphore this is: to remove it after it was dropped too.
    #[must_use]
    pub fn identity(&self) -> SemaphoreIdentity {
        match &self.inside {
            Inside::SystemV(set) => set.identity(),
            Inside::Posix(named) => named.identity(),
        }
    }
}

impl Creation {
    /// That of a set, whose first value [`check`](Self::check) found small enough.
    fn of_set(self) -> counter_set::Creation {
        let initial = u16::try_from(self.initial).unwrap_or(VALUE_MAX);
        counter_set::Creation { initial, mode: self.mode }
    }

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
