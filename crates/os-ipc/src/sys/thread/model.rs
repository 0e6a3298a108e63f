//! Threads of our own, for the model checker: it keeps no idle threads, since it has no clock.

use std::sync::PoisonError;

use loom::sync::Mutex;
use loom::thread::{JoinHandle, spawn};

use crate::error::Result;

loom::lazy_static! {
    static ref STARTED: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
}

/// Runs `job` on a new thread.
#[allow(clippy::unnecessary_wraps, reason = "the same face as the real one")]
pub(crate) fn run(job: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = spawn(job);
    STARTED.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    Ok(())
}

/// Waits for every thread that was started, and for the threads that they start.
#[cfg(test)]
pub(crate) fn join_all() {
    loop {
        let thread = STARTED.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match thread {
            Some(thread) => thread.join().unwrap(),
            None => return,
        }
    }
}
