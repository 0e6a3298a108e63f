//! libuv's pool: whether it has started.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What libuv calls its threads, from 1.50 on (Node 22.14).
const THREAD: &str = "libuv-worker";

/// How long a look in vain counts: to look takes as long as to start a thread.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
