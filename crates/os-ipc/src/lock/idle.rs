//! The idle cache: a lock that is not used any more stays open for a moment, since opening it costs more than taking
//! it.
//!
//! One thread closes the idle locks; it ends when there are none.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys::thread::run as run_on_thread;
use crate::waiting::Queue;

/// The time that an idle lock stays open: 200 ms, so that a loop that takes a lock does not open it each time.
const MOMENT: Duration = Duration::from_millis(200);

/// The most idle locks: it bounds the sets and files of a program that uses many locks once each.
const MOST: usize = 100;

static IDLE: LazyLock<Mutex<Idle>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Idle {
    /// The queue of each idle lock by its address, and the time until which the lock stays open.
    queues: HashMap<usize, (Arc<Queue>, Instant)>,
    watched: bool,
    /// The process is about to exit.
    stopped: bool,
}

/// A request for the lock of this queue ended.
pub(super) fn after_use(queue: &Arc<Queue>) {
    let mut idle = lock();
    if idle.stopped {
        drop(idle);
        return close_now(queue);
    }
    let address = Arc::as_ptr(queue).addr();
    let room = idle.queues.len() < MOST || idle.queues.contains_key(&address);
    if !room && queue.close_unused() {
        return;
    }
    idle.queues.insert(address, (Arc::clone(queue), Instant::now() + MOMENT));
    if !idle.watched {
        idle.watched = run_on_thread(watch).is_ok();
        if !idle.watched {
            close(&mut idle, |_| true);
        }
    }
}

/// Closes the unused locks, now and from now on at once: the process is about to exit.
pub(crate) fn stop() {
    let open = {
        let mut idle = lock();
        idle.stopped = true;
        std::mem::take(&mut idle.queues)
    };
    for (queue, _) in open.values() {
        close_now(queue);
    }
}

/// Closes the lock of a queue without requests; waits for its interrupted driver.
///
/// Otherwise the set or the files of the lock would stay behind.
fn close_now(queue: &Queue) {
    /// The longest wait for the driver: 1 s, for busy processors. Then the process ends with its thread in the kernel.
    const PATIENCE: Duration = Duration::from_secs(1);
    if !queue.close_unused() {
        queue.await_no_driver(PATIENCE);
        queue.close_unused();
    }
}

/// Closes the unused locks.
pub(crate) fn close_all() {
    close(&mut lock(), |_| true);
}

fn watch() {
    loop {
        thread::sleep(MOMENT);
        let mut idle = lock();
        let now = Instant::now();
        close(&mut idle, |until| until <= now);
        if idle.queues.is_empty() {
            idle.watched = false;
            return;
        }
    }
}

/// Closes the locks whose time is over; a lock whose thread is still in the kernel stays until the thread returns.
fn close(idle: &mut Idle, over: impl Fn(Instant) -> bool) {
    idle.queues.retain(|_, (queue, until)| !(over(*until) && queue.close_unused()));
}

fn lock() -> MutexGuard<'static, Idle> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}
