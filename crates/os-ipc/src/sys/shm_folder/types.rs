//! What can be known of the folder of POSIX objects, on every platform.

use crate::sys::access::Access;

/// Why no object can be found or made in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    /// It is there, and this process may not look at it.
    Hidden,
    NoFolder,
    NotSearchable(Access),
    NotWritable(Access),
    ReadOnly,
}

/// How much room is in the folder's file system; totals of 0 are no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) free_files: u64,
    pub(crate) files: u64,
}
