//! The arguments and results of the calls of System V semaphores, on every platform.

use crate::sys::access::Access;

/// The fate of an operation when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// `SEM_UNDO`: the kernel reverses it.
    Yes,
    /// It stays.
    No,
}

/// The kernel's state of a set.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) key: i32,
    pub(crate) access: Access,
    pub(crate) size: usize,
    /// Seconds since 1970 of the last semop(2); 0 means never.
    pub(crate) operated: i64,
    /// Seconds since 1970 of the creation or the last change by semctl(2).
    pub(crate) changed: i64,
}
