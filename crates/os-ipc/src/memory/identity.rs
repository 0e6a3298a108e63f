//! The identity of a handle's object, for the time after the handle.

use super::{MemoryId, explain, posix, system_v};
use crate::error::Result;
use crate::name::Name;
use crate::sys::named_memory;

/// One object, as opposed to a later one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryIdentity(Identity);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    Posix(Name, named_memory::Identity),
    SystemV(i32),
}

impl MemoryIdentity {
    pub(super) fn posix(name: &Name, identity: named_memory::Identity) -> Self {
        Self(Identity::Posix(name.clone(), identity))
    }

    pub(super) fn system_v(segment: i32) -> Self {
        Self(Identity::SystemV(segment))
    }

    /// Does what [`SharedMemory::remove`](super::SharedMemory::remove) does.
    pub fn remove(&self) -> Result<()> {
        match &self.0 {
            Identity::Posix(name, identity) => posix::remove_object(name, *identity)
                .map_err(|error| explain::removing(error, &MemoryId::Name(name.clone()))),
            Identity::SystemV(id) => {
                system_v::remove_object(*id).map_err(|error| explain::segment(error, *id))
            }
        }
    }
}
