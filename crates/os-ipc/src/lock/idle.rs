//! A lock that nobody uses any more stays open for a moment: to open it anew costs more than to take it.
//!
//! One thread looks after all of them; it ends when there are none.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::line::locking;
use crate::sys::thread::run as run_on_thread;
use crate::waiting::Queue;

/// How long a lock stays open.
const MOMENT: Duration = Duration::from_millis(200);

/// A program that uses many locks, each for once, keeps no more than these.
const MOST: usize = 100;

static IDLE: LazyLock<Mutex<Idle>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Idle {
    /// By address, with the time until which it stays open.
    lines: HashMap<usize, (Arc<Queue>, Instant)>,
    watched: bool,
    /// The process is about to exit.
    stopped: bool,
}

/// A request for a lock of this line ended.
pub(super) fn after_use(line: &Arc<Queue>) {
    let mut idle = lock();
    if idle.stopped {
        drop(idle);
        return close_now(line);
    }
    let address = Arc::as_ptr(line).addr();
    let room = idle.lines.len() < MOST || idle.lines.contains_key(&address);
    if !room && locking(line).close_unused() {
        return;
    }
    idle.lines.insert(address, (Arc::clone(line), Instant::now() + MOMENT));
    if !idle.watched {
        idle.watched = run_on_thread(watch).is_ok();
        if !idle.watched {
            close(&mut idle, |_| true);
        }
    }
}

/// Closes what nobody uses, now and from now on: the process is about to exit.
pub(crate) fn stop() {
    let open = {
        let mut idle = lock();
        idle.stopped = true;
        std::mem::take(&mut idle.lines)
    };
    for (line, _) in open.values() {
        close_now(line);
    }
}

/// Closes a line that nobody uses; its thread was called away, and is waited for.
///
/// Without that, what the lock is made of would stay behind for whoever uses it next.
fn close_now(line: &Queue) {
    /// The processors may be busy. Beyond it a process ends with its thread in the kernel.
    const PATIENCE: Duration = Duration::from_secs(1);
    if !locking(line).close_unused() {
        line.await_no_driver(PATIENCE);
        locking(line).close_unused();
    }
}

/// Closes what nobody uses.
pub(crate) fn close_all() {
    close(&mut lock(), |_| true);
}

fn watch() {
    loop {
        thread::sleep(MOMENT);
        let mut idle = lock();
        let now = Instant::now();
        close(&mut idle, |until| until <= now);
        if idle.lines.is_empty() {
            idle.watched = false;
            return;
        }
    }
}

/// Closes those whose time is over; one whose thread is still on its way out of the kernel stays until it is.
fn close(idle: &mut Idle, over: impl Fn(Instant) -> bool) {
    idle.lines.retain(|_, (line, until)| !(over(*until) && locking(line).close_unused()));
}

fn lock() -> MutexGuard<'static, Idle> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}
