//! Whether what is stored goes through the caches, or past them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Less than this is done before a clock is read.
const LEAST: usize = 32 << 10;

/// A store through the caches that takes so many nanoseconds a KiB waits for another processor: in the caches it takes 10 to 30.
const SLOW: u32 = 64;

/// So many stores go past the caches until one shows whether that is still better.
const PAST: u32 = 256;

/// So many go through them where it was not.
const THROUGH: u32 = 8;

/// The way that the large stores to one mapping take.
///
/// A cache line that a reader on another processor has must be taken from it before it can be written: 146,000 bytes took
/// 16 us so, and 3 us past the caches, which the reader pays for with 9 us instead of 4 (AMD EPYC). Where nobody reads, or
/// somebody on the same processor, the caches are better: 3 us, and 3 for who reads. So the clock decides.
#[derive(Debug, Default)]
pub(in crate::sys) struct StoreWay {
    /// What the store through the caches took that was slow, in nanoseconds a KiB.
    cached: AtomicU32,
    /// How many are still to go past the caches.
    past: AtomicU32,
    /// How many are still to go through them, however slow.
    through: AtomicU32,
}

impl StoreWay {
    /// Stores so many bytes in one of the two ways.
    pub(in crate::sys) fn store(&self, length: usize, through: impl FnOnce(), past: impl FnOnce()) {
        if length < LEAST {
            through();
            return;
        }
        let start = Instant::now();
        if count_down(&self.past) {
            past();
            self.went_past(pace(start.elapsed(), length));
        } else {
            through();
            self.went_through(pace(start.elapsed(), length));
        }
    }

    fn went_through(&self, took: u32) {
        if took >= SLOW && !count_down(&self.through) {
            self.cached.store(took, Ordering::Relaxed);
            self.past.store(PAST, Ordering::Relaxed);
        }
    }

    /// Twice as fast at least, since who reads it gets slower.
    fn went_past(&self, took: u32) {
        if took.saturating_mul(2) > self.cached.load(Ordering::Relaxed) {
            self.past.store(0, Ordering::Relaxed);
            self.through.store(THROUGH, Ordering::Relaxed);
        }
    }
}

/// Threads that store at the same time may count wrong: what is at stake is the speed of a few stores.
fn count_down(left: &AtomicU32) -> bool {
    let now = left.load(Ordering::Relaxed);
    left.store(now.saturating_sub(1), Ordering::Relaxed);
    now > 0
}

/// Nanoseconds a KiB.
fn pace(took: Duration, length: usize) -> u32 {
    let pace = took.as_nanos().saturating_mul(1024) / length.max(1) as u128;
    u32::try_from(pace).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores that take so long in the one way and in the other; how many went past the caches.
    fn past_of(way: &StoreWay, stores: u32, through: u32, past: u32) -> u32 {
        let mut went_past = 0;
        for _ in 0..stores {
            if count_down(&way.past) {
                went_past += 1;
                way.went_past(past);
            } else {
                way.went_through(through);
            }
        }
        went_past
    }

    #[test]
    fn the_caches_are_the_way_while_they_are_fast() {
        assert_eq!(past_of(&StoreWay::default(), 1_000, SLOW - 1, 1), 0);
    }

    #[test]
    fn most_go_past_them_where_that_is_twice_as_fast() {
        let way = StoreWay::default();
        assert!(past_of(&way, 1_000, 100, 50) > 900);
        // The reader is gone.
        assert!(past_of(&way, 1_000, SLOW - 1, 50) <= PAST);
    }

    #[test]
    fn few_go_past_them_where_it_is_not() {
        let past = past_of(&StoreWay::default(), 1_000, 100, 51);
        assert!((1..=130).contains(&past), "{past}");
    }

    #[test]
    fn small_stores_go_through_them() {
        let way = StoreWay { past: AtomicU32::new(1), ..StoreWay::default() };
        way.store(LEAST - 1, || {}, || panic!("past the caches"));
        way.store(LEAST, || panic!("through the caches"), || {});
    }

    #[test]
    fn a_pace_is_nanoseconds_a_kib() {
        assert_eq!(pace(Duration::from_micros(16), 16 << 10), 1_000);
        assert_eq!(pace(Duration::from_secs(3_600), 1), u32::MAX);
    }
}
