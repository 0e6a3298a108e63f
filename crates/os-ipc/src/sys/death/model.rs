//! The processes of the model checker: all live until [`kill`].

use std::ffi::c_int;

use super::{ProcessId, Sight};
use crate::sys::wake;

/// A watch on a process.
#[derive(Debug)]
pub(crate) struct Watch(pub(in crate::sys) ProcessId);

/// Ends a process.
pub(crate) fn kill(id: ProcessId) {
    wake::with_world(|world| world.dead.push(id));
}

pub(crate) fn watch(id: ProcessId) -> Sight {
    let is_dead = wake::with_world(|world| world.dead.contains(&id));
    if is_dead { Sight::Dead } else { Sight::Alive(Watch(id)) }
}

pub(crate) fn is_stopped(_: ProcessId) -> bool {
    false
}

#[allow(clippy::unnecessary_wraps, reason = "the same face as the real one")]
pub(super) fn start(_: c_int) -> Option<u32> {
    Some(1)
}
