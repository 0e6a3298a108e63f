//! The effects of the state machine's actions, under the queue's lock.

use std::sync::atomic::Ordering;

use super::{List, Party, Queue, Work};
use crate::error::{Error, Result};
use crate::sys::interrupt::Interrupt;
use crate::waiting::executors::{Executor, PoolWork, Tenure};
use crate::waiting::grant::Grant;
use crate::waiting::mailbox::Delivery;
use crate::waiting::poll::Poll;
use crate::waiting::source::{Request, Token};
use crate::waiting::state::{Action, WaiterId};

impl Queue {
    /// Gives a unit or lock of this process to the next waiter, or back to the source.
    pub(in crate::waiting) fn pass_on(&self, request: Request, token: Token) {
        let mut list = self.lock();
        self.hand_on(&mut list, request, token);
        let action = list.state.settle();
        self.carry_out(&mut list, action);
    }

    pub(super) fn hand_on(&self, list: &mut List, request: Request, token: Token) {
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

    pub(super) fn fail(&self, list: &mut List, error: &Error) {
        for (id, waiter) in list.state.fail() {
            self.source.listed(waiter.request, false, None);
            // A closed mailbox has no party to tell.
            let _ = waiter.party.mailbox.deliver(id, Delivery::Failed(error.clone()));
        }
    }

    /// Removes a waiter, if it is still there; returns its request.
    pub(super) fn remove(&self, list: &mut List, id: WaiterId) -> Option<Request> {
        let (left, action) = list.state.leave(id);
        let request = left.map(|waiter| waiter.request);
        if let Some(request) = request {
            self.source.listed(request, false, list.oldest());
        }
        self.carry_out(list, action);
        request
    }

    /// Carries out the action of an event; if no thread can start, the waiters get the error.
    pub(super) fn carry_out(&self, list: &mut List, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Interrupt => list.interrupt.iter().for_each(Interrupt::raise),
            Action::Rest => {
                list.interrupt = None;
                list.seat = None;
                self.source.rest();
            }
            Action::StartThread(_) | Action::StartAnywhere(_) | Action::StartPoll(_) | Action::JoinHub(_) => {
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
    pub(super) fn carry_out_end(&self, list: &mut List) {
        if list.state.is_empty() {
            let action = list.state.end();
            self.carry_out(list, action);
        }
    }

    /// Starts the driver that an action asks for; carries out every other action.
    pub(super) fn start(&self, list: &mut List, action: Action) -> Result<Work> {
        let generation = match action {
            Action::StartPoll(generation) => return Ok(Work::Poll(Poll::new(self.strong(), generation))),
            Action::StartAnywhere(generation) | Action::StartThread(generation) => generation,
            Action::JoinHub(generation) => {
                self.join_hub(list, generation)?;
                return Ok(Work::Nothing);
            }
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
}
