//! The backends of memory objects: their common operations, and the one place that chooses a backend.

use std::fmt::{Debug, Display};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{MemoryId, MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, Result};
use crate::hints::Wanted;
use crate::name::Name;
use crate::sys::mapping::Mapping;

/// The place that an id stands for: the operations of each backend.
pub(super) trait Place {
    /// Creates an object; `EEXIST` if it exists.
    fn make(&self, size: NonZeroUsize, mode: u32) -> Result<Box<dyn Object>>;

    /// The existing object.
    fn find(&self, writable: bool, owner: Owner) -> Result<Box<dyn Object>>;

    /// Removes the object; false if there is none.
    fn remove(&self) -> Result<bool>;

    /// Adds a hint from the state of this place to an error.
    fn explain(&self, error: Error, wanted: Wanted) -> Error;
}

/// An existing object. `Display` writes its name or id, for messages.
pub(super) trait Object: Display + Send + Sync {
    fn kind(&self) -> MemoryKind;

    /// The name of a POSIX object.
    fn name(&self) -> Option<&Name> {
        None
    }

    /// The key of a System V segment, if it has one.
    fn key(&self) -> Option<i32> {
        None
    }

    /// The id of a System V segment.
    fn id(&self) -> Option<i32> {
        None
    }

    /// Maps the whole object.
    fn map(&self, writable: bool) -> Result<Mapping>;

    /// Fails if a peer truncated the object, which had `size` bytes, to fewer than `end`.
    fn check_size(&self, _end: usize, _size: usize) -> Result<()> {
        Ok(())
    }

    /// Maps the object again over its missing pages.
    fn mend(&self, _mapping: &Mapping) -> Result<()> {
        Ok(())
    }

    /// The error for pages within the first `end` bytes that were missing in the middle of a copy.
    fn torn(&self, _end: usize, size: usize) -> Error {
        Error::new(Code::Truncated, format!("another process truncated {self}, which had {size} bytes"))
    }

    fn info(&self) -> Result<SharedMemoryInfo>;

    fn identity(&self) -> Arc<dyn Identity>;
}

/// One object, as opposed to a later one of the same name.
pub(super) trait Identity: Debug + Send + Sync {
    /// Removes the object; an object that is already removed is no error.
    fn remove(&self) -> Result<()>;
}

/// Chooses the backend.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "not every platform has one")]
pub(super) fn place(id: &MemoryId) -> Result<Box<dyn Place + '_>> {
    Ok(match id {
        MemoryId::Name(name) => Box::new(super::posix::Named(name)),
        MemoryId::Key(key) => Box::new(super::system_v::Keyed(*key)),
    })
}

/// Chooses the backend.
#[cfg(windows)]
pub(super) fn place(id: &MemoryId) -> Result<Box<dyn Place + '_>> {
    match id {
        MemoryId::Name(name) => Ok(Box::new(super::windows::Named(name))),
        MemoryId::Key(_) => Err(missing(id)),
    }
}

/// The segment of an id, where the platform has System V segments.
#[cfg(unix)]
pub(super) fn attach(segment: i32, owner: Owner) -> Result<Box<dyn Object>> {
    super::system_v::attach(segment, owner)
}

/// The segment of an id, where the platform has System V segments.
#[cfg(windows)]
pub(super) fn attach(segment: i32, _owner: Owner) -> Result<Box<dyn Object>> {
    Err(missing(format_args!("of the id {segment}")))
}

#[cfg(windows)]
fn missing(object: impl Display) -> Error {
    Error::new(Code::NotSupported, format!("Windows has no shared memory {object}"))
        .with_hint("use a name: keys and ids belong to System V")
}
