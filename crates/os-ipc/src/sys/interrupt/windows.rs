//! An interrupt that ends a sleep: no call of this library blocks in the kernel of Windows.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;

/// The interrupt of one thread. A clone is the same interrupt.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

/// The interrupt of the thread that runs here.
pub(crate) struct Own(Interrupt);

thread_local! {
    static OWN: RefCell<Option<Interrupt>> = const { RefCell::new(None) };
}

impl Interrupt {
    #[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn install() -> Result<()> {
        Ok(())
    }

    pub(crate) fn of_this_thread() -> Own {
        let own = Self::default();
        OWN.set(Some(own.clone()));
        Own(own)
    }

    pub(crate) fn raise(&self) {
        *self.flag() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn clear(&self) {
        *self.flag() = false;
    }

    pub(crate) fn is_raised(&self) -> bool {
        *self.flag()
    }

    fn flag(&self) -> MutexGuard<'_, bool> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Own {
    type Target = Interrupt;

    fn deref(&self) -> &Interrupt {
        &self.0
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        OWN.set(None);
    }
}

/// Sleeps; true if the interrupt of this thread, if it has one, was raised before the time was over.
pub(in crate::sys) fn sleep(time: Duration) -> bool {
    let Some(own) = OWN.with_borrow(Clone::clone) else {
        std::thread::sleep(time);
        return false;
    };
    let flag = own.0.1.wait_timeout_while(own.flag(), time, |raised| !*raised);
    *flag.unwrap_or_else(PoisonError::into_inner).0
}

/// Windows has no signals.
pub(crate) fn block_other_signals() {}
