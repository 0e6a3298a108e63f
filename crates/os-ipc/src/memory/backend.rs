//! The systems that memory objects live in: what each of them has, and the one place where one is chosen.

use std::fmt::{Debug, Display};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{MemoryId, MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, Result};
use crate::hints::Wanted;
use crate::name::Name;
use crate::sys::mapping::Mapping;

/// Where an id leads to: what each system has.
pub(super) trait Place {
    /// Makes a new object; `EEXIST` when there is one.
    fn make(&self, size: NonZeroUsize, mode: u32) -> Result<Box<dyn Object>>;

    /// The object that is there.
    fn find(&self, writable: bool, owner: Owner) -> Result<Box<dyn Object>>;

    /// Removes what is there: false when there is nothing.
    fn remove(&self) -> Result<bool>;

    /// Adds what can be found out to an error of this place.
    fn explain(&self, error: Error, wanted: Wanted) -> Error;
}

/// An object that is there. `Display` calls it by its name or id, for messages.
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

    /// Fails when a peer has cut the object, which had `size` bytes, to fewer than `end`.
    fn check_size(&self, _end: usize, _size: usize) -> Result<()> {
        Ok(())
    }

    /// Shows the object again where its pages had been missing.
    fn mend(&self, _mapping: &Mapping) -> Result<()> {
        Ok(())
    }

    /// Why pages within the first `end` bytes were missing in the middle of a copy.
    fn torn(&self, _end: usize, size: usize) -> Error {
        Error::new(Code::Truncated, format!("{self} had {size} bytes and was cut by another process"))
    }

    fn info(&self) -> Result<SharedMemoryInfo>;

    fn identity(&self) -> Arc<dyn Identity>;
}

/// One object, and none that takes its name after it.
pub(super) trait Identity: Debug + Send + Sync {
    /// Removes it; it is no error when it was removed before.
    fn remove(&self) -> Result<()>;
}

/// The one place where a system is chosen.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "not every platform has one")]
pub(super) fn place(id: &MemoryId) -> Result<Box<dyn Place + '_>> {
    Ok(match id {
        MemoryId::Name(name) => Box::new(super::posix::Named(name)),
        MemoryId::Key(key) => Box::new(super::system_v::Keyed(*key)),
    })
}

/// The one place where a system is chosen.
#[cfg(not(unix))]
pub(super) fn place(id: &MemoryId) -> Result<Box<dyn Place + '_>> {
    Err(missing(id))
}

/// The segment of an id; where there are System V segments.
#[cfg(unix)]
pub(super) fn attach(segment: i32, owner: Owner) -> Result<Box<dyn Object>> {
    super::system_v::attach(segment, owner)
}

/// The segment of an id; where there are System V segments.
#[cfg(not(unix))]
pub(super) fn attach(segment: i32, _owner: Owner) -> Result<Box<dyn Object>> {
    Err(missing(format_args!("of the id {segment}")))
}

#[cfg(not(unix))]
fn missing(object: impl Display) -> Error {
    Error::new(Code::NotSupported, format!("os-ipc has no shared memory on this platform: {object}"))
}
