//! Hints for the errors that leave this module, from the state of their object.

use super::MemoryId;
use crate::error::Error;
use crate::hints::posix::Wanted;
use crate::hints::system_v::By;
use crate::hints::{posix, system_v};

pub(super) fn opening(error: Error, id: &MemoryId) -> Error {
    explained(error, id, Wanted::Open)
}

pub(super) fn making(error: Error, id: &MemoryId, size: u64) -> Error {
    explained(error, id, Wanted::Make(size))
}

pub(super) fn removing(error: Error, id: &MemoryId) -> Error {
    explained(error, id, Wanted::Remove)
}

/// For a segment that is known by its id.
pub(super) fn segment(error: Error, id: i32) -> Error {
    system_v::segment(error, By::Id(id))
}

fn explained(error: Error, id: &MemoryId, wanted: Wanted) -> Error {
    match id {
        MemoryId::Name(name) => posix::memory(error, name, wanted),
        MemoryId::Key(key) => system_v::segment(error, By::Key(key.raw())),
    }
}
