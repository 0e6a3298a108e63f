//! Where timers have no slack that a thread could change.

use std::thread;
use std::time::Duration;

/// The calling thread's sleeps.
pub(crate) struct Naps;

impl Naps {
    pub(crate) fn begin() -> Self {
        Self
    }

    /// Sleeps for a microsecond and what it takes to get up.
    #[allow(clippy::unused_self, reason = "the same face on every platform")]
    pub(crate) fn take(&self) {
        thread::sleep(Duration::from_micros(1));
    }
}
