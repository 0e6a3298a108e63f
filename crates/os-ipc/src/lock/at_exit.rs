//! The process ends by exit(3): its locks are given back and closed, so that what they are made of does not stay.
//!
//! The kernel would free them too, but it removes no set. No JavaScript runs any more by then: a worker's environment
//! may have ended a moment ago, with its thread still on the way out of the kernel, and the main thread may never have
//! loaded the library.

use std::panic::catch_unwind;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::line::locking;
use super::{idle, line};
use crate::sys;

/// The process that registered: a child of fork(2) has the same handlers, and none of its locks.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Has it done once, from the first lock on.
pub(super) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
        // Without it, a set may stay: `os-ipc doctor` lists those.
        let _ = sys::at_exit(run);
    });
}

extern "C" fn run() {
    if PROCESS.load(Ordering::Relaxed) == std::process::id() {
        // Nobody is there to be told.
        let _ = catch_unwind(end_all);
    }
}

fn end_all() {
    /// The processors may be busy. Beyond it a process ends with its thread in the kernel.
    const PATIENCE: Duration = Duration::from_secs(1);
    idle::stop();
    let lines = line::all();
    // All are called away before one is waited for.
    for line in &lines {
        line.abandon();
    }
    for line in lines {
        line.await_no_driver(PATIENCE);
        locking(&line).end_process();
    }
}
