//! What a set with a counter is, and what it is called.

use std::fmt;

use crate::error::{Code, Error, Remedy};
use crate::key::Key;
use crate::name::Name;
use crate::record::{self, LIMIT_MARK, LIMIT_SIZE, MARK};

/// What a set with a counter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its units have no owner.
    Semaphore,
    /// Its units are permits.
    Limit,
}

impl Kind {
    /// How messages call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Semaphore => "semaphore",
            Self::Limit => "limit",
        }
    }

    /// What the set holds as its mark.
    pub(super) fn mark(self) -> u16 {
        match self {
            Self::Semaphore => MARK,
            Self::Limit => LIMIT_MARK,
        }
    }

    /// How many semaphores the set for `name` has.
    pub(super) fn size(self, name: &str) -> usize {
        match self {
            Self::Semaphore => record::set_size(name),
            Self::Limit => LIMIT_SIZE,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Semaphore => Self::Limit,
            Self::Limit => Self::Semaphore,
        }
    }
}

/// Which set, and what it is to be.
#[derive(Clone, Debug)]
pub(crate) struct SetName {
    kind: Kind,
    /// `None` for a raw key.
    name: Option<Name>,
    key: Key,
}

impl SetName {
    pub(crate) fn new(kind: Kind, name: Option<Name>, key: Key) -> Self {
        Self { kind, name, key }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// With its slash; empty for a raw key.
    pub(crate) fn name(&self) -> &str {
        self.name.as_ref().map_or("", Name::as_str)
    }

    /// The name, unless it is a raw key.
    pub(crate) fn given_name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// The set that is there is of the other kind.
    pub(crate) fn wrong_kind(&self) -> Error {
        let (kind, other) = (self.kind, self.kind.other());
        let what = format!("{self} is a {}, and not a {}", other.noun(), kind.noun());
        let hint = format!(
            "open it as a {}, or choose another name: a name stands for a semaphore or for a limit, not for both",
            other.noun()
        );
        Error::new(Code::WrongKind, what).with_hint(hint).with_remedy(match other {
            Kind::Semaphore => Remedy::Semaphore,
            Kind::Limit => Remedy::Limit,
        })
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(out, "'{name}'"),
            None => write!(out, "{}", self.key),
        }
    }
}
