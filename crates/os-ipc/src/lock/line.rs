//! The one line that this process has for a lock, whoever asks.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use super::{LockEngine, LockName, at_exit};
use crate::waiting::{Locking, Queue};

/// So many lines are kept without a look whether anybody uses them.
const FULL: usize = 64;

/// What only the queue of a lock has.
pub(super) fn locking(queue: &Queue) -> &dyn Locking {
    queue.locking().expect("the queue of a lock")
}

type Lines = HashMap<(LockEngine, LockName), Weak<Queue>>;

static LINES: LazyLock<Mutex<Lines>> = LazyLock::new(Mutex::default);

/// The line of the lock; its thread keeps it for as long as that is in the kernel.
pub(super) fn of(engine: &LockEngine, name: &LockName) -> Arc<Queue> {
    at_exit::register();
    let mut lines = lock();
    let lock = (engine.clone(), name.clone());
    if let Some(line) = lines.get(&lock).and_then(Weak::upgrade) {
        return line;
    }
    // Once in so many times: to look at all of them each time would cost more than the lock.
    if lines.len() >= FULL && lines.len().is_power_of_two() {
        lines.retain(|_, line| line.strong_count() > 0);
    }
    let line = engine.queue(name);
    lines.insert(lock, Arc::downgrade(&line));
    line
}

/// Every line that is there.
pub(super) fn all() -> Vec<Arc<Queue>> {
    lock().values().filter_map(Weak::upgrade).collect()
}

fn lock() -> MutexGuard<'static, Lines> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
