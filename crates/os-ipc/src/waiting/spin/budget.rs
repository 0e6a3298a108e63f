//! Whether the next wait of a party is worth a spin: how long its last waits took.

use std::time::{Duration, Instant};

use super::{Spin, is_spinning};

/// A wait that ends within this was short.
const SHORT: Duration = Duration::from_micros(200);

/// This many short waits in a row make it likely that the next one is short too.
const IN_A_ROW: u32 = 8;

/// A failed spin costs this many credits; a short wait earns one.
const COST: i32 = 16;

/// The most credits that a party saves.
const SAVED: i32 = 4 * COST;

/// After a spin that other programs held up, nobody spins for this many times as long.
const CONTENDED: u32 = 20;

/// The spin budget of one party.
#[derive(Debug, Default)]
pub struct SpinBudget {
    /// When the last wait began; nothing has arrived since.
    began: Option<Instant>,
    /// Short waits in a row.
    short: u32,
    /// Credits: what short waits earned, less what failed spins cost.
    balance: i32,
    /// Until when other programs want the processors too, as far as is known.
    contended_until: Option<Instant>,
}

impl SpinBudget {
    /// A wait begins.
    pub(crate) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// Something arrived.
    pub(crate) fn arrive(&mut self) {
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

    /// The party spun; `found` says whether something came in time.
    pub(crate) fn spun(&mut self, spin: &Spin, found: bool) {
        if !found {
            self.fail();
        }
        if let Some(time) = spin.held_up() {
            self.contend(time * CONTENDED);
        }
    }

    fn fail(&mut self) {
        self.short = 0;
        self.balance -= COST;
    }

    fn contend(&mut self, time: Duration) {
        self.contended_until = Instant::now().checked_add(time);
    }

    /// Whether the next wait is likely to be short, and no other program wants the processors.
    ///
    /// The model checker has no clock: there it always is.
    pub(crate) fn is_quick(&mut self) -> bool {
        cfg!(loom) || is_spinning() && self.short >= IN_A_ROW && self.balance >= 0 && !self.is_contended()
    }

    fn is_contended(&mut self) -> bool {
        if self.contended_until.is_some_and(|until| until <= Instant::now()) {
            self.contended_until = None;
        }
        self.contended_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(budget: &mut SpinBudget, count: u32, took: Duration) {
        for _ in 0..count {
            budget.count(took);
        }
    }

    #[test]
    fn short_waits_in_a_row_make_it_quick_and_a_long_one_ends_that() {
        let mut budget = SpinBudget::default();
        waits(&mut budget, IN_A_ROW - 1, SHORT);
        assert!(!budget.is_quick());
        waits(&mut budget, 1, SHORT);
        assert!(budget.is_quick());
        waits(&mut budget, 1, 2 * SHORT);
        assert!(!budget.is_quick());
    }

    #[test]
    fn a_failed_spin_after_many_short_waits_is_paid_from_savings() {
        let mut budget = SpinBudget::default();
        waits(&mut budget, 1_000, SHORT);
        budget.fail();
        assert!(!budget.is_quick());
        waits(&mut budget, IN_A_ROW, SHORT);
        assert!(budget.is_quick());
    }

    #[test]
    fn failed_spins_never_cost_more_than_short_waits_earned() {
        let mut budget = SpinBudget::default();
        let (mut short, mut failed) = (0, 0);
        // Every spin fails.
        for _ in 0..1_000 {
            waits(&mut budget, 1, SHORT);
            short += 1;
            if budget.is_quick() {
                budget.fail();
                failed += 1;
            }
        }
        assert!(failed > 0 && failed * COST <= short + COST, "{failed} of {short}");
    }

    #[test]
    fn an_arrival_counts_how_long_the_last_wait_took() {
        let mut budget = SpinBudget { short: 5, ..SpinBudget::default() };
        budget.begin();
        budget.began = budget.began.and_then(|began| began.checked_sub(Duration::from_secs(1)));
        budget.arrive();
        assert_eq!((budget.short, budget.began), (0, None));
        budget.short = 5;
        budget.arrive();
        assert_eq!(budget.short, 5, "no wait began");
    }

    #[test]
    fn nobody_spins_while_other_programs_want_the_processors() {
        let mut budget = SpinBudget::default();
        waits(&mut budget, IN_A_ROW, SHORT);
        assert!(budget.is_quick());
        budget.contend(Duration::from_secs(60));
        assert!(!budget.is_quick());
        budget.contend(Duration::ZERO);
        assert!(budget.is_quick());
    }
}
