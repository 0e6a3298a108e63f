//! The state of the folder of POSIX objects, on every platform.

use crate::sys::access::Access;

/// The reason why no object can be found or created in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    /// It exists, and this process may not search for it.
    Hidden,
    NoFolder,
    NotSearchable(Access),
    NotWritable(Access),
    ReadOnly,
}

/// The room in the folder's file system; a total of 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) free_files: u64,
    pub(crate) files: u64,
}
