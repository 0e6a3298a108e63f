//! The policy for the runtime's pool of threads: how many of them may block for waits, since when, and for how long a wait
//! queues for one. The core takes a quarter of what [`threads`] says.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// The variable with the size of libuv's pool, its default, and the bounds that libuv gives to it.
const SIZE: &str = "UV_THREADPOOL_SIZE";
const DEFAULT: usize = 4;
const SMALLEST: usize = 1;
const LARGEST: usize = 1024;

/// How many milliseconds a wait may queue for a thread of the pool before it gets one of ours: a pool that is busy with other
/// things must not hold up a wait that it was given. That is longer than a pool with a free thread takes to begin.
pub(crate) const PATIENCE: u32 = 10;

/// What libuv calls its threads, from 1.50 on (Node 22.14).
const THREAD: &str = "libuv-worker";

/// How long a look in vain counts: to look takes as long as to start a thread.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many threads the pool of this runtime has for addons; 0 where none of them may block.
///
/// A worker's environment cannot end while a task of it blocks in the pool, so a worker stays out of it.
pub(crate) fn threads(runtime: &str, in_worker: bool) -> usize {
    match runtime {
        _ if in_worker => 0,
        "deno" => 0,
        "bun" => available_parallelism().map_or(0, usize::from),
        // The pool starts with its first task, and a program that sets the variable itself may be early enough or not: the
        // smaller number is the safe one.
        _ => size(env::var(SIZE).ok()).min(size(os_ipc::variable_at_start(SIZE))),
    }
}

/// As libuv reads it: atoi(3), which makes 0 of what is no number, and 0 is the smallest size.
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
/// The first task that libuv gets starts all threads of the pool, and libuv aborts the process where one of them cannot be had
/// (`RLIMIT_NPROC`, pids.max, `RLIMIT_AS`). A wait is never that task: until something else has started the pool, and where
/// that cannot be told, a thread of ours serves it, whose failure is an error.
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
