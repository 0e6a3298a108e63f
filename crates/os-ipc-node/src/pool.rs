//! The policy for the runtime's pool of threads: the number of its threads that may block for waits, the time from which
//! they may, and how long a wait queues for one. The core takes a quarter of [`threads`].

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// The variable with the size of libuv's pool, its default, and the bounds of libuv for it.
const SIZE: &str = "UV_THREADPOOL_SIZE";
const DEFAULT: usize = 4;
const SMALLEST: usize = 1;
const LARGEST: usize = 1024;

/// The milliseconds that a wait may queue for a thread of the pool before it gets one of ours: 10. A busy pool must not hold
/// up a wait, and a pool with a free thread begins sooner than that.
pub(crate) const PATIENCE: u32 = 10;

/// The name of libuv's threads, from 1.50 on (Node 22.14).
const THREAD: &str = "libuv-worker";

/// The time between two searches for the pool's threads: 1 s. A search takes as long as starting a thread.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The number of threads that the pool of this runtime has for addons; 0 if none of them may block.
///
/// A worker's environment cannot end while a task of it blocks in the pool, so a worker stays out of it.
pub(crate) fn threads(runtime: &str, in_worker: bool) -> usize {
    match runtime {
        _ if in_worker => 0,
        "deno" => 0,
        "bun" => available_parallelism().map_or(0, usize::from),
        // The pool starts with its first task, and a program that sets the variable itself may do so before or after: the
        // smaller number is the safe one.
        _ => size(env::var(SIZE).ok()).min(size(os_ipc::variable_at_start(SIZE))),
    }
}

/// The size as libuv reads it: atoi(3) turns text into 0, and for 0 libuv takes the smallest size.
fn size(variable: Option<String>) -> usize {
    let Some(text) = variable else { return DEFAULT };
    let text = text.trim_ascii_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    let number = digits
        .fold(0, |number: usize, digit| number.saturating_mul(10).saturating_add(usize::from(digit - b'0')));
    number.clamp(SMALLEST, LARGEST)
}

/// Whether the pool is known to have started.
///
/// The first task of libuv starts all threads of the pool, and libuv aborts the process if one of them cannot be started
/// (`RLIMIT_NPROC`, pids.max, `RLIMIT_AS`). A wait is never that task: until other work has started the pool, and where
/// that is not known, a thread of ours serves the wait, and a failure to start it is an error.
pub(crate) fn has_started() -> bool {
    static STARTED: AtomicBool = AtomicBool::new(false);
    static LOOKED: Mutex<Option<Instant>> = Mutex::new(None);
    if STARTED.load(Ordering::Relaxed) {
        return true;
    }
    let mut looked = LOOKED.lock().unwrap_or_else(PoisonError::into_inner);
    if looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
        return false;
    }
    *looked = Some(Instant::now());
    let started = os_ipc::runs_thread(THREAD);
    STARTED.store(started, Ordering::Relaxed);
    started
}
