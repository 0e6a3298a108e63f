//! How long the waits of a queue take: whether the next one is worth a look by the event loop itself.

use std::time::{Duration, Instant};

/// A wait that ends within this was short.
const SHORT: Duration = Duration::from_micros(200);

/// So many short waits in a row make it likely that the next one is short too.
const FEWEST: u32 = 8;

/// After looks in vain it takes more of them, up to this many.
const MOST: u32 = 1 << 13;

/// After so many more short ones, looks in vain are forgiven: a step at a time.
const FORGIVEN_AFTER: u32 = 64;

/// The pace of one queue.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the wait began that found nobody before it, and that has not ended.
    began: Option<Instant>,
    /// Short waits in a row.
    short: u32,
    /// How many it takes.
    wanted: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { began: None, short: 0, wanted: FEWEST }
    }
}

impl Pace {
    /// A wait begins that nobody is before.
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// The unit of the first in the line came.
    pub(super) fn arrive(&mut self) {
        let Some(began) = self.began.take() else { return };
        self.count(began.elapsed());
    }

    fn count(&mut self, took: Duration) {
        if took > SHORT {
            self.short = 0;
            return;
        }
        self.short = self.short.saturating_add(1);
        if self.short > self.wanted && self.short.is_multiple_of(FORGIVEN_AFTER) {
            self.wanted = (self.wanted / 2).max(FEWEST);
        }
    }

    /// The event loop looked, and nothing came in time.
    pub(super) fn look_in_vain(&mut self) {
        self.short = 0;
        self.wanted = (self.wanted * 2).min(MOST);
    }

    /// Whether the next wait is likely to be short. The model checker has no clock: there it always is.
    pub(super) fn is_quick(&self) -> bool {
        cfg!(loom) || self.short >= self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(pace: &mut Pace, count: u32, took: Duration) {
        for _ in 0..count {
            pace.count(took);
        }
    }

    #[test]
    fn short_waits_in_a_row_make_it_quick_and_a_long_one_ends_that() {
        let mut pace = Pace::default();
        waits(&mut pace, FEWEST - 1, SHORT);
        assert!(!pace.is_quick());
        waits(&mut pace, 1, SHORT);
        assert!(pace.is_quick());
        waits(&mut pace, 1, 2 * SHORT);
        assert!(!pace.is_quick());
    }

    #[test]
    fn a_look_in_vain_makes_the_next_one_rarer_until_it_is_forgiven() {
        let mut pace = Pace::default();
        waits(&mut pace, FEWEST, SHORT);
        pace.look_in_vain();
        waits(&mut pace, FEWEST, SHORT);
        assert!(!pace.is_quick());
        waits(&mut pace, FEWEST, SHORT);
        assert!(pace.is_quick());
        waits(&mut pace, FORGIVEN_AFTER, SHORT);
        waits(&mut pace, 1, 2 * SHORT);
        waits(&mut pace, FEWEST, SHORT);
        assert!(pace.is_quick());
    }

    #[test]
    fn looks_in_vain_stay_rare_for_ever() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.look_in_vain();
        }
        waits(&mut pace, MOST, SHORT);
        assert!(pace.is_quick());
    }

    #[test]
    fn only_a_wait_that_nobody_is_before_tells_how_long_it_takes() {
        let mut pace = Pace::default();
        pace.arrive();
        assert_eq!(pace.short, 0);
        pace.begin();
        pace.arrive();
        assert_eq!((pace.short, pace.began), (1, None));
    }
}
