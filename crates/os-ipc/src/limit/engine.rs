//! The engines of limits: their common operations, and the one place that chooses an engine.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

#[cfg(system_v_semaphores)]
use super::system_v::SystemV;
use super::{LimitCreation, LimitId, LimitInfo};
use crate::access::Owner;
#[cfg(not(system_v_semaphores))]
use crate::error::Code;
use crate::error::{Error, Result};
use crate::waiting::Queue;

/// The operations of each engine.
pub(super) trait Engine: Sync {
    fn create(&self, id: &LimitId, creation: LimitCreation) -> Result<Box<dyn Object>>;

    fn open(&self, id: &LimitId, owner: Owner) -> Result<Box<dyn Object>>;

    /// The limit, and whether this call created it.
    fn open_or_create(
        &self,
        id: &LimitId,
        creation: LimitCreation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)>;

    /// Removes the limit of this id; false if it does not exist.
    fn unlink(&self, id: &LimitId) -> Result<bool>;

    /// Every limit that we may read.
    fn list(&self) -> Result<Vec<LimitInfo>>;
}

/// An open limit of some engine.
pub(super) trait Object: Send + Sync {
    /// The name with its slash; empty for a raw key.
    fn name(&self) -> &str;

    /// Whether it is known to be the limit of this name.
    fn verified(&self) -> bool;

    /// The queue that all handles of this process on the limit share.
    fn queue(&self) -> &Arc<Queue>;

    /// The recorded number of permits; `None` where there is no record.
    fn permits(&self) -> Result<Option<u16>>;

    /// The error for a limit that has no record.
    fn no_record(&self) -> Error;

    /// Raises the recorded number at once; false when it is not `from` any more.
    fn grow(&self, from: u16, to: u16) -> Result<bool>;

    /// Takes a permit, and blocks the calling thread until it has one; false if the deadline comes first.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool>;

    /// Says whether what this process holds is for the program that it becomes; false where nothing has to be said.
    fn hand_on(&self, handed_on: bool) -> Result<bool>;

    fn info(&self) -> Result<LimitInfo>;

    fn identity(&self) -> Arc<dyn Identity>;
}

/// One limit, as opposed to a later one of the same name.
pub(super) trait Identity: Debug + Send + Sync {
    /// Removes the limit; a limit that is already removed is no error.
    fn remove(&self) -> Result<()>;
}

/// Whether this platform has limits.
pub const HAS_LIMITS: bool = cfg!(system_v_semaphores);

/// The engine of this platform, or the error of a platform without one.
#[allow(clippy::unnecessary_wraps, reason = "not every platform has one")]
pub(super) fn engine() -> Result<&'static dyn Engine> {
    #[cfg(system_v_semaphores)]
    return Ok(&SystemV);
    #[cfg(not(system_v_semaphores))]
    Err(Error::new(
        Code::NotSupported,
        "os-ipc has no limits on this platform: its kernel does not give back what a dead process took",
    ))
}
