//! Limits: at most so many at a time, over all processes of a host.
//!
//! A permit has an owner, and comes back when its process dies. The number of permits is recorded and can be changed; the
//! processes that hold them are named.

mod id;
mod info;
mod system_v;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use id::{HAS_LIMITS, LimitId};
pub use info::{Holding, LimitInfo};
pub(crate) use system_v::list as list_system_v;

use crate::access::Owner;
use crate::counter_set::{self, SetName};
use crate::error::{Code, Error, OsCode, Result};
use crate::sys::system_v::semaphore::SetId;
use crate::undo::kernel_undo;
use crate::waiting::{Executors, Holder, Mailbox, Request, Wait, Waiter, WaiterId, spin_before_sleep};
use system_v::{Set, explained, explained_by_id};

/// The largest number of permits: SEMVMX of semop(2).
pub const PERMITS_MAX: u16 = 32_767;

/// A handle on a limit.
///
/// It counts the permits that it has, and gives them back when it is dropped; the kernel does so when the process dies.
pub struct Limit {
    set: Set,
    holder: Arc<Holder>,
    created: bool,
    unlinked: AtomicBool,
    /// Its permits went back because the process is about to exit.
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
    /// Makes a limit; `EEXIST` when there is one.
    pub fn create(id: &LimitId, creation: LimitCreation) -> Result<Self> {
        Self::of(id, counter_set::create(id.set_name(), creation.of_set()?))
    }

    /// Opens a limit; `ENOENT` when there is none.
    pub fn open(id: &LimitId, owner: Owner) -> Result<Self> {
        Self::of(id, counter_set::open(id.set_name(), owner))
    }

    /// Opens a limit, or makes it when there is none. One that exists keeps its number of permits.
    pub fn open_or_create(id: &LimitId, creation: LimitCreation, owner: Owner) -> Result<Self> {
        Self::of(id, counter_set::open_or_create(id.set_name(), creation.of_set()?, owner))
    }

    fn of(id: &LimitId, opened: Result<counter_set::Opened>) -> Result<Self> {
        let opened = opened.map_err(|error| explained(error, id.set_name()))?;
        Ok(Self {
            set: Set::new(opened, id.set_name()),
            holder: Arc::default(),
            created: opened.created,
            unlinked: AtomicBool::new(false),
            given_back: AtomicBool::new(false),
        })
    }

    /// Removes the limit of this name or key; false when there was none.
    pub fn unlink_id(id: &LimitId) -> Result<bool> {
        counter_set::unlink(id.set_name()).map_err(|error| explained(error, id.set_name()))
    }

    /// The name with its slash; empty for a raw key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.set.name()
    }

    /// Whether this handle made it.
    #[must_use]
    pub fn created(&self) -> bool {
        self.created
    }

    /// Whether its set is known to be the one of this name, and not another's with the same key.
    #[must_use]
    pub fn verified(&self) -> bool {
        self.set.verified()
    }

    /// How many permits there are, as recorded; `None` for a set that has no record.
    pub fn permits(&self) -> Result<Option<u16>> {
        self.set.permits()
    }

    /// Takes a permit if one is there now.
    pub fn try_acquire(&self) -> Result<bool> {
        self.set.queue().try_take(Request::Permit, &self.holder)
    }

    /// Takes a permit, and blocks the calling thread until one is there; false when `timeout` is over first.
    pub fn acquire(&self, timeout: Option<Duration>) -> Result<bool> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let queue = self.set.queue();
        queue.before_blocking();
        spin_before_sleep(
            || queue.take_at_once(Request::Permit, &self.holder),
            || {
                let taken = self.set.wait(deadline)?;
                if taken {
                    self.holder.add(crate::waiting::Token::default());
                }
                Ok(taken)
            },
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
            return Err(Error::invalid("there is no permit to release"));
        }
        match self.set.queue().release(Request::Permit, self.holder.token()) {
            Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
            Err(errno) => {
                self.holder.add(self.holder.token());
                Err(self.set.queue().counter().failure("give a permit back to", errno))
            }
        }
    }

    /// Starts a wait for a permit that ends in `mailbox`, unless one is there at once.
    pub fn start_acquire(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        if self.set.queue().take_at_once(Request::Permit, &self.holder)? {
            return Ok(Wait::Done);
        }
        self.join(Request::Permit, mailbox, executors)
    }

    /// Brings the recorded number of permits to `permits`, or one step nearer to it.
    ///
    /// It grows at once. It shrinks by one free permit a step: as long as there are some, and nobody of this process waits,
    /// at once; else the step is a wait in the line, and this is to be called again when that is over. Of two that resize at
    /// the same time, each is done when the record reaches its own number.
    pub fn start_resize(&self, permits: u32, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let to = checked_permits(permits)?;
        let shrink = Request::Shrink(to);
        loop {
            let now = self.permits()?.ok_or_else(|| self.set.no_record())?;
            let goes_on = match now {
                now if now == to => return Ok(Wait::Done),
                // Where another process was quicker, there is another number to begin with.
                now if now < to => self.set.grow(now, to).map(|_| true)?,
                _ => self.set.queue().take_at_once(shrink, &self.holder)?,
            };
            if !goes_on {
                return self.join(shrink, mailbox, executors);
            }
        }
    }

    fn join(&self, request: Request, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        let (holder, mailbox) = (Arc::clone(&self.holder), Arc::clone(mailbox));
        self.set.queue().join(Waiter { request, holder, mailbox, executors })
    }

    /// Ends a wait: when this returns, nothing arrives for it any more, and no permit was lost.
    pub fn cancel(&self, ticket: WaiterId, mailbox: &Mailbox) {
        self.set.queue().cancel(ticket, mailbox);
    }

    /// Ends all waits of this handle.
    pub fn cancel_all(&self, mailbox: &Mailbox) {
        self.set.queue().cancel_all(&self.holder, mailbox);
    }

    /// Says whether a thread of libuv's pool may block for the waits of this handle.
    pub fn allow_pool(&self, allowed: bool) {
        self.set.queue().allow_pool(&self.holder, allowed);
    }

    /// How many permits this handle has.
    #[must_use]
    pub fn held(&self) -> usize {
        self.holder.permits()
    }

    /// Says whether the permits of this process are for the program that it becomes by execve(2), which otherwise gives them
    /// back when it opens this limit. False where the set has no word of this process: then nobody gives them back before
    /// the process ends.
    pub fn hand_on(&self, handed_on: bool) -> Result<bool> {
        self.set.hand_on(handed_on)
    }

    /// What is known about the limit.
    pub fn info(&self) -> Result<LimitInfo> {
        self.set.queue().before_reading();
        let info = self.set.info()?;
        Ok(LimitInfo { pending: self.set.queue().pending(), ..info })
    }

    /// Removes the limit; everybody who waits gets `EIDRM`. A second call does nothing.
    pub fn unlink(&self) -> Result<()> {
        if self.unlinked.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.identity().remove()?;
        self.unlinked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Which limit this is: to remove it after it was dropped too.
    #[must_use]
    pub fn identity(&self) -> LimitIdentity {
        let (set, name) = self.set.identity();
        LimitIdentity { set, name }
    }

    /// Gives back what the kernel would not when the process ends.
    pub fn before_exit(&self) {
        // Without permits, there is nothing to ask the kernel about.
        if self.held() > 0 && !kernel_undo().is_trusted() {
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

/// One limit, and none that takes its name after it.
#[derive(Clone, Debug)]
pub struct LimitIdentity {
    set: SetId,
    name: SetName,
}

impl LimitIdentity {
    /// [`Limit::unlink`]; it is no error when the limit was removed before.
    pub fn remove(&self) -> Result<()> {
        counter_set::remove(self.set, &self.name).map_err(|error| explained_by_id(error, self.set))
    }
}

impl LimitCreation {
    fn of_set(self) -> Result<counter_set::Creation> {
        if self.mode > 0o777 {
            return Err(Error::new(Code::OutOfRange, "a mode is 0 to 0o777"));
        }
        Ok(counter_set::Creation { initial: checked_permits(self.permits)?, mode: self.mode })
    }
}

fn checked_permits(permits: u32) -> Result<u16> {
    let checked = u16::try_from(permits).ok().filter(|permits| *permits <= PERMITS_MAX);
    checked.ok_or_else(|| Error::new(Code::OutOfRange, format!("permits are 0 to {PERMITS_MAX}")))
}
