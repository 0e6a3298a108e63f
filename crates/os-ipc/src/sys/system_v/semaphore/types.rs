//! What the calls of System V semaphores take and answer, on every platform.

use crate::sys::access::Access;

/// What the kernel does with an operation when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// `SEM_UNDO`: it is reversed.
    Yes,
    /// It stays.
    No,
}

/// What the kernel knows about a set.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) key: i32,
    pub(crate) access: Access,
    pub(crate) size: usize,
    /// Seconds since 1970 of the last semop(2); 0 for never.
    pub(crate) operated: i64,
    /// Seconds since 1970 of the creation or the last change by semctl(2).
    pub(crate) changed: i64,
}
