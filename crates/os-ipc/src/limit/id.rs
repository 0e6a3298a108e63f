//! The identity of a limit: a name or a raw key.

use std::fmt;

use super::engine::LimitEngine;
#[cfg(system_v_semaphores)]
use crate::counter_set::{Kind, SetName};
use crate::error::Result;
use crate::key::Key;
use crate::name::Name;

/// The checked identity of a limit.
#[derive(Clone, Debug)]
pub struct LimitId {
    /// `None` for a raw key.
    name: Option<Name>,
    key: Key,
}

impl LimitId {
    /// The limit of a name; a missing leading slash is added.
    pub fn named(name: &str) -> Result<Self> {
        Self::of_name(Name::semaphore(name)?)
    }

    /// The limit of a name that another program may have chosen: for opening or removing, not for creating.
    pub fn existing(name: &str) -> Result<Self> {
        Self::of_name(Name::existing_semaphore(name)?)
    }

    /// The limit of a raw System V key.
    pub fn keyed(key: i32) -> Result<Self> {
        Self { name: None, key: Key::from_raw(key)? }.available()
    }

    fn of_name(name: Name) -> Result<Self> {
        let key = Key::of_name(&name)?;
        Self { name: Some(name), key }.available()
    }

    fn available(self) -> Result<Self> {
        LimitEngine::check_platform().map(|()| self)
    }

    /// Whether it is a raw key.
    pub(super) fn is_key(&self) -> bool {
        self.name.is_none()
    }

    /// The name; `None` for a raw key.
    pub(super) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Its set.
    #[cfg(system_v_semaphores)]
    pub(super) fn set_name(&self) -> SetName {
        SetName::new(Kind::Limit, self.name.clone(), self.key)
    }
}

impl fmt::Display for LimitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(out, "'{name}'"),
            None => write!(out, "{}", self.key),
        }
    }
}
