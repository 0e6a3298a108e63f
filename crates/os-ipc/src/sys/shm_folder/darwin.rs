//! For platforms whose POSIX objects are not files: their place is not known.

use std::path::Path;

use super::types::{Fault, Room};
use crate::name::Name;
use crate::sys::access::Access;

pub(crate) const PATH: &str = "/dev/shm";

pub(crate) fn fault(_making: bool) -> Option<Fault> {
    None
}

pub(crate) fn room() -> Option<Room> {
    None
}

pub(crate) fn room_of(_folder: &Path) -> Option<Room> {
    None
}

pub(crate) fn memory(_name: &Name) -> Option<Access> {
    None
}

pub(crate) fn semaphore(_name: &Name) -> Option<Access> {
    None
}
