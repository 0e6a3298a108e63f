//! The thread that drives: a small share of libuv's pool, and threads of our own for the rest.
//!
//! Four blocked waits on the pool of four threads stop every `fs`, `dns` and `crypto` call of the program, so we
//! never take more than a quarter of it. A worker takes none: its environment cannot end while one of its tasks blocks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Queue;
use crate::error::Result;
use crate::sync::{AtomicBool, Mutex, MutexGuard, global, pause};
use crate::sys::{self, thread};

/// We take at most one of this many threads of the pool: a quarter.
const SHARE: usize = 4;

global! {
    static POOL: Mutex<Pool> = Mutex::new(Pool { places: 0, taken: Vec::new(), register: None });
}

global! {
    /// False once the program is about to exit: libuv joins its pool, and would wait for ever for a blocked thread.
    static POOL_OPEN: AtomicBool = AtomicBool::new(true);
}

struct Pool {
    places: usize,
    /// The queues that have a place in the pool.
    taken: Vec<Arc<Queue>>,
    /// The number of places that all copies of this library in the process have taken, once they share it.
    register: Option<&'static AtomicUsize>,
}

impl Pool {
    /// Takes a place if one is free; false if none is.
    fn take_place(&self) -> bool {
        let Some(register) = self.register else { return self.taken.len() < self.places };
        let one_more = |taken: usize| (taken < self.places).then_some(taken + 1);
        register.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy of the list: a queue takes its own lock first and the pool's second.
fn driven_by_pool() -> Vec<Arc<Queue>> {
    pool().taken.clone()
}

/// Counts our places in the pool together with those of other copies of this library in the process.
///
/// Called before the first place is taken. A package manager can install several copies of this library, one for each
/// version of a peer dependency, and a process has one pool.
pub fn share_pool() {
    pool().register.get_or_insert_with(sys::pool_threads_taken);
}

/// Sets the number of threads of libuv's pool; 0, the initial value, keeps us out of it.
pub fn set_pool_size(threads: usize) {
    pool().places = threads / SHARE;
}

pub(super) fn pool_is_open() -> bool {
    POOL_OPEN.load(Ordering::SeqCst)
}

/// Interrupts all our waits in libuv's pool, for good, and returns when they have left it.
///
/// Called when the process is about to exit. The waits go on with threads of our own.
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

/// Moves the drivers that wait for a free thread of the pool to threads of our own.
pub fn leave_pool_queue() {
    for queue in driven_by_pool() {
        queue.leave_pool_queue();
    }
}

/// The executors, besides a thread of our own, that may drive for a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executors {
    /// A thread of libuv's pool.
    pub pool: bool,
    /// The thread of the event loop itself, for a moment in which it has nothing else to do.
    pub event_loop: bool,
}

impl Executors {
    /// Only a thread of our own.
    pub const THREAD: Self = Self { pool: false, event_loop: false };
    /// A thread of libuv's pool.
    pub const POOL: Self = Self { pool: true, event_loop: false };
}

/// The thread that blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Executor {
    /// A thread of libuv's pool.
    Pool,
    /// A thread of our own.
    Thread,
}

/// The right to drive a queue, as one of its generations. When it is dropped, the queue finds another driver.
pub(super) struct Tenure {
    queue: Arc<Queue>,
    generation: u64,
    /// Whether the queue counts on this driver. It does not while a thread is being started, under the queue's lock.
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

    /// Blocks until the list is empty, or until the queue has another driver.
    fn drive(&self, executor: Executor) {
        self.queue.drive(self.generation, executor);
    }

    /// Takes for the waiters as much as the source has now; false once there is no waiter to poll for.
    pub(super) fn poll(&self) -> bool {
        self.queue.poll(self.generation)
    }
}

impl Drop for Tenure {
    /// A driver that did not run to its end is replaced; after a complete run this does nothing.
    fn drop(&mut self) {
        if self.counts {
            self.queue.driver_lost(self.generation);
        }
    }
}

/// A driver for a thread of libuv's pool; it has one of our places there.
pub struct PoolWork {
    tenure: Option<Tenure>,
    queue: Arc<Queue>,
}

impl PoolWork {
    pub(super) fn reserve(queue: &Arc<Queue>, generation: u64) -> Option<Self> {
        let mut pool = pool();
        if !pool_is_open() || !pool.take_place() {
            return None;
        }
        pool.taken.push(Arc::clone(queue));
        let tenure = Tenure::new(Arc::clone(queue), generation);
        Some(Self { tenure: Some(tenure), queue: Arc::clone(queue) })
    }

    /// Blocks until the list is empty.
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
            if let Some(register) = pool.register {
                register.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}
