//! Repeats a signal until its thread is out of the kernel.
//!
//! A signal that arrives just before the blocking call does nothing. One thread looks after all servers that were
//! called and have not come yet; it ends when there are none.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::queue::Queue;
use super::threads;
use crate::sync::{Mutex, global, pause};

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

global! {
    static WATCHED: Mutex<Watched> = Mutex::new(Watched { queues: Vec::new(), running: false });
}

struct Watched {
    queues: Vec<Arc<Queue>>,
    running: bool,
}

/// Signals the server of `queue` again and again until it has seen every change.
pub(super) fn watch(queue: Arc<Queue>) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if !watched.queues.iter().any(|known| Arc::ptr_eq(known, &queue)) {
        watched.queues.push(queue);
    }
    if !watched.running {
        // Without a thread the first signal has to do: it is lost in one of many thousand cases.
        watched.running = threads::run(repeat).is_ok();
    }
}

fn repeat() {
    let mut rest = FIRST_PAUSE;
    loop {
        pause(rest);
        rest = (rest * 2).min(LONGEST_PAUSE);
        let queues = std::mem::take(&mut WATCHED.lock().unwrap_or_else(PoisonError::into_inner).queues);
        let late: Vec<_> = queues.into_iter().filter(|queue| queue.nudge_again()).collect();
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        if !watched.queues.is_empty() {
            rest = FIRST_PAUSE;
        }
        watched.queues.extend(late);
        if watched.queues.is_empty() {
            watched.running = false;
            return;
        }
    }
}
