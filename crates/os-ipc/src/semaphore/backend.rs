//! The backends of semaphores: what each of them has, and the one place where one is chosen.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

#[cfg(unix)]
use super::posix::Posix;
#[cfg(system_v_semaphores)]
use super::system_v::SystemV;
use super::{Creation, SemaphoreId, SemaphoreInfo, SemaphoreWords};
use crate::access::Owner;
use crate::error::{Code, Error, Remedy, Result};
use crate::hints::Wanted;
use crate::name::Name;
use crate::waiting::Queue;

/// The systems that a semaphore can live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// semget(2): found by key, crash-safe permits.
    SystemV,
    /// sem_open(3): found by name.
    Posix,
}

/// What a backend can do on this platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Whether the counter can be read.
    pub(super) has_value: bool,
    /// Whether the kernel itself ends a wait after a time; where not, we do.
    pub(super) has_timed_wait: bool,
    /// Whether removing a semaphore wakes those who wait on it.
    pub(super) unlink_wakes: bool,
    /// The largest counter.
    pub(super) value_max: u32,
    /// The most bytes after the slash of a name that another program chose, where they are fewer than elsewhere.
    pub(super) foreign_name_max: Option<usize>,
}

/// What each backend has.
pub(super) trait Engine: Sync {
    fn facts(&self) -> Facts;

    /// Whether the kernel gives a dead process's permits back.
    fn recovers_permits(&self) -> bool {
        false
    }

    fn create(&self, id: &SemaphoreId, creation: Creation) -> Result<Box<dyn Object>>;

    fn open(&self, id: &SemaphoreId, owner: Owner) -> Result<Box<dyn Object>>;

    /// The semaphore, and whether this call made it.
    fn open_or_create(
        &self,
        id: &SemaphoreId,
        creation: Creation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)>;

    /// Removes the semaphore of this id; false when there was none.
    fn unlink(&self, id: &SemaphoreId) -> Result<bool>;

    /// Every semaphore that we may read.
    fn list(&self) -> Result<Vec<SemaphoreInfo>>;

    /// Whether something of this backend has the name, whoever may use it.
    fn has(&self, name: &Name) -> bool;

    /// Adds what can be found out to an error of this backend.
    fn explain(&self, error: Error, id: &SemaphoreId, wanted: Wanted) -> Error;
}

/// An open semaphore of some backend.
pub(super) trait Object: Send + Sync {
    fn backend(&self) -> Backend;

    /// The name with its slash; empty for a raw key.
    fn name(&self) -> &str;

    /// Whether it is known to be the one of this name.
    fn verified(&self) -> bool {
        true
    }

    /// The queue that all handles of this process on it share.
    fn queue(&self) -> Arc<Queue>;

    fn value(&self) -> Result<u32>;

    /// Adds units, all or none.
    fn post(&self, count: u32) -> Result<()>;

    fn words(&self) -> Option<SemaphoreWords> {
        None
    }

    fn wake_one(&self) {}

    /// Whether the calling thread can block for itself until the deadline, without the queue.
    fn may_block(&self, deadline: Option<Instant>) -> bool;

    /// Takes a unit, and blocks the calling thread until it has one; false if the deadline comes first.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool>;

    fn info(&self) -> Result<SemaphoreInfo>;

    fn identity(&self) -> Arc<dyn Identity>;
}

/// One semaphore, and none that takes its name after it.
pub(super) trait Identity: Debug + Send + Sync {
    /// Removes it; it is no error when it was removed before.
    fn remove(&self) -> Result<()>;
}

impl Backend {
    /// All of them; a name means the first one that this platform has.
    pub const ALL: [Self; 2] = [Self::SystemV, Self::Posix];

    /// The one place where a backend is chosen; `None` where this platform lacks it.
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
        }
    }

    /// The engine, or why there is none.
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

    /// The option of the package that takes this backend.
    pub(super) fn remedy(self) -> Remedy {
        match self {
            Self::SystemV => Remedy::SystemV,
            Self::Posix => Remedy::Posix,
        }
    }

    fn facts(self) -> Facts {
        self.engine().map(Engine::facts).unwrap_or_default()
    }

    /// What programs call it: `sysv` or `posix`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemV => "sysv",
            Self::Posix => "posix",
        }
    }

    /// The one that programs call so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|backend| backend.name() == name)
    }

    /// Whether this platform has the backend.
    #[must_use]
    pub fn is_available(self) -> bool {
        self.engine().is_some()
    }

    /// Whether the kernel gives back the permits of a dead process. The first call on Linux asks the kernel.
    #[must_use]
    pub fn recovers_permits(self) -> bool {
        self.engine().is_some_and(Engine::recovers_permits)
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

/// System V on Linux, POSIX on darwin.
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
        })
    }
}
