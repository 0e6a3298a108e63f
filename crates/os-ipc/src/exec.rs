//! The process becomes another program, and keeps the permits and locks that it holds.
//!
//! The kernel gives back what a process took with undo when the process ends, whatever it has become. A lock also says which
//! image of a program took it, so that a program which replaces itself finds what it forgot: here that is taken out first.

use std::ffi::c_int;

use crate::error::OsCode;
use crate::lock::LockEngine;
pub use crate::sys::exec::{Program, Surroundings};

/// `execve(2)`: returns only when the program could not be started, and everything is as it was then.
///
/// Locks that are files are closed, as every file of this library is. `ENOSYS`: this platform gives back nothing for a process
/// that was killed, so that nothing is to be passed on.
#[must_use]
pub fn become_program(program: &Program, surroundings: &Surroundings) -> OsCode {
    LockEngine::pass_on(|| crate::sys::exec::become_program(program, surroundings))
}

/// `signal(number, SIG_IGN or SIG_DFL)`, for each of these numbers: whether it is ignored.
pub fn set_signal_actions(signals: impl IntoIterator<Item = (c_int, bool)>) {
    crate::sys::exec::set_actions(signals);
}
