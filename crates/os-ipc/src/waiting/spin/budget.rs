//! The spin budget: whether the next wait of a party is worth a spin, by the length of its last waits.

use std::time::{Duration, Instant};

use super::{Spin, is_spinning};

/// The longest short wait: 200 us.
const SHORT: Duration = Duration::from_micros(200);

/// The number of short waits in a row after which the next one is likely to be short too.
const IN_A_ROW: u32 = 4;

/// The credits that a failed spin costs; a short wait earns one. So at most one of 16 short waits pays for a failed spin.
const COST: i32 = 16;

/// The most credits that a party saves.
const SAVED: i32 = 4 * COST;

/// The factor for the pause after two spins in a row that other programs held up: the party does not spin for 20 times as long.
const CONTENDED: u32 = 20;

/// The spin budget of one party.
#[derive(Debug, Default)]
pub struct SpinBudget {
    /// The time when the last wait began; `None` once something arrived.
    began: Option<Instant>,
    /// The number of short waits in a row.
    short: u32,
    /// The credits that short waits earned, less those that failed spins cost.
    balance: i32,
    /// Whether other programs held up the last spin.
    held_up: bool,
    /// The time until which other programs are taken to want the processors.
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
        self.note_hold_up(spin);
    }

    /// The party spun before a wait. If something came, there is no wait; otherwise the wait follows, and may spin too.
    pub(crate) fn spun_briefly(&mut self, spin: &Spin, found: bool) {
        if found {
            self.count(spin.began().elapsed());
        }
        self.note_hold_up(spin);
    }

    fn note_hold_up(&mut self, spin: &Spin) {
        let time = spin.held_up();
        // The host of a virtual machine does that now and then; a program that computes does it again at once.
        if let Some(time) = time.filter(|_| self.held_up) {
            self.contend(time * CONTENDED);
        }
        self.held_up = time.is_some();
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
    /// Under the model checker, which has no clock, this is always true.
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
    fn two_spins_in_a_row_that_were_held_up_stop_the_next_ones() {
        let quick = Spin::begin();
        let held_up = Spin { began: quick.began.checked_sub(Duration::from_secs(60)).unwrap() };
        let mut budget = SpinBudget::default();
        waits(&mut budget, IN_A_ROW, SHORT);
        for spin in [&held_up, &quick, &held_up] {
            budget.spun(spin, true);
            assert!(budget.is_quick());
        }
        budget.spun(&held_up, true);
        assert!(!budget.is_quick());
    }

    #[test]
    fn a_brief_spin_counts_as_a_short_wait_and_costs_nothing_if_it_fails() {
        let mut budget = SpinBudget::default();
        waits(&mut budget, IN_A_ROW - 1, SHORT);
        budget.spun_briefly(&Spin::begin(), false);
        assert_eq!((budget.short, budget.balance), (IN_A_ROW - 1, 3));
        budget.spun_briefly(&Spin::begin(), true);
        assert!(budget.is_quick());
        let held_up = Spin { began: Instant::now().checked_sub(Duration::from_secs(60)).unwrap() };
        budget.spun_briefly(&held_up, true);
        assert!(!budget.is_quick(), "it was no short wait");
        waits(&mut budget, IN_A_ROW, SHORT);
        budget.spun_briefly(&held_up, false);
        assert!(!budget.is_quick(), "other programs want the processors");
    }

    #[test]
    fn no_party_spins_while_other_programs_want_the_processors() {
        let mut budget = SpinBudget::default();
        waits(&mut budget, IN_A_ROW, SHORT);
        assert!(budget.is_quick());
        budget.contend(Duration::from_secs(60));
        assert!(!budget.is_quick());
        budget.contend(Duration::ZERO);
        assert!(budget.is_quick());
    }
}
