//! The identity of a semaphore: a name or a raw key, and its backend.

use std::fmt;

use super::Backend;
use super::backend::Engine;
#[cfg(system_v_semaphores)]
use crate::counter_set::{Kind, SetName};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::name::Name;

/// The checked identity of a semaphore.
#[derive(Clone, Debug)]
pub struct SemaphoreId {
    backend: Backend,
    name: Option<Name>,
    /// The System V key; `None` for POSIX.
    key: Option<Key>,
}

impl SemaphoreId {
    /// The semaphore of a name; a missing leading slash is added.
    pub fn named(name: &str, backend: Backend) -> Result<Self> {
        Self::of_name(Name::semaphore(name)?, backend)
    }

    /// The semaphore of a name that another program may have chosen: for opening or removing, not for creating.
    pub fn existing(name: &str, backend: Backend) -> Result<Self> {
        let name = Name::existing_semaphore(name)?;
        let bytes = name.as_str().len() - 1;
        match backend.foreign_name_max() {
            Some(most) if bytes > most => Err(Error::invalid(format!(
                "a {backend} semaphore's name has at most {most} bytes after its slash, this one has {bytes}"
            ))),
            _ => Self::of_name(name, backend),
        }
    }

    fn of_name(name: Name, backend: Backend) -> Result<Self> {
        let key = match backend {
            Backend::SystemV => Some(Key::of_name(&name)?),
            Backend::Posix | Backend::Windows => None,
        };
        Self { backend, name: Some(name), key }.available()
    }

    /// The System V semaphore of a raw key.
    pub fn keyed(key: i32) -> Result<Self> {
        Self { backend: Backend::SystemV, name: None, key: Some(Key::from_raw(key)?) }.available()
    }

    fn available(self) -> Result<Self> {
        self.backend.available().map(|_| self)
    }

    /// The engine of its backend.
    pub(super) fn engine(&self) -> Result<&'static dyn Engine> {
        self.backend.available()
    }

    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    #[cfg(system_v_semaphores)]
    pub(super) fn name(&self) -> &str {
        self.name.as_ref().map_or("", Name::as_str)
    }

    /// The set of a System V semaphore.
    #[cfg(system_v_semaphores)]
    pub(super) fn set_name(&self) -> Result<SetName> {
        let key = self.key.ok_or_else(|| Error::invalid("a POSIX semaphore has no key"))?;
        Ok(SetName::new(Kind::Semaphore, self.name.clone(), key))
    }

    /// The name that it was given, which a raw key has none of.
    pub(super) fn given_name(&self) -> Option<&Name> {
        self.name.as_ref()
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
