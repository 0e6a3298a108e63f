//! Which semaphore a handle had open, for when the handle is gone.

use std::sync::Arc;

use super::backend::Identity;
use crate::error::Result;

/// One semaphore, and none that takes its name after it.
#[derive(Clone, Debug)]
pub struct SemaphoreIdentity(pub(super) Arc<dyn Identity>);

impl SemaphoreIdentity {
    /// [`Semaphore::unlink`](super::Semaphore::unlink); it is no error when the semaphore was removed before.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }
}
