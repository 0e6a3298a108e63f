//! Which object a handle had open, for when the handle is gone.

use std::sync::Arc;

use super::backend::Identity;
use crate::error::Result;

/// One object, and none that takes its name after it.
#[derive(Clone, Debug)]
pub struct MemoryIdentity(pub(super) Arc<dyn Identity>);

impl MemoryIdentity {
    /// [`SharedMemory::unlink`](super::SharedMemory::unlink)
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }
}
