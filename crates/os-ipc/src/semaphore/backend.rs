//! The backends of semaphores: their common operations, and the one place that chooses a backend.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

#[cfg(windows)]
use super::ledger::Ledgers;
#[cfg(unix)]
use super::posix::Posix;
#[cfg(system_v_semaphores)]
use super::system_v::SystemV;
use super::{Creation, SemaphoreId, SemaphoreInfo};
use crate::access::Owner;
use crate::error::{Code, Error, Remedy, Result};
use crate::hints::Wanted;
#[cfg(unix)]
use crate::name::Name;
use crate::waiting::Queue;

/// The systems that a semaphore can belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// semget(2): found by key.
    SystemV,
    /// sem_open(3): found by name.
    Posix,
    /// A ledger in shared memory of Windows: found by name.
    Windows,
}

/// The abilities of a backend on this platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Whether the counter can be read.
    pub(super) has_value: bool,
    /// Whether the kernel can end a wait after a time; if not, this library ends it.
    pub(super) has_timed_wait: bool,
    /// Whether removing a semaphore wakes its waiters.
    pub(super) unlink_wakes: bool,
    /// The largest counter.
    pub(super) value_max: u32,
    /// The most units of one post, where the backend adds them one by one.
    pub(super) post_max: Option<u32>,
    /// The most bytes after the slash of a name that another program chose, if the backend allows fewer than we do.
    pub(super) foreign_name_max: Option<usize>,
}

/// The operations of each backend.
pub(super) trait Engine: Sync {
    fn facts(&self) -> Facts;

    fn create(&self, id: &SemaphoreId, creation: Creation) -> Result<Box<dyn Object>>;

    fn open(&self, id: &SemaphoreId, owner: Owner) -> Result<Box<dyn Object>>;

    /// The semaphore, and whether this call created it.
    fn open_or_create(
        &self,
        id: &SemaphoreId,
        creation: Creation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)>;

    /// Removes the semaphore of this id; false if it does not exist.
    fn unlink(&self, id: &SemaphoreId) -> Result<bool>;

    /// Every semaphore that we may read.
    fn list(&self) -> Result<Vec<SemaphoreInfo>>;

    /// Whether this backend has an object of this name, even one that we may not use. Windows has one backend only.
    #[cfg(unix)]
    fn has(&self, name: &Name) -> bool;

    /// Adds a hint from the state of the semaphore to an error of this backend.
    fn explain(&self, error: Error, id: &SemaphoreId, wanted: Wanted) -> Error;
}

/// An open semaphore of some backend.
pub(super) trait Object: Send + Sync {
    fn backend(&self) -> Backend;

    /// The name with its slash; empty for a raw key.
    fn name(&self) -> &str;

    /// Whether it is known to be the semaphore of this name.
    fn verified(&self) -> bool {
        true
    }

    /// The queue that all handles of this process on the semaphore share.
    fn queue(&self) -> Arc<Queue>;

    fn value(&self) -> Result<u32>;

    /// Adds units, all or none.
    fn post(&self, count: u32) -> Result<()>;

    /// Whether the calling thread can block in the kernel until the deadline, without the queue.
    fn may_block(&self, deadline: Option<Instant>) -> bool;

    /// Takes a unit, and blocks the calling thread until it has one; false if the deadline comes first.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool>;

    fn info(&self) -> Result<SemaphoreInfo>;

    fn identity(&self) -> Arc<dyn Identity>;
}

/// One semaphore, as opposed to a later one of the same name.
pub(super) trait Identity: Debug + Send + Sync {
    /// Removes the semaphore; a semaphore that is already removed is no error.
    fn remove(&self) -> Result<()>;
}

impl Backend {
    /// All backends, in the order of preference for a name.
    pub const ALL: [Self; 3] = [Self::SystemV, Self::Posix, Self::Windows];

    /// Chooses the backend; `None` if this platform lacks it.
    #[allow(clippy::unnecessary_wraps, reason = "not every platform has all of them")]
    pub(super) fn engine(self) -> Option<&'static dyn Engine> {
        match self {
            #[cfg(system_v_semaphores)]
            Self::SystemV => Some(&SystemV),
            #[cfg(not(system_v_semaphores))]
            Self::SystemV => None,
            #[cfg(unix)]
            Self::Posix => Some(&Posix),
            #[cfg(not(unix))]
            Self::Posix => None,
            #[cfg(windows)]
            Self::Windows => Some(&Ledgers),
            #[cfg(not(windows))]
            Self::Windows => None,
        }
    }

    /// The engine, or the error of a platform without it.
    pub(super) fn available(self) -> Result<&'static dyn Engine> {
        self.engine().ok_or_else(|| {
            let what = format!("os-ipc has no {self} semaphores on this platform");
            let error = Error::new(Code::NotSupported, what);
            match Self::ALL.into_iter().find(|other| other.is_available()) {
                Some(other) => error
                    .with_hint(format!("use a name, which gives a {other} semaphore"))
                    .with_remedy(other.remedy()),
                None => error,
            }
        })
    }

    /// The remedy of this package that uses this backend.
    pub(super) fn remedy(self) -> Remedy {
        match self {
            Self::SystemV => Remedy::SystemV,
            Self::Posix => Remedy::Posix,
            Self::Windows => Remedy::Open,
        }
    }

    fn facts(self) -> Facts {
        self.engine().map(Engine::facts).unwrap_or_default()
    }

    /// The name of the backend for programs: `sysv`, `posix` or `windows`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemV => "sysv",
            Self::Posix => "posix",
            Self::Windows => "windows",
        }
    }

    /// The backend of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    /// Whether this platform has the backend.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.engine().is_some()
    }

    /// Whether the counter can be read.
    #[must_use]
    pub fn has_value(self) -> bool {
        self.facts().has_value
    }

    /// The largest counter: SEMVMX of semop(2), or SEM_VALUE_MAX of sem_post(3).
    #[must_use]
    pub fn value_max(self) -> u32 {
        self.facts().value_max
    }

    /// The most units that one post adds.
    #[must_use]
    pub fn post_max(self) -> u32 {
        let Facts { value_max, post_max, .. } = self.facts();
        post_max.map_or(value_max, |most| most.min(value_max))
    }

    /// Whether the kernel can end a wait after a time; if not, this library ends it.
    #[must_use]
    pub fn has_timed_wait(self) -> bool {
        self.facts().has_timed_wait
    }

    /// Whether removing a semaphore wakes its waiters.
    #[must_use]
    pub fn unlink_wakes(self) -> bool {
        self.facts().unlink_wakes
    }

    pub(super) fn foreign_name_max(self) -> Option<usize> {
        self.facts().foreign_name_max
    }
}

/// System V on Linux, POSIX on darwin, that of Windows there.
impl Default for Backend {
    fn default() -> Self {
        Self::ALL.into_iter().find(|backend| backend.is_available()).unwrap_or(Self::SystemV)
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::SystemV => "System V",
            Self::Posix => "POSIX",
            Self::Windows => "Windows",
        })
    }
}
