//! The engines of limits: their common operations, and the one place that chooses an engine.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Instant;

use super::ledger::{self, Ledgers};
#[cfg(system_v_semaphores)]
use super::system_v::{self, SystemV};
use super::{LimitCreation, LimitId, LimitInfo};
use crate::access::Owner;
#[cfg(not(system_v_semaphores))]
use crate::error::Code;
use crate::error::{Error, Result};
use crate::undo::kernel_undo;
use crate::waiting::{Holder, Queue};

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

    /// Whether anything ever happened to it; if not, an `openOrCreate` may have to finish it.
    fn is_touched(&self) -> bool {
        true
    }

    /// The queue that all handles of this process on the limit share.
    fn queue(&self) -> &Arc<Queue>;

    /// The recorded number of permits; `None` where there is no record.
    fn permits(&self) -> Result<Option<u16>>;

    /// The error for a limit that has no record.
    fn no_record(&self) -> Error;

    /// Raises the recorded number at once; false when it is not `from` any more.
    fn grow(&self, from: u16, to: u16) -> Result<bool>;

    /// Takes a permit for `holder`, and blocks the calling thread until it has one; false if the deadline comes first.
    fn wait(&self, holder: &Arc<Holder>, deadline: Option<Instant>) -> Result<bool>;

    /// Whether the permits of a process that dies come back.
    fn returns_permits_of_dead(&self) -> bool;

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
pub const HAS_LIMITS: bool = true;

/// The engines of limits. A name lives in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitEngine {
    /// System V semaphores with undo.
    SystemV,
    /// A file in which each process writes what it holds.
    Ledger,
}

impl LimitEngine {
    /// The engines that limits can have on this host. The first call on Linux asks the kernel. A host without
    /// a folder for ledgers has none.
    #[must_use]
    pub fn of_this_host() -> Vec<Self> {
        let all = [Self::SystemV, Self::Ledger].into_iter();
        all.filter(|engine| engine.implementation().is_ok() && engine.is_served()).collect()
    }

    /// The engine of a new limit on this host: System V, or the ledger where the kernel would not give back the permits of a
    /// dead process.
    pub fn of_host() -> Result<Self> {
        let engine = if kernel_undo().is_trusted() { Self::SystemV } else { Self::Ledger };
        engine.implementation().map(|_| engine)
    }

    /// The error of a platform without limits.
    pub(super) fn check_platform() -> Result<()> {
        if HAS_LIMITS { Ok(()) } else { Self::Ledger.implementation().map(drop) }
    }

    /// Whether the permits of a dead process come back.
    #[must_use]
    pub fn recovers(self) -> bool {
        self == Self::Ledger || kernel_undo().is_trusted()
    }

    /// The other engine, if the host serves it.
    pub(super) fn other(self) -> Option<Self> {
        let other = match self {
            Self::SystemV => Self::Ledger,
            Self::Ledger => Self::SystemV,
        };
        Some(other).filter(|other| other.implementation().is_ok() && other.is_served())
    }

    /// The error for a System V set of this name that a filter hides from this process: the kernel's table shows it.
    ///
    /// Other processes use it: a ledger of the same name would be another limit. The engine of System V meets the filter itself.
    #[cfg_attr(
        not(system_v_semaphores),
        allow(clippy::unnecessary_wraps, reason = "no filter hides sets there")
    )]
    pub(super) fn check_hidden_set(self, id: &LimitId) -> Result<()> {
        #[cfg(system_v_semaphores)]
        if self == Self::Ledger && !id.is_key() && !kernel_undo().has_system_v() {
            return system_v::check_hidden(id);
        }
        let _ = (self, id);
        Ok(())
    }

    fn is_served(self) -> bool {
        match self {
            Self::SystemV => kernel_undo().has_system_v(),
            Self::Ledger => ledger::has_folder(),
        }
    }

    /// The operations of the engine, or the error of a platform without it.
    #[allow(clippy::unnecessary_wraps, reason = "not every platform has both")]
    pub(super) fn implementation(self) -> Result<&'static dyn Engine> {
        match self {
            #[cfg(system_v_semaphores)]
            Self::SystemV => Ok(&SystemV),
            Self::Ledger => Ok(&Ledgers),
            #[cfg(not(system_v_semaphores))]
            Self::SystemV => Err(Error::new(
                Code::NotSupported,
                format!("limits on this platform do not have the engine '{}'", self.name()),
            )),
        }
    }

    /// How JavaScript and the command line call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SystemV => "sysv",
            Self::Ledger => "ledger",
        }
    }
}
