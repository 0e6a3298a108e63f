//! A stand-in until Windows has a backend: nothing is known of other processes.

use std::ffi::c_int;

use super::{ProcessId, Sight};

/// There are none.
#[derive(Debug)]
pub(crate) enum Watch {}

pub(crate) fn watch(_: ProcessId) -> Sight {
    Sight::Blind
}

pub(crate) fn is_dead(_: ProcessId) -> bool {
    false
}

pub(crate) fn is_stopped(_: ProcessId) -> bool {
    false
}

pub(super) fn start(_: c_int) -> Option<u32> {
    None
}
