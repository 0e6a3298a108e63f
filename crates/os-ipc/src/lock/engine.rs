//! The engines of locks.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::{LockInfo, LockName, LockRequest, files, idle, registry, system_v};
use crate::error::Result;
use crate::undo::kernel_undo;
use crate::waiting::Queue;

/// The kernel's means that locks are made of. Locks of two engines do not exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockEngine {
    /// System V semaphores with undo.
    SystemV,
    /// Files with flock(2), in this folder of the user.
    Files(PathBuf),
}

impl LockEngine {
    /// The engine of this host: System V, or files where the kernel would not free the locks of a dead process.
    ///
    /// A process keeps one engine: its locks of two engines would not exclude each other.
    pub fn of_platform() -> Result<Self> {
        if Self::is_system_v() { Ok(Self::SystemV) } else { files::of_user().map(Self::Files) }
    }

    /// Whether locks of this host are System V sets. The first call on Linux asks the kernel.
    #[must_use]
    pub fn is_system_v() -> bool {
        static SYSTEM_V: LazyLock<bool> = LazyLock::new(|| kernel_undo().is_trusted());
        *SYSTEM_V
    }

    /// The engine of files in this folder, for tests.
    #[must_use]
    pub fn in_folder(folder: &str) -> Self {
        Self::Files(PathBuf::from(folder))
    }

    /// A queue of this process for the lock.
    pub(super) fn queue(&self, name: &LockName) -> Arc<Queue> {
        match self {
            Self::SystemV => Queue::of_lock(system_v::SetLock::new(name.clone())),
            Self::Files(folder) => Queue::of_lock(files::FileLock::new(folder, name.clone())),
        }
    }

    /// The requests that hold locks or wait for them.
    ///
    /// First the holders: those of this process in the order of their requests, then those of other processes. Then the
    /// waiters by the time at which they asked. The waiters of another process stand together at the place of its first
    /// one: a process has one place in the kernel's wait list.
    pub fn requests(&self) -> Result<Vec<LockRequest>> {
        let pid = std::process::id().cast_signed();
        let mut requests = registry::requests(self, pid);
        requests.extend(match self {
            Self::SystemV => system_v::survey(pid)?,
            Self::Files(folder) => files::survey(folder, pid)?,
        });
        requests.sort_by_key(|request| if request.held { 0 } else { request.asked.max(1) });
        Ok(requests)
    }

    /// The process is about to exit: from now on an unused lock is closed at once.
    pub fn before_exit() {
        idle::stop();
    }

    /// Closes the unused locks of this process, which otherwise stay open for a moment.
    pub fn close_unused() {
        idle::close_all();
    }

    /// Every lock that exists.
    pub fn list(&self) -> Result<Vec<LockInfo>> {
        match self {
            Self::SystemV => system_v::list(),
            Self::Files(folder) => files::list(folder),
        }
    }
}
