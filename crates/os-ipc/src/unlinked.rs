//! Removes the object of a handle once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Result;

/// Whether a handle has removed its object. A removal that failed can be tried again.
#[derive(Debug, Default)]
pub(crate) struct Unlinked(AtomicBool);

impl Unlinked {
    /// Calls `remove` unless an earlier call of it succeeded.
    pub(crate) fn once(&self, remove: impl FnOnce() -> Result<()>) -> Result<()> {
        if !self.0.load(Ordering::Relaxed) {
            remove()?;
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}
