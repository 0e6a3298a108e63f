//! An interrupt as a signal to one thread.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::retry;
use super::signal::{self, Station, Stay};
use crate::error::{Error, Result};
use crate::sync::AtomicBool;

/// The interrupt of one thread: it ends the thread's blocking calls. A clone is the same interrupt.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<Inside>);

struct Inside {
    station: Station,
    /// Whether the interrupt was raised and the thread has not seen it.
    raised: AtomicBool,
}

/// The interrupt of the thread that runs here; after this is dropped, no signal goes to the thread any more.
pub(crate) struct Own {
    interrupt: Interrupt,
    _stay: Stay,
}

impl Interrupt {
    /// Called before a thread is sent to block: other code may have replaced the handler since the last time.
    pub(crate) fn install() -> Result<()> {
        signal::install_interrupt()
            .map_err(|errno| Error::system("cannot wait", "sigaction", "SIGURG", errno))
    }

    pub(crate) fn of_this_thread() -> Own {
        let stay = Station::enter();
        let station = stay.station().clone();
        Own { interrupt: Self(Arc::new(Inside { station, raised: AtomicBool::new(false) })), _stay: stay }
    }

    /// Ends the blocking call of the thread, or its next one.
    pub(crate) fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.station.interrupt();
        retry::until_seen(self.clone());
    }

    /// The thread has seen the interrupt; only that thread calls this.
    pub(crate) fn clear(&self) {
        self.0.raised.store(false, Ordering::SeqCst);
    }

    /// Whether the interrupt was raised and the thread has not seen it.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Sends the signal once more; false if the thread has seen it, or is gone.
    pub(super) fn again(&self) -> bool {
        self.is_raised() && self.0.station.interrupt()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Own {
    type Target = Interrupt;

    fn deref(&self) -> &Interrupt {
        &self.interrupt
    }
}
