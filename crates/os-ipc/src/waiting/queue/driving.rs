//! The calls of drivers: they take from the source for the waiters.

use std::sync::Arc;

use super::{List, Queue};
use crate::sys::interrupt::Interrupt;
use crate::waiting::executors::{self, Executor};
use crate::waiting::poll::Poll;
use crate::waiting::state::{Action, Circumstances, Next};

/// The most grants of one poll. The bound lets JavaScript run between two batches.
const GRANTS_PER_POLL: usize = 64;

/// The end of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Batch {
    /// No waiter remains.
    Served,
    /// The source has nothing for the first waiter now.
    Empty,
    /// The batch is full: the source may have more.
    Full,
}

impl Queue {
    /// Takes for the waiters until the list is empty, or until another driver replaces this one.
    ///
    /// This is the one function that blocks, on either executor.
    pub(in crate::waiting) fn drive(&self, generation: u64, executor: Executor) {
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
    pub(in crate::waiting) fn poll(&self, generation: u64) -> bool {
        let mut list = self.lock();
        list.state.is_driven_by(generation) && self.take_for_all(&mut list) != Batch::Served
    }

    /// Takes one batch for the waiters.
    pub(super) fn take_for_all(&self, list: &mut List) -> Batch {
        for _ in 0..GRANTS_PER_POLL {
            let Some(request) = list.state.first().map(|first| first.request) else { break };
            match self.source.attempt(request) {
                Ok(Some(token)) => self.hand_on(list, request, token),
                Ok(None) => return Batch::Empty,
                Err(error) => self.fail(list, &error),
            }
        }
        self.carry_out_end(list);
        if list.state.is_empty() { Batch::Served } else { Batch::Full }
    }

    /// A driver of this generation was dropped before it ran, or it panicked.
    pub(in crate::waiting) fn driver_lost(&self, generation: u64) {
        let mut list = self.lock();
        let action = list.state.driver_lost(generation);
        self.carry_out(&mut list, action);
    }

    /// Moves the driver from libuv's pool to a thread of our own. True while a pool thread still drives.
    pub(in crate::waiting) fn leave_pool(&self) -> bool {
        let mut list = self.lock();
        let action = list.state.leave_pool();
        self.carry_out(&mut list, action);
        action == Action::Interrupt
    }

    /// Moves a driver that waits for a free thread of libuv's pool to a thread of our own.
    pub(in crate::waiting) fn leave_pool_queue(&self) {
        let mut list = self.lock();
        let action = list.state.leave_pool_queue();
        if self.start(&mut list, action).is_err() {
            // If no thread can start, the driver waits for the pool's thread.
            list.state.stay_in_pool_queue();
        }
    }
}
