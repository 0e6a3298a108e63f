//! The wait list of one source in this process: its lock, and what the state machine has it do.

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

/// What became of a wait at its start.
#[must_use]
pub enum Wait {
    /// What it asked for was there.
    Done,
    /// The outcome comes to the mailbox, once the caller has seen to the work.
    Pending(WaiterId, Work),
}

/// What is left to do for a wait that was started.
#[must_use]
pub enum Work {
    /// Nothing: a driver is there.
    Nothing,
    /// To be run on libuv's pool.
    Pool(PoolWork),
    /// For the event loop's thread, when it has nothing else to do.
    Poll(Poll),
}

/// A wait, as its caller describes it.
pub(crate) struct Waiter {
    pub(crate) request: Request,
    pub(crate) holder: Arc<Holder>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) executors: Executors,
}

/// Who waits.
struct Party {
    holder: Arc<Holder>,
    mailbox: Arc<Mailbox>,
}

/// The waiters of this process for one source, and the driver that serves them.
pub(crate) struct Queue {
    source: Source,
    list: Mutex<List>,
    /// Counts what went back to the source because nobody here wanted it.
    returned: AtomicU32,
    me: Weak<Queue>,
}

#[derive(Default)]
struct List {
    state: State<Party>,
    /// Of the driver that runs.
    interrupt: Option<Interrupt>,
}

impl List {
    /// When the first waiter asked.
    fn oldest(&self) -> Option<u64> {
        self.state.first().map(|first| first.party.holder.asked())
    }
}

/// The most grants of one poll: then JavaScript gets to run.
const GRANTS_PER_POLL: usize = 64;

/// The longest that a call is held up by a driver that was called away. It comes within microseconds where a processor is free.
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

    /// What only a lock has.
    pub(crate) fn locking(&self) -> Option<&dyn Locking> {
        self.source.locking()
    }

    // --- What callers do

    /// Takes what is asked for, at once if nobody waits and it is there, else as the last in the list.
    pub(crate) fn wait(&self, waiter: Waiter) -> Result<Wait> {
        if self.take_at_once(waiter.request, &waiter.holder)? { Ok(Wait::Done) } else { self.join(waiter) }
    }

    /// Takes what is asked for if nobody of this process waits and it is there.
    pub(crate) fn take_at_once(&self, request: Request, holder: &Holder) -> Result<bool> {
        Ok(self.lock().state.is_empty() && self.take_now(request, holder)?)
    }

    /// Waits as the last in the list.
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

    /// Takes what is asked for if it is there now, past those who wait.
    pub(crate) fn try_take(&self, request: Request, holder: &Holder) -> Result<bool> {
        let returned = self.returned.load(Ordering::Acquire);
        if self.take_now(request, holder)? {
            return Ok(true);
        }
        // A driver that was called away may have had it just then.
        let again = self.await_leaving_driver(MOMENT) || self.returned.load(Ordering::Acquire) != returned;
        Ok(again && self.take_now(request, holder)?)
    }

    /// Takes what is asked for if it is there now and nobody in this process waits.
    pub(crate) fn try_take_in_turn(&self, request: Request, holder: &Holder) -> Result<bool> {
        if self.lock().state.is_empty() { self.try_take(request, holder) } else { Ok(false) }
    }

    fn take_now(&self, request: Request, holder: &Holder) -> Result<bool> {
        let Some(token) = self.counter().try_take(request)? else { return Ok(false) };
        if request.is_owned() {
            holder.add(token);
        }
        Ok(true)
    }

    /// Waits for a driver that was called away and may still win something, which it gives back; true if one was there.
    ///
    /// Without it, a unit posted right after the last wait was cancelled would not be there for a moment.
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

    /// Waits until no driver is there for those who gave up, be it in the kernel or on its way there.
    pub(crate) fn await_no_driver(&self, patience: Duration) {
        let driven = || {
            let list = self.lock();
            list.state.is_empty() && list.state.driver() != Driver::None
        };
        pause_while(driven, patience);
    }

    /// Forgets all who wait, and calls the driver away: the process ends, and nobody is there to be told.
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

    /// Ends a wait: nothing arrives for it any more. A unit that is already there goes on to the next waiter.
    pub(crate) fn cancel(&self, id: WaiterId, mailbox: &Mailbox) {
        let withdrawn = {
            let mut list = self.lock();
            self.remove(&mut list, id);
            mailbox.withdraw(id)
        };
        // Not under the lock: a unit that goes on takes it.
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

    /// Says whether a pool thread may serve the waits of one handle: it keeps the event loop alive.
    pub(crate) fn allow_pool(&self, holder: &Arc<Holder>, allowed: bool) {
        let mut list = self.lock();
        let action = list.state.allow_pool(|party| Arc::ptr_eq(&party.holder, holder), allowed);
        self.carry_out(&mut list, action);
    }

    /// How many wait here, in this process.
    pub(crate) fn pending(&self) -> usize {
        self.lock().state.len()
    }

    /// The caller is about to read the counter, and must not see what an event loop is going to take for its waiters.
    pub(crate) fn before_reading(&self) {
        let mut list = self.lock();
        if list.state.driver() == Driver::Polling {
            self.take_for_all(&mut list);
        } else {
            drop(list);
            self.await_leaving_driver(MOMENT);
        }
    }

    /// The calling thread is about to block, and may be the one that was to poll.
    pub(crate) fn before_blocking(&self) {
        let mut list = self.lock();
        let action = list.state.replace_poll();
        self.carry_out(&mut list, action);
    }

    /// Whether nobody waits and nobody drives.
    #[cfg(all(loom, test))]
    pub(super) fn is_at_rest(&self) -> bool {
        let list = self.lock();
        list.state.is_empty() && list.state.driver() == Driver::None
    }

    /// Gives back what a holder has.
    ///
    /// It goes straight to the first waiter of this process where no other process waits in the kernel, else it goes the
    /// kernel's way. Either way, what the waiters of this process can have now is in their mailboxes when this returns,
    /// for a lock always, and for a permit where it went straight.
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

    /// Whether the first waiter asks for what is given back, and only our own driver waits for it in the kernel.
    ///
    /// A driver that is on its way into the kernel is not counted there: one other process may be overtaken then.
    fn may_hand_over(&self, list: &List, request: Request) -> bool {
        let ours = u32::from(matches!(list.state.driver(), Driver::Running(_)));
        list.state.first().is_some_and(|first| first.request == request)
            && self.counter().kernel_waiters(request).is_some_and(|waiters| waiters <= ours)
    }

    /// Delivers what went back to the kernel a moment ago, as far as the waiters of this process can have it now.
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
            // The kernel may have given it to the driver, which is on its way back.
            let Driver::Running(_) = list.state.driver() else { return };
            let Some(interrupt) = list.interrupt.clone() else { return };
            interrupt.raise();
            drop(list);
            pause_while(|| interrupt.is_raised(), MOMENT);
            driver_came_back = true;
        }
    }

    // --- What drivers do

    /// Takes for the waiters until there are none, or until another driver replaces this one.
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
                    // Refused or without a waiter, it is dropped, and another driver starts.
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

    /// Takes for the waiters what is there; false when there are none, or another driver serves them.
    pub(super) fn poll(&self, generation: u64) -> bool {
        let mut list = self.lock();
        list.state.is_driven_by(generation) && self.take_for_all(&mut list)
    }

    /// What one poll does; true if somebody still waits.
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

    /// Moves the driver from libuv's pool to a thread of our own. True while a pool thread is still at it.
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
            // Where no thread can be had, the pool's own comes later.
            list.state.stay_in_pool_queue();
        }
    }

    // --- Effects

    /// Gives what this process took to the next waiter, or back to the source.
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
        // A removed set has nothing to give back to. At 32,767 another process filled the counter, and the kernel
        // keeps the unit as an undo of this process.
        let _ = self.counter().give_back(request, token);
        self.returned.fetch_add(1, Ordering::Release);
    }

    fn fail(&self, list: &mut List, error: &Error) {
        for (id, waiter) in list.state.fail() {
            self.source.listed(waiter.request, false, None);
            // A mailbox that is closed has nobody to tell.
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

    /// Carries out what an event asks for; where no thread can be had, the waiters learn of it.
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
                    // Dropped under the lock, either would come back for it.
                    Ok(_) => unreachable!("only a wait that begins has work for its caller"),
                    Err(error) => {
                        self.fail(list, &error);
                        self.carry_out_end(list);
                    }
                }
            }
        }
    }

    /// Ends the driver if nobody waits.
    fn carry_out_end(&self, list: &mut List) {
        if list.state.is_empty() {
            let action = list.state.end();
            self.carry_out(list, action);
        }
    }

    /// Starts the driver that an event asks for; every other action is carried out.
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

    /// A thread that panicked left nothing half-done here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits while `condition` holds, for as long as `patience` allows.
fn pause_while(condition: impl Fn() -> bool, patience: Duration) {
    const CHECK_EVERY: Duration = Duration::from_micros(20);
    let start = Instant::now();
    while condition() && start.elapsed() < patience {
        pause(CHECK_EVERY);
    }
}

/// Waiters are numbered over the whole process, so that a mailbox keeps the order of several queues.
fn next_id() -> WaiterId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(all(test, not(loom)))]
#[path = "queue_tests.rs"]
mod tests;
