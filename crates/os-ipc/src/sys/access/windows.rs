//! Owners are security identifiers. What Unix keeps beside them is 0, as in Node's `fs.Stats` on Windows.

use std::os::windows::io::BorrowedHandle;

use super::Access;
use crate::sys::kernel_object;

pub(crate) use crate::sys::kernel_object::Owned;

impl Access {
    /// The owner of a kernel object; the mode is that of its list of access.
    pub(in crate::sys) fn of_object(object: BorrowedHandle<'_>) -> Self {
        Self { uid: 0, creator_uid: 0, gid: 0, mode: 0o600, owned: kernel_object::owner(object) }
    }
}

/// There are no uids.
pub(crate) fn own_uid() -> u32 {
    0
}
