//! The counter of a set, and the one queue of this process for it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::failure;
use crate::error::{Error, OsCode, Result};
use crate::semaphore::SemaphoreId;
use crate::sys::interrupt::Interrupt;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::{Counter, Queue, Request, Token};

/// Semaphore 0 of a set.
struct SetCounter {
    set: SetId,
    id: SemaphoreId,
}

/// A unit that comes back when the process dies.
pub(super) const OWNED: Token = Token(0);
/// A unit that was taken without undo.
const LOOSE: Token = Token(1);

impl SetCounter {
    /// Gives a unit back one way and takes it the other way, in one operation that leaves the counter as it is.
    fn move_unit(&self, from: Undo, to: Undo) -> std::result::Result<(), OsCode> {
        let up = || Operation::add(0, 1, from);
        let down = || Operation::add(0, -1, to);
        loop {
            // Adding first would pass the limit if the counter is 32,767; subtracting first would pass 0 if it is 0.
            match sys::operate(self.set, &mut [up(), down()]) {
                Err(OsCode::ERANGE) => {}
                done => return done,
            }
            match sys::operate(self.set, &mut [down(), up()]) {
                Err(OsCode::EAGAIN) => {}
                done => return done,
            }
        }
    }
}

impl Counter for SetCounter {
    /// The caller has the unit at once: there is no moment in which the unit could get lost without undo.
    fn try_take(&self, hold: Request) -> Result<Option<Token>> {
        let (undo, origin) = if hold == Request::Unit { (Undo::No, LOOSE) } else { (Undo::Yes, OWNED) };
        match sys::try_take(self.set, undo) {
            Ok(()) => Ok(Some(origin)),
            Err(OsCode::EAGAIN) => Ok(None),
            Err(errno) => Err(self.failure("take a unit from", errno)),
        }
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        match sys::take(self.set, Undo::Yes) {
            Ok(()) => Ok(Some(OWNED)),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, _: Request, origin: Token) -> std::result::Result<(), OsCode> {
        sys::give(self.set, 1, if origin == LOOSE { Undo::No } else { Undo::Yes })
    }

    fn disown(&self, origin: Token) -> std::result::Result<(), OsCode> {
        if origin == LOOSE { Ok(()) } else { self.move_unit(Undo::Yes, Undo::No) }
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        failure(&format!("cannot {act} the semaphore"), "semop", &self.id, errno)
    }
}

/// The queue of a set: one for each set and process, however many handles are open.
pub(super) fn queue_of(set: SetId, id: &SemaphoreId) -> Arc<Queue> {
    static QUEUES: LazyLock<Mutex<HashMap<SetId, Weak<Queue>>>> = LazyLock::new(Mutex::default);
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    // Only when the list is full: opening must not become slower with every open semaphore.
    if queues.len() == queues.capacity() {
        queues.retain(|_, queue| queue.strong_count() > 0);
    }
    let known = queues.entry(set).or_default();
    known.upgrade().unwrap_or_else(|| {
        let queue = Queue::of_units(SetCounter { set, id: id.clone() });
        *known = Arc::downgrade(&queue);
        queue
    })
}
