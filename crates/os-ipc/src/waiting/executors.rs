//! Whose thread drives: a small share of libuv's pool, and threads of our own for all the rest.
//!
//! Four blocked waits on the pool of four stop every `fs`, `dns` and `crypto` call of the program, so we never take
//! more than a quarter of it. A worker uses none: its environment cannot end while one of its tasks blocks.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Queue;
use crate::error::Result;
use crate::sync::{AtomicBool, Mutex, MutexGuard, global, pause};
use crate::sys::thread;

/// We take one of so many threads.
const SHARE: usize = 4;

global! {
    static POOL: Mutex<Pool> = Mutex::new(Pool { places: 0, taken: Vec::new() });
}

global! {
    /// False once the program is about to exit: libuv joins its pool, and would wait for ever for a blocked thread.
    static POOL_OPEN: AtomicBool = AtomicBool::new(true);
}

struct Pool {
    places: usize,
    /// The queues that have a place there.
    taken: Vec<Arc<Queue>>,
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy, since a queue locks itself first and the pool second.
fn driven_by_pool() -> Vec<Arc<Queue>> {
    pool().taken.clone()
}

/// Says how many threads libuv's pool has; 0, the value at the start, keeps us out of it.
pub fn set_pool_size(threads: usize) {
    pool().places = threads / SHARE;
}

pub(super) fn pool_is_open() -> bool {
    POOL_OPEN.load(Ordering::SeqCst)
}

/// Calls all our waits out of libuv's pool, for good, and returns when they are out.
///
/// To be called when the process is about to exit. What still waits does so on threads of our own.
pub fn leave_pool() {
    const PATIENCE: Duration = Duration::from_secs(2);
    POOL_OPEN.store(false, Ordering::SeqCst);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let blocked = driven_by_pool().iter().filter(|queue| queue.leave_pool()).count();
        if blocked == 0 {
            return;
        }
        pause(Duration::from_micros(200));
    }
}

/// Drives on threads of our own what still waits for a free thread of the pool.
pub fn leave_pool_queue() {
    for queue in driven_by_pool() {
        queue.leave_pool_queue();
    }
}

/// What besides a thread of our own may drive for a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executors {
    /// A thread of libuv's pool.
    pub pool: bool,
    /// The thread of the event loop itself, for a moment in which it has nothing else to do.
    pub event_loop: bool,
}

impl Executors {
    /// Nothing.
    pub const THREAD: Self = Self { pool: false, event_loop: false };
    /// A thread of libuv's pool.
    pub const POOL: Self = Self { pool: true, event_loop: false };
}

/// Which thread blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executor {
    /// One of libuv's.
    Pool,
    /// One of our own.
    Thread,
}

/// The right to drive a queue, as one of its generations. Dropped, it has the queue find another driver.
pub(super) struct Tenure {
    queue: Arc<Queue>,
    generation: u64,
    /// Whether the queue counts on it: not while a thread is still being started, which happens under the queue's lock.
    counts: bool,
}

impl Tenure {
    pub(super) fn new(queue: Arc<Queue>, generation: u64) -> Self {
        Self { queue, generation, counts: true }
    }

    /// Drives `queue` on a thread of our own.
    pub(super) fn start_on_thread(queue: Arc<Queue>, generation: u64) -> Result<()> {
        let mut tenure = Self { queue, generation, counts: false };
        thread::run(move || {
            tenure.counts = true;
            tenure.drive(Executor::Thread);
        })
    }

    /// Blocks until nobody waits any more, or until the queue has another driver.
    fn drive(&self, executor: Executor) {
        self.queue.drive(self.generation, executor);
    }

    /// Takes what is there now for those who wait; false once there is nobody to poll for.
    pub(super) fn poll(&self) -> bool {
        self.queue.poll(self.generation)
    }
}

impl Drop for Tenure {
    /// Where it did not run to its end, another driver has to start; else there is nothing left to do.
    fn drop(&mut self) {
        if self.counts {
            self.queue.driver_lost(self.generation);
        }
    }
}

/// A driver to be run on a thread of libuv's pool; it holds one of our places there.
pub struct PoolWork {
    tenure: Option<Tenure>,
    queue: Arc<Queue>,
}

impl PoolWork {
    pub(super) fn reserve(queue: &Arc<Queue>, generation: u64) -> Option<Self> {
        let mut pool = pool();
        if !pool_is_open() || pool.taken.len() >= pool.places {
            return None;
        }
        pool.taken.push(Arc::clone(queue));
        let tenure = Tenure::new(Arc::clone(queue), generation);
        Some(Self { tenure: Some(tenure), queue: Arc::clone(queue) })
    }

    /// Blocks until nobody waits any more.
    pub fn run(mut self) {
        if let Some(tenure) = self.tenure.take() {
            tenure.drive(Executor::Pool);
        }
    }
}

impl Drop for PoolWork {
    fn drop(&mut self) {
        let mut pool = pool();
        if let Some(place) = pool.taken.iter().position(|queue| Arc::ptr_eq(queue, &self.queue)) {
            pool.taken.swap_remove(place);
        }
    }
}
