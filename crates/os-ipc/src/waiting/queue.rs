//! The wait list of one source in this process: its lock, and the effects of the state machine.

mod driving;
mod effects;
mod release;
mod watching;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::executors::{Executors, PoolWork};
use super::grant::Holder;
use super::hub::Seat;
use super::mailbox::Mailbox;
use super::poll::Poll;
use super::source::{Counter, Locking, Request, Source, Token};
use super::state::{self, Driver, State, WaiterId};
use crate::error::Result;
use crate::sync::{AtomicU32, Mutex, MutexGuard, pause};
use crate::sys::clock;
use crate::sys::interrupt::Interrupt;

/// The state of a wait after its start.
#[must_use]
pub enum Wait {
    /// The source had what the wait asked for.
    Done,
    /// The wait is pending: its outcome comes to the mailbox, once the caller carried out the work.
    Pending(WaiterId, Work),
}

/// The work that a new wait leaves to its caller.
#[must_use]
pub enum Work {
    /// No work: a driver exists.
    Nothing,
    /// Work for a thread of libuv's pool.
    Pool(PoolWork),
    /// Work for the thread of the event loop, when it has nothing else to do.
    Poll(Poll),
}

/// A wait, as its caller describes it.
pub(crate) struct Waiter {
    pub(crate) request: Request,
    pub(crate) holder: Arc<Holder>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) executors: Executors,
}

/// The party that waits.
struct Party {
    holder: Arc<Holder>,
    mailbox: Arc<Mailbox>,
}

/// The waiters of this process for one source, and the driver that serves them.
pub(crate) struct Queue {
    source: Source,
    list: Mutex<List>,
    /// Counts the units that went back to the source because no waiter here wanted them.
    returned: AtomicU32,
    me: Weak<Queue>,
}

struct List {
    state: State<Party>,
    /// The interrupt of the driver that runs.
    interrupt: Option<Interrupt>,
    /// The place in the hub, while that serves the queue.
    seat: Option<Seat>,
}

impl List {
    /// The time when the first waiter asked.
    fn oldest(&self) -> Option<u64> {
        self.state.first().map(|first| first.party.holder.asked())
    }
}

/// The longest that a call waits for an interrupted driver: 1 s. With a free processor the driver comes within
/// microseconds; on a busy machine it has to wait for one.
const MOMENT: Duration = Duration::from_secs(1);

/// The longest that the end of a wait takes for the sake of an interrupted driver: 10 ms.
const BRIEFLY: Duration = Duration::from_millis(10);

impl Queue {
    /// The queue of a semaphore.
    pub(crate) fn of_units(counter: impl Counter + 'static) -> Arc<Self> {
        Self::new(Source::Units(Box::new(counter)))
    }

    /// The queue of a lock.
    pub(crate) fn of_lock(lock: impl Locking + 'static) -> Arc<Self> {
        Self::new(Source::Lock(Box::new(lock)))
    }

    fn new(source: Source) -> Arc<Self> {
        let state = State::new(source.counter().watched().is_some());
        Arc::new_cyclic(|me| Self {
            source,
            list: Mutex::new(List { state, interrupt: None, seat: None }),
            returned: AtomicU32::new(0),
            me: Weak::clone(me),
        })
    }

    pub(crate) fn counter(&self) -> &dyn Counter {
        self.source.counter()
    }

    /// The operations that only a lock has.
    pub(crate) fn locking(&self) -> Option<&dyn Locking> {
        self.source.locking()
    }

    /// Grants the request at once if the list is empty and the source has it, otherwise as the last waiter of the list.
    pub(crate) fn wait(&self, waiter: Waiter) -> Result<Wait> {
        if self.take_at_once(waiter.request, &waiter.holder)? { Ok(Wait::Done) } else { self.join(waiter) }
    }

    /// Grants the request if the source has it and this process has no waiters.
    pub(crate) fn take_at_once(&self, request: Request, holder: &Holder) -> Result<bool> {
        Ok(self.lock().state.is_empty() && keep(self.counter().try_before_wait(request)?, request, holder))
    }

    /// Waits as the last waiter of the list.
    pub(crate) fn join(&self, Waiter { request, holder, mailbox, executors }: Waiter) -> Result<Wait> {
        let id = next_id();
        let polls = mailbox.expect() && self.counter().may_be_polled();
        let mut list = self.lock();
        holder.asks(clock::microseconds());
        let waiter = state::Waiter { request, executors, party: Party { holder, mailbox } };
        let action = list.state.join(id, waiter, polls);
        self.source.listed(request, true, list.oldest());
        match self.start(&mut list, action) {
            Ok(work) => Ok(Wait::Pending(id, work)),
            Err(error) => {
                self.remove(&mut list, id);
                self.carry_out_end(&mut list);
                Err(error)
            }
        }
    }

    /// Grants the request if the source has it now, and overtakes the waiters.
    pub(crate) fn try_take(&self, request: Request, holder: &Holder) -> Result<bool> {
        let returned = self.returned.load(Ordering::Acquire);
        if self.take_now(request, holder)? {
            return Ok(true);
        }
        // An interrupted driver may have taken the unit a moment ago.
        let again = self.await_leaving_driver(MOMENT) || self.returned.load(Ordering::Acquire) != returned;
        Ok(again && self.take_now(request, holder)?)
    }

    /// Grants the request if the source has it now and this process has no waiters.
    pub(crate) fn try_take_in_turn(&self, request: Request, holder: &Holder) -> Result<bool> {
        if self.lock().state.is_empty() { self.try_take(request, holder) } else { Ok(false) }
    }

    fn take_now(&self, request: Request, holder: &Holder) -> Result<bool> {
        Ok(keep(self.counter().try_take(request)?, request, holder))
    }

    /// Waits for an interrupted driver, which may still take a unit and gives it back; true if there was such a driver.
    ///
    /// Without it, a unit posted right after the last wait was cancelled would be missing for a moment.
    pub(crate) fn await_leaving_driver(&self, patience: Duration) -> bool {
        let leaving = || {
            let list = self.lock();
            list.state.is_empty() && matches!(list.state.driver(), Driver::Running(_))
        };
        leaving() && {
            pause_while(leaving, patience);
            true
        }
    }

    /// Closes a lock that no request uses; false while a driver takes from it, be it in the kernel or on its way there.
    ///
    /// A driver that found the lock closed would open it again, and nobody would close it.
    pub(crate) fn close_unused(&self) -> bool {
        let list = self.lock();
        self.locking().is_none_or(|lock| lock.close_unused(list.state.driver() != Driver::None))
    }

    /// Waits until no driver serves an empty list, be the driver in the kernel or on its way there.
    pub(crate) fn await_no_driver(&self, patience: Duration) {
        let driven = || {
            let list = self.lock();
            list.state.is_empty() && list.state.driver() != Driver::None
        };
        pause_while(driven, patience);
    }

    /// Removes all waiters without an outcome, and interrupts the driver: the process ends.
    pub(crate) fn abandon(&self) {
        let abandoned = {
            let mut list = self.lock();
            let abandoned = list.state.fail();
            let action = list.state.settle();
            self.carry_out(&mut list, action);
            abandoned
        };
        drop(abandoned);
    }

    /// Ends a wait: nothing arrives for it any more. A unit that already arrived goes on to the next waiter.
    ///
    /// What this process or another one gives back from now on goes to those that wait for it: the driver has left the
    /// kernel, unless it had no processor for 10 ms.
    pub(crate) fn cancel(&self, id: WaiterId, mailbox: &Mailbox) {
        self.withdraw(id, mailbox);
        self.await_leaving_driver(BRIEFLY);
    }

    /// Ends every wait of one handle, as [`cancel`](Self::cancel) does.
    pub(crate) fn cancel_all(&self, holder: &Arc<Holder>, mailbox: &Mailbox) {
        self.withdraw_all(holder, mailbox);
        self.await_leaving_driver(BRIEFLY);
    }

    pub(super) fn withdraw(&self, id: WaiterId, mailbox: &Mailbox) {
        let (withdrawn, shrinking) = {
            let mut list = self.lock();
            let shrinking =
                self.remove(&mut list, id).and_then(|request| interrupted_shrinking(&list, request));
            (mailbox.withdraw(id), shrinking)
        };
        // Not under the lock: passing a unit on takes the lock.
        drop(withdrawn);
        shrinking.iter().for_each(await_answer);
    }

    pub(crate) fn withdraw_all(&self, holder: &Arc<Holder>, mailbox: &Mailbox) {
        let (withdrawn, shrinking) = {
            let mut list = self.lock();
            let ids = list.state.ids(|party| Arc::ptr_eq(&party.holder, holder));
            let removed: Vec<_> = ids.into_iter().filter_map(|id| self.remove(&mut list, id)).collect();
            let shrinking = removed.into_iter().find_map(|request| interrupted_shrinking(&list, request));
            (mailbox.withdraw_all(holder), shrinking)
        };
        drop(withdrawn);
        shrinking.iter().for_each(await_answer);
    }

    /// Sets whether a pool thread may serve the waits of one handle. A pool thread keeps the event loop alive.
    pub(crate) fn allow_pool(&self, holder: &Arc<Holder>, allowed: bool) {
        let mut list = self.lock();
        let action = list.state.allow_pool(|party| Arc::ptr_eq(&party.holder, holder), allowed);
        self.carry_out(&mut list, action);
    }

    /// The number of waiters of this process.
    pub(crate) fn pending(&self) -> usize {
        self.lock().state.len()
    }

    /// The caller is about to read the counter, which must not include units that an event loop or the hub is about to take.
    pub(crate) fn before_reading(&self) {
        let mut list = self.lock();
        match list.state.driver() {
            Driver::Polling => {
                self.take_for_all(&mut list);
            }
            Driver::Hub => self.look_for_all(&mut list),
            _ => {
                drop(list);
                self.await_leaving_driver(MOMENT);
            }
        }
    }

    /// The calling thread is about to block; it may be the thread that was to poll.
    pub(crate) fn before_blocking(&self) {
        let mut list = self.lock();
        let action = list.state.replace_poll();
        self.carry_out(&mut list, action);
    }

    /// Whether there are no waiters and no driver.
    #[cfg(all(loom, test))]
    pub(super) fn is_at_rest(&self) -> bool {
        let list = self.lock();
        list.state.is_empty() && list.state.driver() == Driver::None
    }

    fn strong(&self) -> Arc<Self> {
        self.me.upgrade().expect("the caller holds the queue")
    }

    /// The state is whole even after a panic of a thread here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes for the holder what was taken, if it has an owner; whether anything was.
fn keep(token: Option<Token>, request: Request, holder: &Holder) -> bool {
    let Some(token) = token else { return false };
    if request.is_owned() {
        holder.add(token);
    }
    true
}

/// The interrupt of a driver that may still lower the number of permits for a wait that was removed.
fn interrupted_shrinking(list: &List, removed: Request) -> Option<Interrupt> {
    let interrupt = list.interrupt.clone().filter(Interrupt::is_raised);
    interrupt.filter(|_| matches!(removed, Request::Shrink(_)))
}

/// Waits until an interrupted driver has come back.
fn await_answer(interrupt: &Interrupt) {
    pause_while(|| interrupt.is_raised(), MOMENT);
}

/// Waits while `condition` holds, at most as long as `patience`.
fn pause_while(condition: impl Fn() -> bool, patience: Duration) {
    const CHECK_EVERY: Duration = Duration::from_micros(20);
    let start = Instant::now();
    while condition() && start.elapsed() < patience {
        pause(CHECK_EVERY);
    }
}

/// Waiters are numbered over the whole process, so that a mailbox keeps the order across queues.
fn next_id() -> WaiterId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(all(test, not(loom)))]
#[path = "queue_tests.rs"]
mod tests;
