//! An interrupt that is only a flag: no call of this library blocks in the kernel of Windows yet.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Result;

/// The interrupt of one thread. A clone is the same interrupt.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The interrupt of the thread that runs here.
pub(crate) struct Own(Interrupt);

impl Interrupt {
    #[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn install() -> Result<()> {
        Ok(())
    }

    pub(crate) fn of_this_thread() -> Own {
        Own(Self::default())
    }

    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn clear(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Deref for Own {
    type Target = Interrupt;

    fn deref(&self) -> &Interrupt {
        &self.0
    }
}

/// Windows has no signals.
pub(crate) fn block_other_signals() {}
