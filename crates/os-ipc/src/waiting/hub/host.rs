//! A thread that blocks for a wait of its own, and serves the hub meanwhile: its permit then needs one wake-up, not two.

use std::time::Instant;

use super::turns::{self, Turns};
use super::{Sleep, hub, served};
use crate::sys::thread;

/// The calling thread as the one that serves the hub, until this is dropped.
pub(in crate::waiting) struct Host(Turns);

impl Host {
    /// `None` if another thread serves.
    pub(in crate::waiting) fn begin() -> Option<Self> {
        let mut hub = hub();
        if hub.running {
            return None;
        }
        hub.running = true;
        hub.make_bell();
        Some(Self(Turns::begin(&mut hub)))
    }

    /// Serves until `done`, which is asked after each turn, or until the deadline. [`rouse`] makes it ask.
    pub(in crate::waiting) fn serve_until(&mut self, deadline: Option<Instant>, done: impl Fn() -> bool) {
        loop {
            self.0.work();
            if done() || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            self.0.sleep_until(deadline);
        }
    }
}

impl Drop for Host {
    /// Leaves the other queues to a thread.
    fn drop(&mut self) {
        let mut hub = served();
        hub.asleep = Sleep::Awake;
        self.0.park(&mut hub);
        hub.running = !hub.table.is_empty() && thread::run(turns::serve).is_ok();
        let stranded = if hub.running { Vec::new() } else { hub.table.queues() };
        drop(hub);
        // Each of them tries to start a thread; if none can start, its waiters get the error.
        for (queue, generation) in stranded {
            queue.driver_lost(generation);
        }
    }
}

/// Wakes the thread that serves.
pub(in crate::waiting) fn rouse() {
    hub().rouse(None);
}
