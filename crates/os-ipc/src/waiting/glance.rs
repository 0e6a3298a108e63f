//! Looks for units by the thread of an event loop that has nothing else to do.

use std::sync::Arc;

use super::queue::Queue;

/// The service of a queue, by the thread that would otherwise go to sleep until somebody wakes it.
///
/// A unit that comes quickly then takes no wake-up at all. Dropped, it leaves what still waits to a thread of ours.
pub struct Glance {
    queue: Arc<Queue>,
    generation: u64,
}

impl Glance {
    pub(super) fn new(queue: Arc<Queue>, generation: u64) -> Self {
        Self { queue, generation }
    }

    /// Takes what is there now for those who wait; false once there is nobody to look for. It never blocks.
    #[must_use]
    pub fn look(&self) -> bool {
        self.queue.glance(self.generation)
    }
}

impl Drop for Glance {
    fn drop(&mut self) {
        self.queue.service_lost(self.generation);
    }
}
