//! A moment of tries, instead of a sleep that somebody would have to end.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::error::Result;
use crate::sys::naps::Naps;

/// How long a look takes at the most. To be woken takes about as long.
const LOOK: Duration = Duration::from_micros(50);

/// Where it took so long, other programs had its processor.
const HELD_UP: Duration = Duration::from_micros(300);

/// A look that has begun.
pub struct Look {
    began: Instant,
    /// Between two tries it sleeps, where other programs want the processors too: who yields one to them is long in getting it
    /// back, and who sleeps gets it when he wakes.
    naps: Option<Naps>,
}

impl Look {
    pub(super) fn begin(pace: &mut Pace) -> Self {
        Self { began: Instant::now(), naps: pace.is_crowded().then(Naps::begin) }
    }

    /// When it began.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Whether there is time for one more try. Whoever is to give the unit may need this processor, and gets it first.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        if self.began.elapsed() > LOOK {
            return false;
        }
        match &self.naps {
            Some(naps) => naps.take(),
            None => thread::yield_now(),
        }
        true
    }

    /// How long it has taken, where other programs kept the processor from it.
    pub(super) fn held_up(&self) -> Option<Duration> {
        Some(self.began.elapsed()).filter(|took| *took > HELD_UP)
    }
}

thread_local! {
    /// Of the waits that this thread blocks for.
    static PACE: RefCell<Pace> = RefCell::default();
}

/// A wait of the calling thread: `sleep`, and before that `attempt`, again and again for a moment, where the thread's last
/// waits were short and no other program wants the processors.
pub(crate) fn look_before_sleep(
    attempt: impl FnMut() -> Result<bool>,
    sleep: impl FnOnce() -> Result<bool>,
) -> Result<bool> {
    let looks = PACE.with_borrow_mut(|pace| {
        pace.begin();
        pace.is_quick() && !pace.is_crowded()
    });
    let taken = looks && look(attempt)? || sleep()?;
    if taken {
        PACE.with_borrow_mut(Pace::arrive);
    }
    Ok(taken)
}

fn look(mut attempt: impl FnMut() -> Result<bool>) -> Result<bool> {
    let look = PACE.with_borrow_mut(Look::begin);
    let found = loop {
        if attempt()? {
            break true;
        }
        if !look.goes_on() {
            break false;
        }
    };
    PACE.with_borrow_mut(|pace| pace.looked(&look, found));
    Ok(found)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Waits that end at once, until the next one would look.
    fn hurry() {
        let begin = Instant::now();
        loop {
            let mut looked = false;
            let attempt = || {
                looked = true;
                Ok(true)
            };
            assert!(look_before_sleep(attempt, || Ok(true)).unwrap());
            if looked {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "no wait was short");
        }
    }

    #[test]
    fn who_finds_something_does_not_sleep() {
        hurry();
        let mut tries = 0;
        let attempt = || {
            tries += 1;
            Ok(tries == 2)
        };
        assert!(look_before_sleep(attempt, || panic!("it slept")).unwrap());
    }

    #[test]
    fn who_finds_nothing_sleeps_and_does_not_look_the_next_time() {
        hurry();
        let mut tries = 0;
        let attempt = || {
            tries += 1;
            Ok(false)
        };
        assert!(!look_before_sleep(attempt, || Ok(false)).unwrap());
        assert!(tries > 0);
        assert!(look_before_sleep(|| panic!("it looked"), || Ok(true)).unwrap());
    }

    #[test]
    fn a_failure_ends_the_look() {
        hurry();
        let failed = look_before_sleep(|| Err(Error::invalid("gone")), || panic!("it slept"));
        assert_eq!(failed, Err(Error::invalid("gone")));
    }

    #[test]
    fn a_look_in_a_crowd_sleeps_between_two_tries() {
        let mut pace = Pace::default();
        assert!(Look::begin(&mut pace).naps.is_none());
        pace.crowd(Duration::from_secs(60));
        assert!(Look::begin(&mut pace).naps.is_some());
    }

    #[test]
    fn a_look_ends() {
        let look = Look::begin(&mut Pace::default());
        while look.goes_on() {}
        assert!(look.began().elapsed() > LOOK);
    }
}
