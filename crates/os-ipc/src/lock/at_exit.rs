//! The end of the process by exit(3): its locks are given back and closed, so that no set and no file stays behind.
//!
//! The kernel would free the locks too, but it removes no set. No JavaScript runs any more by then: the environment of
//! a worker may have ended a moment ago, with its thread still on the way out of the kernel, and the main thread may
//! never have loaded the library.

use std::panic::catch_unwind;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::queues::locking;
use super::{idle, queues};
use crate::sys;

/// The process that registered: a child of fork(2) has the same handlers, and none of its locks.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Registers the exit handler once, with the first lock.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
        // If this fails, a set may stay behind: `os-ipc doctor` lists it.
        let _ = sys::at_exit(run);
    });
}

extern "C" fn run() {
    if PROCESS.load(Ordering::Relaxed) == std::process::id() {
        // The process ends: a panic has no receiver.
        let _ = catch_unwind(end_all);
    }
}

fn end_all() {
    /// The longest wait for a driver: 1 s, for busy processors. Then the process ends with its thread in the kernel.
    const PATIENCE: Duration = Duration::from_secs(1);
    idle::stop();
    let all = queues::all();
    // All drivers are interrupted before the first wait.
    for queue in &all {
        queue.abandon();
    }
    for queue in all {
        queue.await_no_driver(PATIENCE);
        locking(&queue).end_process();
    }
}
