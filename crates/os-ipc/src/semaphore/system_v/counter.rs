//! The counter of a set, and the one queue that this process has for it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::failure;
use crate::error::{Errno, Error};
use crate::semaphore::SemaphoreId;
use crate::sys::sysv_sem::{self as sys, Operation, SetId, Undo};
use crate::waiting::{Counter, Hold, Queue};

/// Semaphore 0 of a set.
struct SetCounter {
    set: SetId,
    id: SemaphoreId,
}

impl Counter for SetCounter {
    fn try_take(&self, hold: Hold) -> Result<bool, Errno> {
        let undo = match hold {
            Hold::Owned => Undo::Yes,
            Hold::Loose => Undo::No,
        };
        match sys::try_take(self.set, undo) {
            Ok(()) => Ok(true),
            Err(Errno::EAGAIN) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn take(&self) -> Result<(), Errno> {
        sys::take(self.set, Undo::Yes)
    }

    fn give_back(&self) -> Result<(), Errno> {
        sys::give(self.set, 1, Undo::Yes)
    }

    fn disown(&self) -> Result<(), Errno> {
        let up = || Operation::add(0, 1, Undo::Yes);
        let down = || Operation::add(0, -1, Undo::No);
        loop {
            // Up first would pass the limit where the counter is at 32,767; down first would pass 0 where it is 0.
            match sys::operate(self.set, &mut [up(), down()]) {
                Err(Errno::ERANGE) => {}
                done => return done,
            }
            match sys::operate(self.set, &mut [down(), up()]) {
                Err(Errno::EAGAIN) => {}
                done => return done,
            }
        }
    }

    fn failure(&self, act: &str, errno: Errno) -> Error {
        failure(&format!("cannot {act} the semaphore"), "semop", &self.id, errno)
    }
}

/// One queue a set and process, however many handles there are.
pub(super) fn queue_of(set: SetId, id: &SemaphoreId) -> Arc<Queue> {
    static QUEUES: LazyLock<Mutex<HashMap<SetId, Weak<Queue>>>> = LazyLock::new(Mutex::default);
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(queue) = queues.get(&set).and_then(Weak::upgrade) {
        return queue;
    }
    // Now and then, so that opening does not become slower with every semaphore that is open.
    if queues.len() == queues.capacity() {
        queues.retain(|_, queue| queue.strong_count() > 0);
    }
    let queue = Queue::new(SetCounter { set, id: id.clone() });
    queues.insert(set, Arc::downgrade(&queue));
    queue
}
