//! The wait list of one source and its driver, as a state machine: events in, actions out.
//!
//! Nothing here locks, blocks or calls the system. `queue.rs` holds the lock and carries the actions out.

use std::collections::BTreeMap;

use super::executors::{Executor, Executors};
use super::source::Request;

/// The number of a pending wait; waits are served in the order of their numbers.
pub type WaiterId = u64;

/// A place in the wait list.
pub(super) struct Waiter<P> {
    pub(super) request: Request,
    pub(super) executors: Executors,
    /// The party that waits.
    pub(super) party: P,
}

/// The driver: it takes from the source for the waiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// No driver: the list is empty.
    None,
    /// A thread that was requested and has not begun.
    Starting(Executor),
    /// A thread that blocks in the kernel, or is on its way there or back.
    Running(Executor),
    /// The thread of an event loop, which polls when it has nothing else to do.
    Polling,
    /// The hub, which looks at the source whenever that may have changed, and never blocks for it.
    Hub,
}

/// The action of the queue after an event, under its lock.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// Interrupts the driver: it waits for something that no waiter wants, or in a thread where it must not block.
    Interrupt,
    /// Starts a driver of this generation on a thread of our own.
    StartThread(u64),
    /// Starts a driver of this generation: on libuv's pool if a place is free, otherwise on a thread of our own.
    StartAnywhere(u64),
    /// Lets the event loop poll, as this generation.
    StartPoll(u64),
    /// Gives the queue to the hub, as this generation.
    JoinHub(u64),
    /// Tells the source that there are no waiters and no driver.
    Rest,
}

/// The next step of a driver.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The driver takes this from the source, and blocks until it has it.
    Take(Request),
    /// The driver ends; the queue carries out the action.
    End(Action),
    /// The driver ends, and the event loop of the first waiter polls, as this generation.
    Poll(u64),
}

/// The facts outside the state that decide the next step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Whether threads of libuv's pool may block for us.
    pub(super) pool_is_open: bool,
    /// Whether the driver delivered something, and so woke the event loop of the first waiter, whose waits are short.
    pub(super) may_poll: bool,
}

pub(super) struct State<P> {
    waiters: BTreeMap<WaiterId, Waiter<P>>,
    /// The number of waiters that a pool thread may serve.
    for_pool: usize,
    /// The number of waiters that an event loop may poll for.
    for_event_loop: usize,
    driver: Driver,
    /// The number of the current driver: a driver that was replaced before it began finds another number here.
    generation: u64,
    /// The request that the driver takes now.
    taking: Option<Request>,
    /// Whether the hub serves the queue, and no thread blocks for it.
    watched: bool,
}

impl<P> State<P> {
    /// `watched` says whether the hub is to serve the queue, and no thread of its own.
    pub(super) fn new(watched: bool) -> Self {
        Self {
            waiters: BTreeMap::new(),
            for_pool: 0,
            for_event_loop: 0,
            driver: Driver::None,
            generation: 0,
            taking: None,
            watched,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn driver(&self) -> Driver {
        self.driver
    }

    pub(super) fn first(&self) -> Option<&Waiter<P>> {
        self.waiters.first_key_value().map(|(_, waiter)| waiter)
    }

    pub(super) fn is_driven_by(&self, generation: u64) -> bool {
        self.generation == generation && self.driver != Driver::None
    }

    /// Whether an event loop may poll for all of the waiters.
    pub(super) fn may_all_be_polled(&self) -> bool {
        !self.is_empty() && self.for_event_loop == self.len()
    }

    /// The waiters whose party `which` selects.
    pub(super) fn ids(&self, which: impl Fn(&P) -> bool) -> Vec<WaiterId> {
        self.waiters.iter().filter(|(_, waiter)| which(&waiter.party)).map(|(id, _)| *id).collect()
    }

    /// A waiter joins at the end of the list. `polls` says whether its event loop expects a short wait.
    pub(super) fn join(&mut self, id: WaiterId, waiter: Waiter<P>, polls: bool) -> Action {
        let executors = waiter.executors;
        self.for_pool += usize::from(executors.pool);
        self.for_event_loop += usize::from(executors.event_loop);
        self.waiters.insert(id, waiter);
        match self.driver {
            Driver::None if polls && executors.event_loop => {
                self.replace(Driver::Polling);
                Action::StartPoll(self.generation)
            }
            Driver::None if self.watched => self.start_driver(),
            Driver::None => {
                self.replace(Driver::Starting(Executor::Thread));
                Action::StartAnywhere(self.generation)
            }
            // A planned poll can come late: its event loop may be busy.
            Driver::Polling if !executors.event_loop => self.start_driver(),
            _ => self.settle(),
        }
    }

    /// A waiter leaves the list, if it is still there.
    pub(super) fn leave(&mut self, id: WaiterId) -> (Option<Waiter<P>>, Action) {
        let left = self.waiters.remove(&id);
        match &left {
            None => (None, Action::Nothing),
            Some(waiter) => {
                self.uncount(waiter.executors);
                (left, self.settle())
            }
        }
    }

    /// Removes the first waiter, if its request is like the one that was taken for.
    pub(super) fn grant(&mut self, taken: Request) -> Option<(WaiterId, Waiter<P>)> {
        self.first().filter(|waiter| waiter.request == taken)?;
        let (id, waiter) = self.waiters.pop_first()?;
        self.uncount(waiter.executors);
        Some((id, waiter))
    }

    /// Removes every waiter: the source failed.
    pub(super) fn fail(&mut self) -> BTreeMap<WaiterId, Waiter<P>> {
        (self.for_pool, self.for_event_loop) = (0, 0);
        std::mem::take(&mut self.waiters)
    }

    /// Sets whether a pool thread may serve the waiters whose party `which` selects.
    pub(super) fn allow_pool(&mut self, which: impl Fn(&P) -> bool, allowed: bool) -> Action {
        for waiter in self.waiters.values_mut().filter(|waiter| which(&waiter.party)) {
            waiter.executors.pool = allowed;
        }
        self.for_pool = self.waiters.values().filter(|waiter| waiter.executors.pool).count();
        self.settle()
    }

    /// The driver that was to start anywhere now has a place on this executor.
    pub(super) fn placed(&mut self, executor: Executor) {
        self.driver = Driver::Starting(executor);
    }

    /// Whether any waiter lets a pool thread serve it.
    pub(super) fn wants_pool(&self) -> bool {
        self.for_pool > 0
    }

    /// A driver asks for its next step.
    pub(super) fn next(&mut self, generation: u64, executor: Executor, now: Circumstances) -> Next {
        if self.generation != generation {
            return Next::End(Action::Nothing);
        }
        let Some(request) = self.first().map(|waiter| waiter.request) else {
            return Next::End(self.end());
        };
        // Only the driver that just woke this event loop leaves its place to it: that loop is about to poll.
        if now.may_poll && self.may_all_be_polled() {
            self.replace(Driver::Polling);
            return Next::Poll(self.generation);
        }
        if executor == Executor::Pool && (self.for_pool == 0 || !now.pool_is_open) {
            return Next::End(self.start_driver());
        }
        self.driver = Driver::Running(executor);
        self.taking = Some(request);
        Next::Take(request)
    }

    /// The list is empty, and the driver ends.
    pub(super) fn end(&mut self) -> Action {
        self.driver = Driver::None;
        self.taking = None;
        Action::Rest
    }

    /// A driver of this generation ended before its time: it was dropped before it ran, or it panicked.
    pub(super) fn driver_lost(&mut self, generation: u64) -> Action {
        if !self.is_driven_by(generation) {
            Action::Nothing
        } else if self.is_empty() {
            self.end()
        } else {
            self.start_driver()
        }
    }

    /// The calling thread is about to block; it may be the thread that was to poll.
    pub(super) fn replace_poll(&mut self) -> Action {
        if self.driver == Driver::Polling { self.start_driver() } else { Action::Nothing }
    }

    /// The program is about to exit: no thread of libuv's pool may block for us any more.
    pub(super) fn leave_pool(&mut self) -> Action {
        if self.driver == Driver::Running(Executor::Pool) {
            Action::Interrupt
        } else {
            self.leave_pool_queue()
        }
    }

    /// The driver waited too long for a free thread of libuv's pool.
    pub(super) fn leave_pool_queue(&mut self) -> Action {
        if self.driver == Driver::Starting(Executor::Pool) { self.start_driver() } else { Action::Nothing }
    }

    /// The thread that [`leave_pool_queue`](Self::leave_pool_queue) asked for could not start: the driver waits on.
    pub(super) fn stay_in_pool_queue(&mut self) {
        self.driver = Driver::Starting(Executor::Pool);
        self.generation -= 1;
    }

    /// The action for the driver after a change of the list.
    pub(super) fn settle(&mut self) -> Action {
        let (idle, no_pool) = (self.is_empty(), self.for_pool == 0);
        match self.driver {
            // The hub is not inside the source now: it looks under the lock of the queue.
            Driver::Hub if idle => self.end(),
            Driver::Running(_) if self.takes_another_request() => Action::Interrupt,
            Driver::Running(Executor::Thread) if idle => Action::Interrupt,
            Driver::Running(Executor::Pool) if idle || no_pool => Action::Interrupt,
            // An interrupt cannot reach a driver that has not begun, and libuv may start it late.
            Driver::Starting(Executor::Pool) if !idle && no_pool => self.start_driver(),
            _ => Action::Nothing,
        }
    }

    /// Whether the driver takes for another request than that of the first waiter.
    fn takes_another_request(&self) -> bool {
        let first = self.first().map(|waiter| waiter.request);
        matches!((self.taking, first), (Some(taken), Some(request)) if request != taken)
    }

    /// Starts the driver that may block as long as it takes.
    fn start_driver(&mut self) -> Action {
        if self.watched {
            self.replace(Driver::Hub);
            return Action::JoinHub(self.generation);
        }
        self.replace(Driver::Starting(Executor::Thread));
        Action::StartThread(self.generation)
    }

    fn replace(&mut self, driver: Driver) {
        self.generation += 1;
        self.driver = driver;
        self.taking = None;
    }

    fn uncount(&mut self, executors: Executors) {
        self.for_pool -= usize::from(executors.pool);
        self.for_event_loop -= usize::from(executors.event_loop);
    }
}

#[cfg(all(test, not(loom)))]
#[path = "state_tests.rs"]
mod tests;
