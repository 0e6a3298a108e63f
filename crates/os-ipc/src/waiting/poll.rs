//! A driver that never blocks: the thread of an event loop that has nothing else to do.

use std::sync::Arc;

use super::executors::Tenure;
use super::queue::Queue;

/// The service of a queue, by the thread that would otherwise sleep until another one wakes it.
///
/// A unit that comes quickly then takes no wake-up at all. Dropped, it leaves what still waits to a thread of our own.
pub struct Poll(Tenure);

impl Poll {
    pub(super) fn new(queue: Arc<Queue>, generation: u64) -> Self {
        Self(Tenure::new(queue, generation))
    }

    /// Takes what is there now for those who wait; false once there is nobody to poll for. It never blocks.
    #[must_use]
    pub fn try_all(&self) -> bool {
        self.0.poll()
    }
}
