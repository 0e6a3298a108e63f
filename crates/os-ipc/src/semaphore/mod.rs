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
use crate::error::{Code, Error, OsCode, Result};
pub use crate::sys::semaphore_words::Words as SemaphoreWords;
use crate::waiting::{
    Executors, Holder, Mailbox, Queue, Request, Wait, Waiter, WaiterId, block_in_queue, spin_before_sleep,
};

/// The largest counter that every backend supports: SEMVMX of semop(2). A [`Backend`] may allow more.
pub const VALUE_MAX: u16 = 32_767;

/// A handle on a counting semaphore.
///
/// `wait`, `try_wait` and `post` move units without an owner. `acquire`, `try_acquire` and `release` move permits:
/// this handle counts its permits, and gives them back when it is dropped; on System V the kernel gives them back
/// when the process dies.
pub struct Semaphore {
    inside: Inside,
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    created: bool,
    unlinked: AtomicBool,
    /// The permits went back because the process is about to exit.
    given_back: AtomicBool,
}

enum Inside {
    SystemV(system_v::Set),
    Posix(posix::Named),
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
        match id.backend() {
            Backend::SystemV => system_v::create(id, creation).map(|set| Self::system_v(set, true)),
            Backend::Posix => {
                posix::create(id.name_of_posix()?, creation).map(|named| Self::posix(named, true))
            }
        }
        .map_err(|error| explain::making(error, id))
    }

    /// Opens a semaphore; `ENOENT` if it does not exist.
    pub fn open(id: &SemaphoreId, owner: Owner) -> Result<Self> {
        match id.backend() {
            Backend::SystemV => system_v::open(id, owner).map(|set| Self::system_v(set, false)),
            Backend::Posix => posix::open(id.name_of_posix()?, owner).map(|named| Self::posix(named, false)),
        }
        .map_err(|error| explain::opening(error, id))
    }

    /// Opens a semaphore, or creates it if it does not exist.
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

    /// Removes the semaphore of this name or key; false if it does not exist.
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
        Self {
            inside,
            queue,
            holder: Arc::default(),
            created,
            unlinked: AtomicBool::new(false),
            given_back: AtomicBool::new(false),
        }
    }

    /// The name with its slash; empty for a raw key.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.inside {
            Inside::SystemV(set) => set.name(),
            Inside::Posix(named) => named.name(),
        }
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match &self.inside {
            Inside::SystemV(_) => Backend::SystemV,
            Inside::Posix(_) => Backend::Posix,
        }
    }

    /// Whether this handle created the semaphore.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// Whether the object is known to be the semaphore of this name, and not another one with the same key.
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

    /// The words that hold the counter of a POSIX semaphore, for callers that count in them; `None` for a C library
    /// with an unknown layout.
    #[must_use]
    pub fn words(&self) -> Option<SemaphoreWords> {
        match &self.inside {
            Inside::SystemV(_) => None,
            Inside::Posix(named) => named.words(),
        }
    }

    /// Wakes one waiter, after a unit was added to [`words`](Self::words).
    pub fn wake_one(&self) {
        if let Inside::Posix(named) = &self.inside {
            named.wake_one();
        }
    }

    /// Takes a unit if one is free now.
    pub fn try_wait(&self) -> Result<bool> {
        self.queue.try_take(Request::Unit, &self.holder)
    }

    /// Takes a unit, and blocks the calling thread until it has one; false if `timeout` passes first.
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

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Result<bool> {
        self.queue.try_take(Request::Permit, &self.holder)
    }

    /// Gives back a permit of this handle.
    ///
    /// If the semaphore was removed, or [`before_exit`](Self::before_exit) gave its permits back, this does nothing and
    /// succeeds.
    pub fn release(&self) -> Result<()> {
        if !self.holder.remove() {
            if self.given_back.load(Ordering::Relaxed) {
                return Ok(());
            }
            return Err(Error::invalid("this handle has no permit to release"));
        }
        match self.queue.release(Request::Permit, self.holder.token()) {
            Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
            Err(errno) => {
                self.holder.add(self.holder.token());
                Err(self.queue.counter().failure("give a permit back to", errno))
            }
        }
    }

    /// Starts a wait whose outcome comes to `mailbox`, unless a unit is free at once.
    pub fn start_wait(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        self.start(Request::Unit, mailbox, executors)
    }

    /// Does the same for a permit.
    pub fn start_acquire(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        self.start(Request::Permit, mailbox, executors)
    }

    fn start(&self, request: Request, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
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

    /// Sets whether a thread of libuv's pool may block for the waits of this handle.
    pub fn allow_pool(&self, allowed: bool) {
        self.queue.allow_pool(&self.holder, allowed);
    }

    /// The number of permits of this handle.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.holder.permits()
    }

    /// Information about the semaphore.
    pub fn info(&self) -> Result<SemaphoreInfo> {
        self.queue.before_reading();
        let mut info = match &self.inside {
            Inside::SystemV(set) => set.info(),
            Inside::Posix(named) => named.info(),
        }?;
        info.pending = self.queue.pending();
        Ok(info)
    }

    /// Removes the semaphore; on System V every waiter gets `EIDRM`. A second call does nothing.
    pub fn unlink(&self) -> Result<()> {
        if self.unlinked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.identity().remove()?;
        self.unlinked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The identity of the semaphore: it can be removed even after this handle was dropped.
    #[must_use]
    pub fn identity(&self) -> SemaphoreIdentity {
        match &self.inside {
            Inside::SystemV(set) => set.identity(),
            Inside::Posix(named) => named.identity(),
        }
    }

    /// Gives back what the kernel does not give back at the end of the process: the permits of a backend without undo.
    pub fn before_exit(&self) {
        // Without permits of a System V semaphore, the kernel need not be probed.
        let undone = |backend: Backend| {
            backend == Backend::SystemV && (self.permits() == 0 || backend.recovers_permits())
        };
        if !undone(self.backend()) {
            self.release_all();
            self.given_back.store(true, Ordering::Relaxed);
        }
    }

    fn release_all(&self) {
        while self.holder.permits() > 0 && self.release().is_ok() {}
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        self.release_all();
    }
}

impl Creation {
    /// The first value of a set; [`check`](Self::check) has found it small enough.
    fn initial_of_set(self) -> u16 {
        u16::try_from(self.initial).unwrap_or(VALUE_MAX)
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
