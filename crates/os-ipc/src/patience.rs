//! The number of tries for something that is not settled yet.

use std::thread;
use std::time::{Duration, Instant};

/// The longest that a new semaphore may take to become initialised, and a name to stop coming and going: 1 s.
#[cfg(any(unix, test))]
const LONGEST: Duration = Duration::from_secs(1);

/// The fewest tries: the time can be over because this process itself was stopped.
const FEWEST_TRIES: u32 = 20;

#[cfg(any(unix, test))]
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// A number of tries, spread over a time.
#[derive(Default)]
pub(crate) struct Patience {
    /// The time after the first try, which mostly succeeds: the clock is only read if it fails.
    start: Option<Instant>,
    tries: u32,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Waits a moment before the next try; false when the tries are used up.
    #[cfg(any(unix, test))]
    pub(crate) fn once_more(&mut self) -> bool {
        self.once_more_within(LONGEST, BETWEEN_TRIES)
    }

    /// The same, with another time for all tries, and another one between two of them.
    pub(crate) fn once_more_within(&mut self, longest: Duration, between: Duration) -> bool {
        if self.lasted(longest) {
            return false;
        }
        self.tries += 1;
        self.start.get_or_insert_with(Instant::now);
        thread::sleep(between);
        true
    }

    /// Whether the tries lasted this long.
    pub(crate) fn lasted(&self, time: Duration) -> bool {
        self.tries >= FEWEST_TRIES && self.start.is_some_and(|start| start.elapsed() >= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_stopped_tries_again() {
        let mut patience = Patience { start: Instant::now().checked_sub(2 * LONGEST), tries: 0 };
        assert!(!patience.lasted(LONGEST));
        let tries = std::iter::repeat_with(|| patience.once_more()).take_while(|more| *more).count();
        assert_eq!(tries, FEWEST_TRIES as usize);
        assert!(patience.lasted(LONGEST));
    }
}
