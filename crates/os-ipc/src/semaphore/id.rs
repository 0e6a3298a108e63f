//! Which semaphore: a name or a raw key, and the system it lives in.

use std::fmt;

use crate::counter_set::{Kind, SetName};
use crate::error::{Code, Error, Remedy, Result};
use crate::key::Key;
use crate::name::{MAX_FOREIGN_BYTES, Name};
use crate::sys;
use crate::sys::named_semaphore::FILE_PREFIX;

/// The system's two kinds of semaphores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// semget(2): found by key.
    SystemV,
    /// sem_open(3): found by name.
    Posix,
}

impl Backend {
    /// What a name means when nobody says: System V on Linux, POSIX on darwin.
    pub const DEFAULT: Self = if sys::system_v::semaphore::AVAILABLE { Self::SystemV } else { Self::Posix };

    /// Whether this platform has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::SystemV => sys::system_v::semaphore::AVAILABLE,
            Self::Posix => true,
        }
    }

    /// Whether the counter can be read.
    #[must_use]
    pub fn has_value(self) -> bool {
        match self {
            Self::SystemV => sys::system_v::semaphore::AVAILABLE,
            Self::Posix => sys::named_semaphore::HAS_VALUE,
        }
    }

    /// The largest counter: SEMVMX of semop(2), or SEM_VALUE_MAX of sem_post(3).
    #[must_use]
    pub fn value_max(self) -> u32 {
        match self {
            Self::SystemV => u32::from(super::VALUE_MAX),
            Self::Posix => sys::named_semaphore::VALUE_MAX,
        }
    }

    /// Whether the kernel itself can end a wait after a time; where not, we do.
    #[must_use]
    pub fn has_timed_wait(self) -> bool {
        self == Self::SystemV && sys::system_v::semaphore::AVAILABLE
    }

    /// Whether removing a semaphore wakes those who wait on it.
    #[must_use]
    pub fn unlink_wakes(self) -> bool {
        self == Self::SystemV && sys::system_v::semaphore::AVAILABLE
    }
}

/// Which semaphore, checked.
#[derive(Clone, Debug)]
pub struct SemaphoreId {
    backend: Backend,
    name: Option<Name>,
    /// The System V key; nothing on POSIX.
    key: Option<Key>,
}

impl SemaphoreId {
    /// The semaphore of a name; a missing leading slash is added.
    pub fn named(name: &str, backend: Backend) -> Result<Self> {
        Self::of_name(Name::semaphore(name)?, backend)
    }

    /// The semaphore of a name that another program may have chosen: to open or to remove, not to make.
    pub fn existing(name: &str, backend: Backend) -> Result<Self> {
        let name = Name::existing_semaphore(name)?;
        // Its file has the C library's prefix before the name.
        let most = MAX_FOREIGN_BYTES - FILE_PREFIX.map_or(0, str::len);
        let bytes = name.as_str().len() - 1;
        if backend == Backend::Posix && bytes > most {
            return Err(Error::invalid(format!(
                "a POSIX semaphore's name has at most {most} bytes after its slash, this one has {bytes}"
            )));
        }
        Self::of_name(name, backend)
    }

    fn of_name(name: Name, backend: Backend) -> Result<Self> {
        let key = match backend {
            Backend::SystemV => Some(Key::of_name(&name)?),
            Backend::Posix => None,
        };
        Self { backend, name: Some(name), key }.available()
    }

    /// The System V semaphore of a raw key.
    pub fn keyed(key: i32) -> Result<Self> {
        Self { backend: Backend::SystemV, name: None, key: Some(Key::from_raw(key)?) }.available()
    }

    fn available(self) -> Result<Self> {
        if self.backend.is_available() {
            return Ok(self);
        }
        Err(Error::new(Code::NotSupported, "os-ipc has no System V semaphores on this platform")
            .with_hint("use a name, which gives a POSIX semaphore")
            .with_remedy(Remedy::Posix))
    }

    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_ref().map_or("", Name::as_str)
    }

    /// The set of a System V semaphore.
    pub(super) fn set_name(&self) -> Result<SetName> {
        let key = self.key.ok_or_else(|| Error::invalid("a POSIX semaphore has no key"))?;
        Ok(SetName::new(Kind::Semaphore, self.name.clone(), key))
    }

    pub(super) fn name_of_posix(&self) -> Result<&Name> {
        self.name.as_ref().ok_or_else(|| Error::invalid("a POSIX semaphore has a name, not a key"))
    }
}

impl fmt::Display for SemaphoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.key) {
            (Some(name), _) => write!(out, "'{name}'"),
            (None, Some(key)) => write!(out, "{key}"),
            (None, None) => Ok(()),
        }
    }
}
