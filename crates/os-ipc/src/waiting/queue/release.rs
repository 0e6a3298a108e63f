//! The way of a unit or lock that its holder gives back.

use super::{List, Queue, await_answer};
use crate::error::OsCode;
use crate::waiting::source::{Request, Token};
use crate::waiting::state::Driver;

impl Queue {
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
        list.state.first().is_some_and(|first| first.request == request)
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
            await_answer(&interrupt);
            driver_came_back = true;
        }
    }
}
