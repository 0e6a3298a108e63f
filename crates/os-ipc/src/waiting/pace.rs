//! How long the waits of a party take: whether the next one is worth a look by the party itself.

use std::time::{Duration, Instant};

use super::look::Look;

/// A wait that ends within this was short.
const SHORT: Duration = Duration::from_micros(200);

/// So many short waits in a row make it likely that the next one is short too.
const IN_A_ROW: u32 = 8;

/// A look in vain costs as much as so many short waits are worth.
const COST: i32 = 16;

/// The most that short waits are saved up for.
const SAVED: i32 = 4 * COST;

/// A look that was held up tells of a crowd for so many times as long.
const CROWD: u32 = 20;

/// The pace of one party.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the last wait began; nothing has arrived since.
    began: Option<Instant>,
    /// Short waits in a row.
    short: u32,
    /// What short waits earned, less what looks in vain cost.
    balance: i32,
    /// Until when other programs want the processors too, as far as is known.
    crowded_until: Option<Instant>,
}

impl Pace {
    /// A wait begins.
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// Something arrived.
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
        self.balance = (self.balance + 1).min(SAVED);
    }

    /// The party looked, and something came in time, or not.
    pub(super) fn looked(&mut self, look: &Look, found: bool) {
        if !found {
            self.look_in_vain();
        }
        if let Some(time) = look.held_up() {
            self.crowd(time * CROWD);
        }
    }

    fn look_in_vain(&mut self) {
        self.short = 0;
        self.balance -= COST;
    }

    pub(super) fn crowd(&mut self, time: Duration) {
        self.crowded_until = Instant::now().checked_add(time);
    }

    /// Whether the next wait is likely to be short. The model checker has no clock: there it always is.
    pub(super) fn is_quick(&self) -> bool {
        cfg!(loom) || self.short >= IN_A_ROW && self.balance >= 0
    }

    /// Whether other programs want the processors too.
    pub(super) fn is_crowded(&mut self) -> bool {
        if self.crowded_until.is_some_and(|until| until <= Instant::now()) {
            self.crowded_until = None;
        }
        self.crowded_until.is_some()
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
        waits(&mut pace, IN_A_ROW - 1, SHORT);
        assert!(!pace.is_quick());
        waits(&mut pace, 1, SHORT);
        assert!(pace.is_quick());
        waits(&mut pace, 1, 2 * SHORT);
        assert!(!pace.is_quick());
    }

    #[test]
    fn a_look_in_vain_after_many_short_waits_is_forgiven() {
        let mut pace = Pace::default();
        waits(&mut pace, 1_000, SHORT);
        pace.look_in_vain();
        assert!(!pace.is_quick());
        waits(&mut pace, IN_A_ROW, SHORT);
        assert!(pace.is_quick());
    }

    #[test]
    fn looks_in_vain_are_never_more_than_one_for_so_many_short_waits() {
        let mut pace = Pace::default();
        let (mut short, mut in_vain) = (0, 0);
        // Whoever looks does it in vain.
        for _ in 0..1_000 {
            waits(&mut pace, 1, SHORT);
            short += 1;
            if pace.is_quick() {
                pace.look_in_vain();
                in_vain += 1;
            }
        }
        assert!(in_vain > 0 && in_vain * COST <= short + COST, "{in_vain} of {short}");
    }

    #[test]
    fn what_arrives_tells_how_long_the_last_wait_took() {
        let mut pace = Pace { short: 5, ..Pace::default() };
        pace.begin();
        pace.began = pace.began.and_then(|began| began.checked_sub(Duration::from_secs(1)));
        pace.arrive();
        assert_eq!((pace.short, pace.began), (0, None));
        pace.short = 5;
        pace.arrive();
        assert_eq!(pace.short, 5, "no wait began");
    }

    #[test]
    fn a_crowd_is_gone_after_a_while() {
        let mut pace = Pace::default();
        assert!(!pace.is_crowded());
        pace.crowd(Duration::from_secs(60));
        assert!(pace.is_crowded());
        pace.crowd(Duration::ZERO);
        assert!(!pace.is_crowded());
    }
}
