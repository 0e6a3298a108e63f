//! Limits: at most N at a time, over all processes of a host.
//!
//! A permit has an owner, and comes back when its process dies. The number of permits is recorded and can be changed; the
//! processes that hold them are named.

mod choice;
mod engine;
mod id;
mod info;
pub(crate) mod ledger;
#[cfg(system_v_semaphores)]
mod system_v;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use choice::Chosen;
pub use engine::{HAS_LIMITS, LimitEngine};
use engine::{Identity, Object};
pub use id::LimitId;
pub use info::{Holding, LimitInfo};

use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::unlinked::Unlinked;
use crate::waiting::{Executors, Holder, Mailbox, Request, Wait, Waiter, WaiterId, spin_before_sleep};

/// The largest number of permits: SEMVMX of semop(2).
pub const PERMITS_MAX: u16 = 32_767;

/// A handle on a limit.
///
/// It counts the permits that it has, and gives them back when it is dropped; the kernel does so when the process dies.
pub struct Limit {
    object: Box<dyn Object>,
    engine: LimitEngine,
    holder: Arc<Holder>,
    created: bool,
    unlinked: Unlinked,
    /// The permits went back because the process is about to exit.
    given_back: AtomicBool,
}

/// What is needed to make a limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitCreation {
    /// How many permits there are, at most [`PERMITS_MAX`].
    pub permits: u32,
    /// Permission bits; the umask does not change them.
    pub mode: u32,
}

impl Limit {
    /// Creates a limit; `EEXIST` if it exists, in either engine.
    ///
    /// Without an engine it is that of the host.
    pub fn create(id: &LimitId, creation: LimitCreation, engine: Option<LimitEngine>) -> Result<Self> {
        creation.check()?;
        choice::create(id, creation, engine).map(Self::new)
    }

    /// Opens a limit; `ENOENT` if it does not exist. Without an engine, it is looked for in both.
    pub fn open(id: &LimitId, owner: Owner, engine: Option<LimitEngine>) -> Result<Self> {
        choice::open(id, owner, engine).map(Self::new)
    }

    /// Opens a limit, or creates it if it does not exist. A limit that exists keeps its number of permits.
    pub fn open_or_create(
        id: &LimitId,
        creation: LimitCreation,
        owner: Owner,
        engine: Option<LimitEngine>,
    ) -> Result<Self> {
        creation.check()?;
        choice::open_or_create(id, creation, owner, engine).map(Self::new)
    }

    /// Removes the limit of this name or key; false if it does not exist. Without an engine, it is removed from both.
    pub fn unlink_id(id: &LimitId, engine: Option<LimitEngine>) -> Result<bool> {
        choice::unlink(id, engine)
    }

    fn new(Chosen { object, engine, created }: Chosen) -> Self {
        Self {
            object,
            engine,
            holder: Arc::default(),
            created,
            unlinked: Unlinked::default(),
            given_back: AtomicBool::new(false),
        }
    }

    /// Its engine.
    #[must_use]
    pub fn engine(&self) -> LimitEngine {
        self.engine
    }

    /// The name with its slash; empty for a raw key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object.name()
    }

    /// Whether this handle made it.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// Whether its set is known to be the one of this name, and not another's with the same key.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.object.verified()
    }

    /// How many permits there are, as recorded; `None` for a set that has no record.
    pub fn permits(&self) -> Result<Option<u16>> {
        self.object.permits()
    }

    /// Takes a permit if one is free now.
    pub fn try_acquire(&self) -> Result<bool> {
        self.object.queue().try_take(Request::Permit, &self.holder)
    }

    /// Takes a permit, and blocks the calling thread until one is there; false when `timeout` is over first.
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let queue = self.object.queue();
        queue.before_blocking();
        spin_before_sleep(
            || queue.take_at_once(Request::Permit, &self.holder),
            || self.object.wait(&self.holder, deadline),
        )
    }

    /// Gives back a permit of this handle.
    ///
    /// A removed limit has no permits any more, and so nothing that could fail; nor has one whose permits
    /// [`before_exit`](Self::before_exit) gave back.
    pub fn release(&self) -> Result<()> {
        if !self.holder.remove() {
            if self.given_back.load(Ordering::Relaxed) {
                return Ok(());
            }
            return Err(Error::invalid("this handle has no permit to release"));
        }
        match self.object.queue().release(Request::Permit, self.holder.token()) {
            Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
            Err(errno) => {
                self.holder.add(self.holder.token());
                Err(self.object.queue().counter().failure("give a permit back to", errno))
            }
        }
    }

    /// Starts a wait for a permit that ends in `mailbox`, unless one is there at once.
    pub fn start_acquire(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        if self.object.queue().take_at_once(Request::Permit, &self.holder)? {
            return Ok(Wait::Done);
        }
        self.join(Request::Permit, mailbox, executors)
    }

    /// Brings the recorded number of permits to `permits`, or one step nearer to it.
    ///
    /// It grows at once. It shrinks by one free permit a step: as long as there are some, and no wait of this process is pending,
    /// at once; else the step is a wait in the line, and this is to be called again when that is over. Of two that resize at
    /// the same time, each is done when the record reaches its own number.
    pub fn start_resize(&self, permits: u32, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let to = checked_permits(permits)?;
        let shrink = Request::Shrink(to);
        loop {
            let now = self.permits()?.ok_or_else(|| self.object.no_record())?;
            // Where another process was quicker, there is another number to begin with. After a success the number may be less
            // at once: another resize lowers it, and is not to be fought.
            if now == to || now < to && self.object.grow(now, to)? {
                return Ok(Wait::Done);
            }
            if now > to && !self.object.queue().take_at_once(shrink, &self.holder)? {
                return self.join(shrink, mailbox, executors);
            }
        }
    }

    fn join(&self, request: Request, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        self.object.queue().join(Waiter { request, holder, mailbox, executors })
    }

    /// Ends a wait: when this returns, nothing arrives for it any more, and no permit was lost.
    pub fn cancel(&self, ticket: WaiterId, mailbox: &Mailbox) {
        self.object.queue().cancel(ticket, mailbox);
    }

    /// Ends all waits of this handle.
    pub fn cancel_all(&self, mailbox: &Mailbox) {
        self.object.queue().cancel_all(&self.holder, mailbox);
    }

    /// The same, for a party that ends: it does not wait until the thread of the waits has left the kernel.
    pub fn withdraw(&self, mailbox: &Mailbox) {
        self.object.queue().withdraw_all(&self.holder, mailbox);
    }

    /// Says whether a thread of libuv's pool may block for the waits of this handle.
    pub fn allow_pool(&self, allowed: bool) {
        self.object.queue().allow_pool(&self.holder, allowed);
    }

    /// The number of permits of this handle.
    #[must_use]
    pub fn held(&self) -> usize {
        self.holder.permits()
    }

    /// Says whether the permits of this process are for the program that it becomes by execve(2), which otherwise gives them
    /// back when it opens this limit. False where the set has no word of this process: then nobody gives them back before
    /// the process ends.
    pub fn hand_on(&self, handed_on: bool) -> Result<bool> {
        self.object.hand_on(handed_on)
    }

    /// What is known about the limit.
    pub fn info(&self) -> Result<LimitInfo> {
        self.object.queue().before_reading();
        let info = self.object.info()?;
        Ok(LimitInfo { pending: self.object.queue().pending(), ..info })
    }

    /// Removes the limit; everybody who waits gets `EIDRM`. A second call does nothing.
    pub fn unlink(&self) -> Result<()> {
        self.unlinked.once(|| self.identity().remove())
    }

    /// The identity of the limit: it can be removed even after this handle was dropped.
    #[must_use]
    pub fn identity(&self) -> LimitIdentity {
        LimitIdentity(self.object.identity())
    }

    /// Gives back what the kernel would not when the process ends.
    pub fn before_exit(&self) {
        // Without permits, there is nothing to ask the kernel about.
        if self.held() > 0 && !self.object.returns_permits_of_dead() {
            self.release_all();
            self.given_back.store(true, Ordering::Relaxed);
        }
    }

    fn release_all(&self) {
        while self.held() > 0 && self.release().is_ok() {}
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.release_all();
    }
}

/// One limit, as opposed to a later one of the same name.
#[derive(Clone, Debug)]
pub struct LimitIdentity(Arc<dyn Identity>);

impl LimitIdentity {
    /// [`Limit::unlink`]; a limit that is already removed is no error.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }
}

/// Whether a limit of this name lives in the ledger, where no set shows it.
#[cfg(system_v_semaphores)]
pub(crate) fn is_ledger(name: &crate::name::Name) -> bool {
    ledger::exists(name)
}

/// Every limit that we may read.
pub(crate) fn list() -> Result<Vec<LimitInfo>> {
    choice::list()
}

impl LimitCreation {
    fn check(self) -> Result<()> {
        if self.mode > 0o777 {
            return Err(Error::new(Code::OutOfRange, "a mode is 0 to 0o777"));
        }
        checked_permits(self.permits).map(drop)
    }
}

fn checked_permits(permits: u32) -> Result<u16> {
    let checked = u16::try_from(permits).ok().filter(|permits| *permits <= PERMITS_MAX);
    checked.ok_or_else(|| Error::new(Code::OutOfRange, format!("permits are 0 to {PERMITS_MAX}")))
}
