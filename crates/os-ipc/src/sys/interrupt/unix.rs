//! An interrupt that is a signal to one thread.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::retry;
use super::signal::{self, Station, Stay};
use crate::error::{Error, Result};
use crate::sync::AtomicBool;

/// Calls one thread out of its blocking calls. A clone is the same interrupt.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<Inside>);

struct Inside {
    station: Station,
    /// Whether the thread was called and has not seen it.
    raised: AtomicBool,
}

/// The interrupt of the thread that runs here; when this is dropped, nobody calls the thread any more.
pub(crate) struct Own {
    interrupt: Interrupt,
    _stay: Stay,
}

impl Interrupt {
    /// To be called before a thread is sent to block: somebody may have taken the handler away since the last time.
    pub(crate) fn install() -> Result<()> {
        signal::install_interrupt()
            .map_err(|errno| Error::system("cannot wait", "sigaction", "SIGURG", errno))
    }

    pub(crate) fn of_this_thread() -> Own {
        let stay = Station::enter();
        let station = stay.station().clone();
        Own { interrupt: Self(Arc::new(Inside { station, raised: AtomicBool::new(false) })), _stay: stay }
    }

    /// Calls the thread out of its blocking call, or out of the next one.
    pub(crate) fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
        self.0.station.interrupt();
        retry::until_seen(self.clone());
    }

    /// The thread sees what it was called for; to be called by that thread alone.
    pub(crate) fn clear(&self) {
        self.0.raised.store(false, Ordering::SeqCst);
    }

    /// Whether the thread was called and has not seen it.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst)
    }

    /// Signals once more; false when the thread has seen it, or is gone.
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
