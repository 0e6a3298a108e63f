//! Spinning: polling for a moment before a sleep.
//!
//! A wake-up on another processor takes about 50 us; a spin takes at most as long. It pays off if the last waits were
//! short, so [`SpinBudget`] allows it only then. `switch.rs` turns all of it off.

mod budget;
mod switch;

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

pub(super) use budget::SpinBudget;
pub use switch::{is_spinning, set_spinning, set_spinning_by_default};

use crate::error::Result;

/// The longest spin: 50 us, about as long as a wake-up takes.
const SPIN: Duration = Duration::from_micros(50);

/// The longest spin of a thread that has other work: 5 us, in which a process that does nothing else answers a message.
const BRIEFLY: Duration = Duration::from_micros(5);

/// A spin longer than this, 6 times the longest, was held up: other programs had its processor.
const HELD_UP: Duration = Duration::from_micros(300);

/// A spin that has begun.
pub struct Spin {
    began: Instant,
}

impl Spin {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    /// The time when it began.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Whether there is time for one more try. It yields the processor first: the process that gives the unit may
    /// need it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.goes_on_within(SPIN)
    }

    /// The same, in the midst of other work.
    pub(super) fn goes_on_briefly(&self) -> bool {
        self.goes_on_within(BRIEFLY)
    }

    fn goes_on_within(&self, longest: Duration) -> bool {
        if self.began.elapsed() > longest {
            return false;
        }
        thread::yield_now();
        true
    }

    /// The time that it has taken, if other programs kept the processor from it.
    fn held_up(&self) -> Option<Duration> {
        Some(self.began.elapsed()).filter(|took| *took > HELD_UP)
    }
}

thread_local! {
    /// The budget of the waits that this thread blocks for.
    static BUDGET: RefCell<SpinBudget> = RefCell::default();
}

/// A wait of the calling thread: `sleep`, or before it `attempt` in a loop for a moment, if the thread's last waits were
/// short and no other program wants the processors.
pub(crate) fn spin_before_sleep(
    attempt: impl FnMut() -> Result<bool>,
    sleep: impl FnOnce() -> Result<bool>,
) -> Result<bool> {
    let spins = BUDGET.with_borrow_mut(|budget| {
        budget.begin();
        budget.is_quick()
    });
    let taken = spins && spin(attempt)? || sleep()?;
    if taken {
        BUDGET.with_borrow_mut(SpinBudget::arrive);
    }
    Ok(taken)
}

fn spin(mut attempt: impl FnMut() -> Result<bool>) -> Result<bool> {
    let spin = Spin::begin();
    let found = loop {
        if attempt()? {
            break true;
        }
        if !spin.goes_on() {
            break false;
        }
    };
    BUDGET.with_borrow_mut(|budget| budget.spun(&spin, found));
    Ok(found)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Waits that end at once, until the next one would spin.
    fn hurry() {
        let begin = Instant::now();
        loop {
            let mut spun = false;
            let attempt = || {
                spun = true;
                Ok(true)
            };
            assert!(spin_before_sleep(attempt, || Ok(true)).unwrap());
            if spun {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "no wait was short");
        }
    }

    /// After waits that ended at once, without a pause: a thread that had no processor for a moment does not spin.
    fn in_a_hurry(wait: impl Fn() -> bool) {
        const TRIES: usize = 1_000;
        let spun = |_: usize| {
            hurry();
            wait()
        };
        assert!((0..TRIES).any(spun), "it never spun");
    }

    #[test]
    fn a_spin_that_finds_something_replaces_the_sleep() {
        in_a_hurry(|| {
            let (mut tries, mut slept) = (0, false);
            let attempt = || {
                tries += 1;
                Ok(tries == 2)
            };
            let sleep = || {
                slept = true;
                Ok(true)
            };
            assert!(spin_before_sleep(attempt, sleep).unwrap());
            tries == 2 && !slept
        });
    }

    #[test]
    fn a_failed_spin_sleeps_and_the_next_wait_does_not_spin() {
        in_a_hurry(|| {
            let mut tries = 0;
            let attempt = || {
                tries += 1;
                Ok(false)
            };
            assert!(!spin_before_sleep(attempt, || Ok(false)).unwrap());
            assert!(tries == 0 || spin_before_sleep(|| panic!("it spun"), || Ok(true)).unwrap());
            tries > 0
        });
    }

    #[test]
    fn an_error_ends_the_spin() {
        in_a_hurry(|| {
            let failed = spin_before_sleep(|| Err(Error::invalid("gone")), || Ok(true));
            assert!(failed == Ok(true) || failed == Err(Error::invalid("gone")));
            failed.is_err()
        });
    }

    #[test]
    fn a_spin_ends() {
        let spin = Spin::begin();
        while spin.goes_on() {}
        assert!(spin.began().elapsed() > SPIN);
    }
}
