//! A moment of tries, instead of a sleep that somebody would have to end.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use super::pace::Pace;
use crate::error::Result;

/// How long a look takes at the most. To be woken takes about as long.
const LOOK: Duration = Duration::from_micros(50);

/// Where it took so long, other programs had its processor.
const HELD_UP: Duration = Duration::from_micros(300);

/// A look that has begun.
pub struct Look(Instant);

impl Look {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// When it began.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.0
    }

    /// Whether there is time for one more try. Whoever is to give the unit may need this processor, and gets it first.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        if self.0.elapsed() > LOOK {
            return false;
        }
        thread::yield_now();
        true
    }

    /// How long it has taken, where other programs kept the processor from it.
    pub(super) fn held_up(&self) -> Option<Duration> {
        Some(self.0.elapsed()).filter(|took| *took > HELD_UP)
    }
}

thread_local! {
    /// Of the waits that this thread blocks for.
    static PACE: RefCell<Pace> = RefCell::default();
}

/// A wait of the calling thread: `sleep`, and before that `attempt`, again and again for a moment, where the thread's last
/// waits were short.
pub(crate) fn look_before_sleep(
    attempt: impl FnMut() -> Result<bool>,
    sleep: impl FnOnce() -> Result<bool>,
) -> Result<bool> {
    let quick = PACE.with_borrow_mut(|pace| {
        pace.begin();
        pace.is_quick()
    });
    let taken = quick && look(attempt)? || sleep()?;
    if taken {
        PACE.with_borrow_mut(Pace::arrive);
    }
    Ok(taken)
}

fn look(mut attempt: impl FnMut() -> Result<bool>) -> Result<bool> {
    let look = Look::begin();
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
