//! Hints from the state of a semaphore set that a call failed at.

use super::Remedy;
pub(crate) use super::system_v::refused_set as refused;
use super::system_v::{By, explain};
use crate::error::{Error, OsCode};
use crate::sys::system_v::semaphore::SemaphoreLimits;
use crate::sys::system_v::table::SETS;

/// Explains an error of semget, semop or semctl. `elsewhere` finds the name in the other backend.
pub(crate) fn explained(error: Error, by: By, elsewhere: impl FnOnce() -> Option<(String, Remedy)>) -> Error {
    explain(error, SETS, by, elsewhere)
}

/// Adds the host's limits where a set could not be created for lack of room.
pub(crate) fn with_limits(error: Error) -> Error {
    if error.errno() != Some(OsCode::ENOSPC) {
        return error;
    }
    match SemaphoreLimits::of_host() {
        Some(SemaphoreLimits { in_all, sets, .. }) => error.with_hint(format!(
            "the disk is not full: the host allows {sets} sets (SEMMNI) with {in_all} semaphores (SEMMNS) in all, and \
             one of the two is used up; `ipcs -s` lists them, sysctl kernel.sem raises the limits"
        )),
        None => error.with_hint("the disk is not full: the limits of System V semaphores are reached"),
    }
}
