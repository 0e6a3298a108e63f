//! The shortest sleeps that the system has: nanosleep(2) without the slack that timers have, prctl(2).

use std::ffi::c_int;
use std::thread;
use std::time::Duration;

/// The calling thread's sleeps end on time, until this is dropped.
pub(crate) struct Naps {
    slack: c_int,
}

impl Naps {
    /// `prctl(PR_SET_TIMERSLACK, 1)`: a nanosecond instead of 50 us.
    pub(crate) fn begin() -> Self {
        // SAFETY: no pointers.
        let slack = unsafe { libc::prctl(libc::PR_GET_TIMERSLACK, 0, 0, 0, 0) };
        set_slack(1);
        Self { slack }
    }

    /// Sleeps for a microsecond and what it takes to get up.
    #[allow(clippy::unused_self, reason = "there are short sleeps only while this is there")]
    pub(crate) fn take(&self) {
        thread::sleep(Duration::from_micros(1));
    }
}

impl Drop for Naps {
    fn drop(&mut self) {
        // 0 would mean the slack that the thread began with.
        if self.slack > 0 {
            set_slack(self.slack);
        }
    }
}

fn set_slack(nanoseconds: c_int) {
    // SAFETY: no pointers. Where it fails the sleeps are longer.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slack_of_the_thread_is_what_it_was_afterwards() {
        // SAFETY: no pointers.
        let slack = || unsafe { libc::prctl(libc::PR_GET_TIMERSLACK, 0, 0, 0, 0) };
        let before = slack();
        let naps = Naps::begin();
        naps.take();
        assert_eq!(slack(), 1);
        drop(naps);
        assert_eq!(slack(), before);
        assert!(before > 1);
    }
}
