//! Repeats a signal until its thread has seen it.
//!
//! One thread does it for all signals; it ends when there is nothing left to repeat.

use std::sync::PoisonError;
use std::time::Duration;

use super::Interrupt;
use crate::sync::{Mutex, global, pause};
use crate::sys::thread;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

global! {
    static WATCHED: Mutex<Watched> = Mutex::new(Watched { raised: Vec::new(), running: false });
}

struct Watched {
    raised: Vec<Interrupt>,
    running: bool,
}

/// Signals the thread of `interrupt` again and again until it has seen it.
pub(super) fn until_seen(interrupt: Interrupt) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    if !watched.raised.iter().any(|known| known.is(&interrupt)) {
        watched.raised.push(interrupt);
    }
    if !watched.running {
        // Without this thread the first signal has to suffice: it is lost in one of many thousand cases.
        watched.running = thread::run(repeat).is_ok();
    }
}

fn repeat() {
    let mut rest = FIRST_PAUSE;
    loop {
        pause(rest);
        rest = (rest * 2).min(LONGEST_PAUSE);
        let raised = std::mem::take(&mut WATCHED.lock().unwrap_or_else(PoisonError::into_inner).raised);
        let late: Vec<_> = raised.into_iter().filter(Interrupt::again).collect();
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        if !watched.raised.is_empty() {
            rest = FIRST_PAUSE;
        }
        watched.raised.extend(late);
        if watched.raised.is_empty() {
            watched.running = false;
            return;
        }
    }
}
