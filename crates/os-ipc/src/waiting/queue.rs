//! The wait list of one source in this process: its lock, and the effects of the state machine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::executors::{self, Executor, Executors, PoolWork, Tenure};
use super::grant::{Grant, Holder};
use super::mailbox::{Delivery, Mailbox};
use super::poll::Poll;
use super::source::{Counter, Locking, Request, Source, Token};
use super::state::{self, Action, Circumstances, Driver, Next, State, WaiterId};
use crate::error::{Error, OsCode, Result};
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

#[derive(Default)]
struct List {
    state: State<Party>,
    /// The interrupt of the driver that runs.
    interrupt: Option<Interrupt>,
}

impl List {
    /// The time when the first waiter asked.
    fn oldest(&self) -> Option<u64> {
        self.state.first().map(|first| first.party.holder.asked())
    }
}

/// The most grants of one poll. The bound lets JavaScript run between two batches.
const GRANTS_PER_POLL: usize = 64;

/// The longest that a call waits for an interrupted driver: 20 ms. With a free processor the driver comes within
/// microseconds.
const MOMENT: Duration = Duration::from_millis(20);

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
        Arc::new_cyclic(|me| Self {
            source,
            list: Mutex::default(),
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

    // --- For callers

    /// Grants the request at once if the list is empty and the source has it, otherwise as the last waiter of the list.
    pub(crate) fn wait(&self, waiter: Waiter) -> Result<Wait> {
        if self.take_at_once(waiter.request, &waiter.holder)? { Ok(Wait::Done) } else { self.join(waiter) }
    }

    /// Grants the request if the source has it and this process has no waiters.
    pub(crate) fn take_at_once(&self, request: Request, holder: &Holder) -> Result<bool> {
        Ok(self.lock().state.is_empty() && self.take_now(request, holder)?)
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
        let Some(token) = self.counter().try_take(request)? else { return Ok(false) };
        if request != Request::Unit {
            holder.add(token);
        }
        Ok(true)
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
    pub(crate) fn cancel(&self, id: WaiterId, mailbox: &Mailbox) {
        let withdrawn = {
            let mut list = self.lock();
            self.remove(&mut list, id);
            mailbox.withdraw(id)
        };
        // Not under the lock: passing a unit on takes the lock.
        drop(withdrawn);
    }

    /// Ends every wait of one handle, as [`cancel`](Self::cancel) does.
    pub(crate) fn cancel_all(&self, holder: &Arc<Holder>, mailbox: &Mailbox) {
        let withdrawn = {
            let mut list = self.lock();
            for id in list.state.ids(|party| Arc::ptr_eq(&party.holder, holder)) {
                self.remove(&mut list, id);
            }
            mailbox.withdraw_all(holder)
        };
        drop(withdrawn);
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

    /// The caller is about to read the counter, which must not include units that an event loop is about to take.
    pub(crate) fn before_reading(&self) {
        let mut list = self.lock();
        if list.state.driver() == Driver::Polling {
            self.take_for_all(&mut list);
        } else {
            drop(list);
            self.await_leaving_driver(MOMENT);
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

    /// Gives back a holder's unit or lock.
    ///
    /// It goes straight to the first waiter of this process if no other process waits in the kernel,
    /// otherwise to the kernel. When the call returns, the mailboxes have every grant that is possible now for this
    /// process: always for a lock, and for a permit that went straight.
    pub(crate) fn release(&self, request: Request, token: Token) -> std::result::Result<(), OsCode> {
        let mut list = self.lock();
        if self.may_hand_over(&list, request) {
            self.hand_on(&mut list, request, token);
            let action = list.state.settle();
            self.carry_out(&mut list, action);
            return Ok(());
        }
        drop(list);
        self.counter().give_back(request, token)?;
        if self.locking().is_some() {
            self.await_grants();
        }
        Ok(())
    }

    /// Whether the first waiter asks for the same, and only our driver waits for it in the kernel.
    ///
    /// A driver on its way into the kernel is not counted there yet: one other process may be overtaken then.
    fn may_hand_over(&self, list: &List, request: Request) -> bool {
        let ours = u32::from(matches!(list.state.driver(), Driver::Running(_)));
        list.state.first().is_some_and(|first| first.request.is_like(request))
            && self.counter().kernel_waiters(request).is_some_and(|waiters| waiters <= ours)
    }

    /// Delivers the lock that just went back to the kernel, as far as the waiters of this process can have it now.
    fn await_grants(&self) {
        let mut driver_came_back = false;
        loop {
            let mut list = self.lock();
            let Some(request) = list.state.first().map(|first| first.request) else { return };
            match self.counter().try_take(request) {
                Ok(Some(token)) => {
                    self.hand_on(&mut list, request, token);
                    let action = list.state.settle();
                    self.carry_out(&mut list, action);
                    continue;
                }
                Ok(None) if !driver_came_back => {}
                // The driver meets the same error, and tells the waiters.
                _ => return,
            }
            // The kernel may have given the unit to the driver, which is on its way back.
            let Driver::Running(_) = list.state.driver() else { return };
            let Some(interrupt) = list.interrupt.clone() else { return };
            interrupt.raise();
            drop(list);
            pause_while(|| interrupt.is_raised(), MOMENT);
            driver_came_back = true;
        }
    }

    // --- For drivers

    /// Takes for the waiters until the list is empty, or until another driver replaces this one.
    ///
    /// This is the one function that blocks, on either executor.
    pub(super) fn drive(&self, generation: u64, executor: Executor) {
        let interrupt = Interrupt::of_this_thread();
        let mut delivered = false;
        loop {
            match self.next(generation, executor, &interrupt, delivered) {
                Next::Take(request) => match self.counter().take(request, &interrupt) {
                    Ok(Some(token)) => {
                        self.hand_on(&mut self.lock(), request, token);
                        delivered = true;
                    }
                    Ok(None) => {}
                    Err(error) => self.fail(&mut self.lock(), &error),
                },
                Next::End(_) => return,
                Next::Poll(generation) => {
                    let poll = Poll::new(self.strong(), generation);
                    let mailbox = self.lock().state.first().map(|first| Arc::clone(&first.party.mailbox));
                    // A poll that is refused or has no waiter is dropped here, and another driver starts.
                    return drop(mailbox.map(|mailbox| mailbox.plan(poll)));
                }
            }
        }
    }

    fn next(&self, generation: u64, executor: Executor, interrupt: &Interrupt, delivered: bool) -> Next {
        let mut list = self.lock();
        interrupt.clear();
        let quick = |list: &List| list.state.first().is_some_and(|first| first.party.mailbox.is_quick());
        let now = Circumstances {
            pool_is_open: executors::pool_is_open(),
            may_poll: delivered && self.counter().may_be_polled() && quick(&list),
        };
        let next = list.state.next(generation, executor, now);
        match next {
            Next::Take(_) => list.interrupt = Some(interrupt.clone()),
            Next::End(action) => self.carry_out(&mut list, action),
            Next::Poll(_) => {}
        }
        next
    }

    /// Takes for the waiters as much as the source has; false if the list is empty or another driver serves it.
    pub(super) fn poll(&self, generation: u64) -> bool {
        let mut list = self.lock();
        list.state.is_driven_by(generation) && self.take_for_all(&mut list)
    }

    /// Takes one batch for the waiters; true if waiters remain.
    fn take_for_all(&self, list: &mut List) -> bool {
        for _ in 0..GRANTS_PER_POLL {
            let Some(request) = list.state.first().map(|first| first.request) else { break };
            match self.counter().try_take(request) {
                Ok(Some(token)) => self.hand_on(list, request, token),
                Ok(None) => return true,
                Err(error) => self.fail(list, &error),
            }
        }
        self.carry_out_end(list);
        !list.state.is_empty()
    }

    /// A driver of this generation was dropped before it ran, or it panicked.
    pub(super) fn driver_lost(&self, generation: u64) {
        let mut list = self.lock();
        let action = list.state.driver_lost(generation);
        self.carry_out(&mut list, action);
    }

    /// Moves the driver from libuv's pool to a thread of our own. True while a pool thread still drives.
    pub(super) fn leave_pool(&self) -> bool {
        let mut list = self.lock();
        let action = list.state.leave_pool();
        self.carry_out(&mut list, action);
        action == Action::Interrupt
    }

    /// Moves a driver that waits for a free thread of libuv's pool to a thread of our own.
    pub(super) fn leave_pool_queue(&self) {
        let mut list = self.lock();
        let action = list.state.leave_pool_queue();
        if self.start(&mut list, action).is_err() {
            // If no thread can start, the driver waits for the pool's thread.
            list.state.stay_in_pool_queue();
        }
    }

    // --- Effects

    /// Gives a unit or lock of this process to the next waiter, or back to the source.
    pub(super) fn pass_on(&self, request: Request, token: Token) {
        let mut list = self.lock();
        self.hand_on(&mut list, request, token);
        let action = list.state.settle();
        self.carry_out(&mut list, action);
    }

    fn hand_on(&self, list: &mut List, request: Request, token: Token) {
        while let Some((id, waiter)) = list.state.grant(request) {
            self.source.listed(waiter.request, false, list.oldest());
            let Party { holder, mailbox } = waiter.party;
            let grant = Grant::new(self.strong(), holder, waiter.request, token);
            match mailbox.deliver(id, Delivery::Granted(grant)) {
                Err(Delivery::Granted(refused)) => refused.disarm(),
                _ => return,
            }
        }
        // A set that was removed takes nothing back. If another process filled the counter to 32,767, the kernel keeps
        // the unit as an undo of this process.
        let _ = self.counter().give_back(request, token);
        self.returned.fetch_add(1, Ordering::Release);
    }

    fn fail(&self, list: &mut List, error: &Error) {
        for (id, waiter) in list.state.fail() {
            self.source.listed(waiter.request, false, None);
            // A closed mailbox has no party to tell.
            let _ = waiter.party.mailbox.deliver(id, Delivery::Failed(error.clone()));
        }
    }

    fn remove(&self, list: &mut List, id: WaiterId) {
        let (left, action) = list.state.leave(id);
        if let Some(waiter) = left {
            self.source.listed(waiter.request, false, list.oldest());
        }
        self.carry_out(list, action);
    }

    /// Carries out the action of an event; if no thread can start, the waiters get the error.
    fn carry_out(&self, list: &mut List, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Interrupt => list.interrupt.iter().for_each(Interrupt::raise),
            Action::Rest => {
                list.interrupt = None;
                self.source.rest();
            }
            Action::StartThread(_) | Action::StartAnywhere(_) | Action::StartPoll(_) => {
                match self.start(list, action) {
                    Ok(Work::Nothing) => {}
                    // Dropped under the lock, this work would take the lock again.
                    Ok(_) => unreachable!("only a wait that begins has work for its caller"),
                    Err(error) => {
                        self.fail(list, &error);
                        self.carry_out_end(list);
                    }
                }
            }
        }
    }

    /// Ends the driver if the list is empty.
    fn carry_out_end(&self, list: &mut List) {
        if list.state.is_empty() {
            let action = list.state.end();
            self.carry_out(list, action);
        }
    }

    /// Starts the driver that an action asks for; carries out every other action.
    fn start(&self, list: &mut List, action: Action) -> Result<Work> {
        let generation = match action {
            Action::StartPoll(generation) => return Ok(Work::Poll(Poll::new(self.strong(), generation))),
            Action::StartAnywhere(generation) | Action::StartThread(generation) => generation,
            _ => {
                self.carry_out(list, action);
                return Ok(Work::Nothing);
            }
        };
        Interrupt::install()?;
        if matches!(action, Action::StartAnywhere(_))
            && list.state.wants_pool()
            && let Some(work) = PoolWork::reserve(&self.strong(), generation)
        {
            list.state.placed(Executor::Pool);
            return Ok(Work::Pool(work));
        }
        Tenure::start_on_thread(self.strong(), generation)?;
        Ok(Work::Nothing)
    }

    fn strong(&self) -> Arc<Self> {
        self.me.upgrade().expect("the caller holds the queue")
    }

    /// The state is whole even after a panic of a thread here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
