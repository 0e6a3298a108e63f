//! The process goes on as another program.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod imp;

use std::ffi::{CString, c_int};

pub(crate) use imp::*;

/// What a process was started with, where a runtime has changed it since: the program that it becomes has it again.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Signals that were ignored, 1 to 31. The others of these have their default action.
    pub ignored: Vec<c_int>,
    /// Open files, besides the standard streams, that the program is to have.
    pub open: Vec<c_int>,
    /// Standard streams whose reads and writes did not block.
    pub nonblocking: Vec<c_int>,
    /// How many files it could have open: the soft `RLIMIT_NOFILE`. `None` leaves it as it is.
    pub most_open: Option<u64>,
}

/// A program as execve(2) takes it.
#[derive(Debug)]
pub struct Program {
    /// Its arguments, the first of which is its name: looked for as execvp(3) does.
    pub words: Vec<CString>,
    /// An assignment each.
    pub environment: Vec<CString>,
}
