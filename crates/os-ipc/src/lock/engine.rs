//! What locks are made of.

use std::path::PathBuf;
use std::sync::Arc;

use super::{LockInfo, LockName, LockRequest, files, idle, registry, system_v};
use crate::error::Result;
use crate::sys;
use crate::waiting::Queue;

/// What locks are made of. Those of two engines have nothing to do with each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockEngine {
    /// System V semaphores with undo.
    SystemV,
    /// Files with flock(2), in this folder of the user's own.
    Files(PathBuf),
}

impl LockEngine {
    /// The one of this platform.
    pub fn of_platform() -> Result<Self> {
        if sys::system_v::semaphore::AVAILABLE {
            Ok(Self::SystemV)
        } else {
            files::of_user().map(Self::Files)
        }
    }

    /// That of files in this folder, for tests.
    #[must_use]
    pub fn in_folder(folder: &str) -> Self {
        Self::Files(PathBuf::from(folder))
    }

    /// A line of this process for the lock.
    pub(super) fn queue(&self, name: &LockName) -> Arc<Queue> {
        match self {
            Self::SystemV => Queue::of_lock(system_v::SetLock::new(name.clone())),
            Self::Files(folder) => Queue::of_lock(files::FileLock::new(folder, name.clone())),
        }
    }

    /// Who holds locks and who waits for them: this process's, in the order of their requests, then other processes'.
    pub fn requests(&self) -> Result<Vec<LockRequest>> {
        let pid = std::process::id().cast_signed();
        let mut requests = registry::requests(self, pid);
        requests.extend(match self {
            Self::SystemV => system_v::survey(pid)?,
            Self::Files(folder) => files::survey(folder, pid),
        });
        Ok(requests)
    }

    /// The process is about to exit: from now on a lock is closed as soon as nobody uses it.
    pub fn before_exit() {
        idle::stop();
    }

    /// Closes the locks of this process that nobody uses, which otherwise stay open for a moment.
    pub fn close_unused() {
        idle::close_all();
    }

    /// Every lock that is there.
    pub fn list(&self) -> Result<Vec<LockInfo>> {
        match self {
            Self::SystemV => system_v::list(),
            Self::Files(folder) => Ok(files::list(folder)),
        }
    }
}
