//! What locks are made of.

use std::sync::Arc;

use super::{LockInfo, LockName, LockRequest, roster, system_v};
use crate::error::Result;
use crate::sys;
use crate::waiting::Queue;

/// What locks are made of. Those of two engines have nothing to do with each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockEngine {
    /// System V semaphores with undo.
    SystemV,
}

impl LockEngine {
    /// The one of this platform.
    pub fn of_platform() -> Result<Self> {
        Ok(Self::SystemV)
    }

    /// That of files in this folder, for tests.
    pub fn in_folder(_folder: &str) -> Result<Self> {
        todo!()
    }

    /// A line of this process for the lock.
    pub(super) fn queue(&self, name: &LockName) -> Arc<Queue> {
        match self {
            Self::SystemV => Queue::new(system_v::SetLock::new(name.clone())),
        }
    }

    /// Who holds locks and who waits for them: this process's, in the order of their requests, then other processes'.
    pub fn requests(&self) -> Result<Vec<LockRequest>> {
        let pid = std::process::id().cast_signed();
        let mut requests = roster::requests(self, pid);
        requests.extend(match self {
            Self::SystemV => system_v::survey(pid)?,
        });
        Ok(requests)
    }

    /// Every lock that is there.
    pub fn list(&self) -> Result<Vec<LockInfo>> {
        match self {
            Self::SystemV if !sys::sysv_sem::AVAILABLE => Ok(Vec::new()),
            Self::SystemV => system_v::list(),
        }
    }
}
