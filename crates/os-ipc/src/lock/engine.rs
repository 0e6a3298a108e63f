//! The engines of locks.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::files;
#[cfg(system_v_semaphores)]
use super::system_v;
use super::{LockInfo, LockName, LockRequest, idle, registry};
use crate::error::{Code, Error, Result};
use crate::undo::kernel_undo;
use crate::waiting::Queue;

/// The engines of this platform. Locks of two engines do not exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockEngine {
    /// System V semaphores with undo.
    #[cfg(system_v_semaphores)]
    SystemV,
    /// Files with flock(2), in this folder of the user.
    Files(PathBuf),
}

/// The error of a lock that would open its object after the process has closed all.
pub(super) fn process_ends() -> Error {
    Error::new(Code::Closed, "the process is about to exit")
}

/// The operations of each engine.
pub(super) trait Engine {
    /// A queue of this process for the lock.
    fn queue(&self, name: &LockName) -> Arc<Queue>;

    /// The requests of all processes, without those of this copy of the library in the process `own_pid`.
    fn survey(&self, own_pid: i32) -> Result<Vec<LockRequest>>;

    /// Every lock that exists.
    fn list(&self) -> Result<Vec<LockInfo>>;

    /// Removes some of what unused locks leave behind, where they leave anything.
    fn tidy(&self) -> Result<()> {
        Ok(())
    }
}

impl LockEngine {
    /// The engine of this host: System V, or files where the kernel would not free the locks of a dead process.
    ///
    /// A process keeps one engine: its locks of two engines would not exclude each other.
    pub fn of_platform() -> Result<Self> {
        #[cfg(system_v_semaphores)]
        if Self::is_system_v() {
            return Ok(Self::SystemV);
        }
        files::of_user().map(Self::Files)
    }

    /// Whether locks of this host are System V sets. The first call on Linux asks the kernel.
    #[must_use]
    pub fn is_system_v() -> bool {
        static SYSTEM_V: LazyLock<bool> = LazyLock::new(|| kernel_undo().is_trusted());
        *SYSTEM_V
    }

    /// The engine of files in this folder, for tests.
    #[allow(clippy::unnecessary_wraps, reason = "not every platform has it")]
    pub fn in_folder(folder: &str) -> Result<Self> {
        Ok(Self::Files(PathBuf::from(folder)))
    }

    /// Chooses the engine.
    fn engine(&self) -> Box<dyn Engine + '_> {
        match *self {
            #[cfg(system_v_semaphores)]
            Self::SystemV => Box::new(system_v::Sets),
            Self::Files(ref folder) => Box::new(files::InFolder(folder)),
        }
    }

    /// A queue of this process for the lock.
    pub(super) fn queue(&self, name: &LockName) -> Arc<Queue> {
        self.engine().queue(name)
    }

    /// The requests that hold locks or wait for them.
    ///
    /// First the holders: those of this process in the order of their requests, then those of other processes. Then the
    /// waiters by the time at which they asked. The waiters of another process stand together at the place of its first
    /// one: a process has one place in the kernel's wait list.
    pub fn requests(&self) -> Result<Vec<LockRequest>> {
        let pid = std::process::id().cast_signed();
        let mut requests = registry::requests(self, pid);
        requests.extend(self.engine().survey(pid)?);
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

    /// Runs `act`, in which the process may become another program: its locks stay with the process then.
    pub(crate) fn pass_on<T>(act: impl FnOnce() -> T) -> T {
        #[cfg(system_v_semaphores)]
        return system_v::pass_on(act);
        #[cfg(not(system_v_semaphores))]
        act()
    }

    /// Removes some unused locks of this user: of programs that were killed, or became another program.
    pub fn tidy(&self) -> Result<()> {
        self.engine().tidy()
    }

    /// Every lock that exists.
    pub fn list(&self) -> Result<Vec<LockInfo>> {
        self.engine().list()
    }
}
