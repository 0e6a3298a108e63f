//! The identity of a handle's semaphore, for the time after the handle.

use std::sync::Arc;

use super::backend::Identity;
use crate::error::Result;

/// One semaphore, as opposed to a later one of the same name.
#[derive(Clone, Debug)]
pub struct SemaphoreIdentity(pub(super) Arc<dyn Identity>);

impl SemaphoreIdentity {
    /// Does what [`Semaphore::unlink`](super::Semaphore::unlink) does; a semaphore that is already removed is no error.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }
}
