//! The queues of locks: one for each lock in this process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use super::{LockEngine, LockName, at_exit};
use crate::waiting::{Locking, Queue};

/// The number of queues at which unused ones are removed: below 64, the search costs more than it frees.
const FULL: usize = 64;

/// The operations that only the queue of a lock has.
pub(super) fn locking(queue: &Queue) -> &dyn Locking {
    queue.locking().expect("every queue of a lock has a lock as its source")
}

type Queues = HashMap<(LockEngine, LockName), Weak<Queue>>;

static QUEUES: LazyLock<Mutex<Queues>> = LazyLock::new(Mutex::default);

/// The queue of the lock; its driver keeps it alive while in the kernel.
pub(super) fn of(engine: &LockEngine, name: &LockName) -> Arc<Queue> {
    at_exit::register();
    let mut queues = lock();
    let lock = (engine.clone(), name.clone());
    if let Some(queue) = queues.get(&lock).and_then(Weak::upgrade) {
        return queue;
    }
    // Only at powers of two: a search each time would cost more than the lock.
    if queues.len() >= FULL && queues.len().is_power_of_two() {
        queues.retain(|_, queue| queue.strong_count() > 0);
    }
    let queue = engine.queue(name);
    queues.insert(lock, Arc::downgrade(&queue));
    queue
}

/// Every queue that exists.
pub(super) fn all() -> Vec<Arc<Queue>> {
    lock().values().filter_map(Weak::upgrade).collect()
}

fn lock() -> MutexGuard<'static, Queues> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}
