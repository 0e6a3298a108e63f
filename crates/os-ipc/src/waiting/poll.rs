//! A driver that never blocks: the thread of an event loop that has nothing else to do.

use std::sync::Arc;

use super::executors::Tenure;
use super::queue::Queue;

/// The service of a queue by a thread that would otherwise sleep until another thread wakes it.
///
/// A unit that comes quickly then needs no wake-up at all. A poll that is dropped leaves its waiters to a thread of our
/// own.
pub struct Poll(Tenure);

impl Poll {
    pub(super) fn new(queue: Arc<Queue>, generation: u64) -> Self {
        Self(Tenure::new(queue, generation))
    }

    /// Takes for the waiters as much as the source has now; false once there is no waiter to poll for. It never blocks.
    #[must_use]
    pub fn try_all(&self) -> bool {
        self.0.poll()
    }
}
