//! Which limit: a name or a raw key.

use std::fmt;

use crate::counter_set::{Kind, SetName};
use crate::error::{Code, Error, Result};
use crate::key::Key;
use crate::name::Name;
use crate::sys;

/// Whether this platform has limits.
pub const HAS_LIMITS: bool = sys::system_v::semaphore::AVAILABLE;

/// Which limit, checked.
#[derive(Clone, Debug)]
pub struct LimitId(SetName);

impl LimitId {
    /// The limit of a name; a missing leading slash is added.
    pub fn named(name: &str) -> Result<Self> {
        Self::of_name(Name::semaphore(name)?)
    }

    /// The limit of a name that another program may have chosen: to open or to remove, not to make.
    pub fn existing(name: &str) -> Result<Self> {
        Self::of_name(Name::existing_semaphore(name)?)
    }

    /// The limit of a raw System V key.
    pub fn keyed(key: i32) -> Result<Self> {
        Self::available(None, Key::from_raw(key)?)
    }

    fn of_name(name: Name) -> Result<Self> {
        let key = Key::of_name(&name)?;
        Self::available(Some(name), key)
    }

    fn available(name: Option<Name>, key: Key) -> Result<Self> {
        if HAS_LIMITS {
            return Ok(Self(SetName::new(Kind::Limit, name, key)));
        }
        Err(Error::new(
            Code::NotSupported,
            "this platform has no limits: its kernel does not undo what a dead process took",
        ))
    }

    pub(super) fn set_name(&self) -> &SetName {
        &self.0
    }
}

impl fmt::Display for LimitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
