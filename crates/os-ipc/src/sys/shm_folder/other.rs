//! Platforms whose POSIX objects are no files: nothing is known of where they are.

use super::types::{Fault, Owned, Room};
use crate::name::Name;

pub(crate) const PATH: &str = "/dev/shm";

pub(crate) fn fault(_making: bool) -> Option<Fault> {
    None
}

pub(crate) fn room() -> Option<Room> {
    None
}

pub(crate) fn memory(_name: &Name) -> Option<Owned> {
    None
}

pub(crate) fn semaphore(_name: &Name) -> Option<Owned> {
    None
}
