//! Mapped memory: MapViewOfFile.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Mutex;

use crate::error::OsCode;
use crate::sys::named_memory::{self, Handle};

/// A range of this process's addresses that shows an object, until this is dropped.
pub(crate) struct Mapping {
    pub(super) start: NonNull<u8>,
    pub(super) length: NonZeroUsize,
    pub(super) writable: bool,
    /// Keeps the name of the object while the range is in use: a name ends with its last handle, whatever shows the memory.
    handle: Mutex<Option<Handle>>,
}

// SAFETY: the range is this process's, not a thread's. What is in it is shared with other processes anyway, is only ever
// touched through raw pointers, and nobody is promised more than `copy.rs` says.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// `MapViewOfFile(handle, ..., length)`
    pub(crate) fn of_file(handle: &Handle, length: NonZeroUsize, writable: bool) -> Result<Self, OsCode> {
        let start = handle.map(length.get(), writable)?;
        Ok(Self { start, length, writable, handle: Mutex::new(Some(Handle::clone(handle))) })
    }

    /// Whether a peer can truncate the object: a file mapping keeps its size.
    #[allow(clippy::unused_self, reason = "the same face as that of Unix")]
    pub(crate) fn can_be_cut(&self) -> bool {
        false
    }

    #[allow(clippy::unused_self, reason = "the same face as that of Unix")]
    pub(crate) fn expect_cut(&self) {}

    #[allow(clippy::unused_self, reason = "the same face as that of Unix")]
    pub(crate) fn torn(&self) -> bool {
        false
    }

    /// Closes the handle, and so the name; the range keeps the memory.
    ///
    /// Windows cannot put zeros into the place of a view in one step: in between, a thread that still reads or writes the
    /// range would crash, or find another mapping there.
    pub(crate) fn vacate(&self) -> Result<(), OsCode> {
        drop(self.handle.lock().map(|mut handle| handle.take()));
        Err(OsCode::ENOSYS)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        named_memory::unmap(self.start);
    }
}
