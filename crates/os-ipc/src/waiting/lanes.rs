//! Whose thread blocks: a small share of libuv's pool, and threads of our own for all the rest.
//!
//! Four blocked waits on the pool of four stop every `fs`, `dns` and `crypto` call of the program, so we never take
//! more than a quarter of it. A worker uses none: its environment cannot end while one of its tasks blocks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Queue;
use super::threads;
use crate::error::Result;
use crate::sync::{AtomicBool, Mutex, MutexGuard, global, pause};
use crate::sys;

/// We take one of so many threads.
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
    /// Whom we serve there.
    taken: Vec<Arc<Queue>>,
    /// How many all copies of this library in the process have taken, where it is shared.
    register: Option<&'static AtomicUsize>,
}

impl Pool {
    /// Whether there was a place left, which is then taken.
    fn take_place(&self) -> bool {
        let Some(register) = self.register else { return self.taken.len() < self.places };
        let one_more = |taken: usize| (taken < self.places).then_some(taken + 1);
        register.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy, since a queue locks itself first and the pool second.
fn served_by_pool() -> Vec<Arc<Queue>> {
    pool().taken.clone()
}

/// Counts the threads that we take together with those of other copies of this library in the process.
///
/// Before the first one is taken. A package manager can install a copy for each version of a peer, and there is one pool.
pub fn share_pool() {
    pool().register.get_or_insert_with(sys::process_register::pool_threads_taken);
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
/// To be called when the process is about to exit. What still waits does so on threads of ours.
pub fn leave_pool() {
    const PATIENCE: Duration = Duration::from_secs(2);
    POOL_OPEN.store(false, Ordering::SeqCst);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let blocked = served_by_pool().iter().filter(|queue| queue.leave_pool()).count();
        if blocked == 0 {
            return;
        }
        pause(Duration::from_micros(200));
    }
}

/// Serves on threads of ours what still waits for a free thread of the pool.
pub fn leave_pool_queue() {
    for queue in served_by_pool() {
        queue.leave_pool_queue();
    }
}

/// Who besides a thread of ours may block for a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// A thread of libuv's pool.
    pub pool: bool,
    /// The thread of the event loop itself, for a moment in which it has nothing else to do.
    pub event_loop: bool,
}

impl Lanes {
    /// Nobody.
    pub const OWN: Self = Self { pool: false, event_loop: false };
    /// A thread of libuv's pool.
    pub const POOL: Self = Self { pool: true, event_loop: false };
}

/// Which thread serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// One of libuv's.
    Pool,
    /// One of ours.
    Own,
}

/// The service of a queue, to be run once.
pub(super) struct Service {
    queue: Arc<Queue>,
    generation: u64,
    lane: Lane,
    /// Whether the queue counts on it: not while a thread of ours is still being started under the queue's lock.
    promised: bool,
}

impl Service {
    fn new(queue: Arc<Queue>, generation: u64, lane: Lane) -> Self {
        Self { queue, generation, lane, promised: lane == Lane::Pool }
    }

    /// Serves `queue` on a thread of ours.
    pub(super) fn start(queue: Arc<Queue>, generation: u64) -> Result<()> {
        let service = Self::new(queue, generation, Lane::Own);
        threads::run(move || service.run())
    }

    fn run(mut self) {
        self.promised = true;
        self.queue.serve(self.generation, self.lane);
    }
}

impl Drop for Service {
    /// Where it never came to run, or panicked, somebody else does it; else there is nothing left to do.
    fn drop(&mut self) {
        if self.promised {
            self.queue.service_lost(self.generation);
        }
    }
}

/// The service of a queue, to be run on a thread of libuv's pool; it holds one of our places there.
pub struct PoolWork {
    service: Option<Service>,
    queue: Arc<Queue>,
}

impl PoolWork {
    pub(super) fn reserve(queue: &Arc<Queue>, generation: u64) -> Option<Self> {
        let mut pool = pool();
        if !pool_is_open() || !pool.take_place() {
            return None;
        }
        pool.taken.push(Arc::clone(queue));
        let service = Service::new(Arc::clone(queue), generation, Lane::Pool);
        Some(Self { service: Some(service), queue: Arc::clone(queue) })
    }

    /// Blocks until nobody waits any more.
    pub fn run(mut self) {
        if let Some(service) = self.service.take() {
            service.run();
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
