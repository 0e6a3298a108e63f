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
