//! Where the kernel keeps no undos, a process has nothing to pass on to the program that it becomes.

use std::ffi::c_int;

use super::{Program, Surroundings};
use crate::sys::OsCode;

pub(crate) fn become_program(_: &Program, _: &Surroundings) -> OsCode {
    OsCode::ENOSYS
}

/// `signal(number, SIG_IGN or SIG_DFL)` for each of these. An unknown number changes nothing.
pub(crate) fn set_actions(signals: impl IntoIterator<Item = (c_int, bool)>) {
    for (signal, ignored) in signals {
        // SAFETY: both are actions without code of ours.
        unsafe { libc::signal(signal, if ignored { libc::SIG_IGN } else { libc::SIG_DFL }) };
    }
}
