//! The identity of a handle's object, for the time after the handle.

use std::sync::Arc;

use super::backend::Identity;
use crate::error::Result;

/// One object, as opposed to a later one of the same name.
#[derive(Clone, Debug)]
pub struct MemoryIdentity(pub(super) Arc<dyn Identity>);

impl MemoryIdentity {
    /// Does what [`SharedMemory::unlink`](super::SharedMemory::unlink) does.
    pub fn remove(&self) -> Result<()> {
        self.0.remove()
    }
}
