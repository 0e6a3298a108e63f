//! A look for a unit by the thread of an event loop that has nothing else to do.

use std::sync::Arc;
use std::time::Duration;

use super::queue::Queue;

/// A wait's first service: to be run once, by the thread that would otherwise go to sleep until somebody wakes it.
///
/// A unit that comes quickly then takes one wake-up instead of two. Dropped, run or not, it leaves what still waits to
/// a thread of ours.
pub struct Glance {
    queue: Arc<Queue>,
    generation: u64,
}

impl Glance {
    pub(super) fn new(queue: Arc<Queue>, generation: u64) -> Self {
        Self { queue, generation }
    }

    /// Blocks the calling thread until a unit comes, or a signal, or for so long.
    pub fn run(self, within: Duration) {
        self.queue.glance(self.generation, within);
    }
}

impl Drop for Glance {
    fn drop(&mut self) {
        self.queue.service_lost(self.generation);
    }
}
