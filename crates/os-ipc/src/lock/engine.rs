//! What locks are made of.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::{LockInfo, LockName, LockRequest, files, idle, registry, system_v};
use crate::error::Result;
use crate::undo::kernel_undo;
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
    /// The one of this host: System V, or files where the kernel would not free the locks of a dead process.
    ///
    /// A process keeps to one: its locks of two engines would not exclude each other.
    pub fn of_platform() -> Result<Self> {
        if Self::is_system_v() { Ok(Self::SystemV) } else { files::of_user().map(Self::Files) }
    }

    /// Whether locks of this host are System V sets. The first call on Linux asks the kernel.
    #[must_use]
    pub fn is_system_v() -> bool {
        static SYSTEM_V: LazyLock<bool> = LazyLock::new(|| kernel_undo().is_trusted());
        *SYSTEM_V
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

    /// Who holds locks and who waits for them.
    ///
    /// Holders: this process's in the order of their requests, then other processes'. Then waiters by the time at which
    /// they asked. Another process's stand together where its first one is: it has one place in the kernel's line.
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

    /// The process is about to exit: from now on a lock is closed as soon as nobody uses it.
    pub fn before_exit() {
        idle::stop();
    }

    /// Closes the locks of this process that nobody uses, which otherwise stay open for a moment.
    pub fn close_unused() {
        idle::close_all();
    }

    /// Runs `act`, in which the process may become another program: what it has of locks stays its own then.
    pub(crate) fn pass_on<T>(act: impl FnOnce() -> T) -> T {
        system_v::pass_on(act)
    }

    /// Removes some of what programs left that were killed, or became another program: sets that nobody uses.
    pub fn tidy(&self) -> Result<()> {
        match self {
            Self::SystemV => system_v::tidy(),
            Self::Files(_) => Ok(()),
        }
    }

    /// Every lock that is there.
    pub fn list(&self) -> Result<Vec<LockInfo>> {
        match self {
            Self::SystemV => system_v::list(),
            Self::Files(folder) => files::list(folder),
        }
    }
}
