//! Mapped memory: mmap(2) for files, shmat(2) for System V segments.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::OsCode;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

use crate::sys::VACATED_SEGMENT_IS_DETACHED;
use crate::sys::bus_guard::{self, Guard};

/// A range of this process's addresses that shows an object, until this is dropped.
pub(crate) struct Mapping {
    pub(super) start: NonNull<u8>,
    pub(super) length: NonZeroUsize,
    pub(super) writable: bool,
    /// The range shows private zeros instead of the object.
    vacated: AtomicBool,
    shows: Shows,
}

enum Shows {
    File(Guard),
    Segment,
}

// SAFETY: the range is this process's, not a thread's. What is in it is shared with other processes anyway, is only ever
// touched through raw pointers, and nobody is promised more than `copy.rs` says.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// `mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)`
    pub(crate) fn of_file(file: &File, length: NonZeroUsize, writable: bool) -> Result<Self, OsCode> {
        // SAFETY: a new range, chosen by the kernel, touches nobody's memory.
        let start =
            unsafe { mmap(None, length, protection(writable), MapFlags::MAP_SHARED, file, 0) }?.cast::<u8>();
        let guard = Guard::over(start.addr().get(), length.get());
        Ok(Self { start, length, writable, vacated: AtomicBool::new(false), shows: Shows::File(guard) })
    }

    /// `shmat(segment, NULL, SHM_RDONLY or 0)`
    pub(crate) fn of_segment(segment: i32, length: NonZeroUsize, writable: bool) -> Result<Self, OsCode> {
        let flags = if writable { 0 } else { libc::SHM_RDONLY };
        // SAFETY: a new range, chosen by the kernel, touches nobody's memory.
        let start = unsafe { libc::shmat(segment, ptr::null(), flags) };
        // shmat's failure is the address -1.
        let start = if start.addr() == usize::MAX { Err(OsCode::last()) } else { Ok(start.cast::<u8>()) }?;
        let start = NonNull::new(start).ok_or(OsCode::EINVAL)?;
        Ok(Self { start, length, writable, vacated: AtomicBool::new(false), shows: Shows::Segment })
    }

    /// Whether a peer can truncate the object.
    pub(crate) fn can_be_cut(&self) -> bool {
        matches!(self.shows, Shows::File(_))
    }

    /// A copy is about to touch a range that can be truncated.
    #[allow(clippy::unused_self, reason = "it is about this range")]
    pub(crate) fn expect_cut(&self) {
        bus_guard::renew_soon();
    }

    /// Whether missing pages were touched, and replaced by zeros.
    pub(crate) fn torn(&self) -> bool {
        matches!(&self.shows, Shows::File(guard) if guard.torn())
    }

    /// `mmap(start, length, ..., MAP_SHARED | MAP_FIXED, file, 0)`: maps the object again over the replaced pages.
    pub(crate) fn mend(&self, file: &File) -> Result<(), OsCode> {
        let Shows::File(guard) = &self.shows else { return Ok(()) };
        guard.mend();
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        // SAFETY: the range is ours, and the replacement is as large and as writable as what it replaces.
        unsafe { mmap(Some(self.start.addr()), self.length, protection(self.writable), flags, file, 0) }?;
        Ok(())
    }

    /// `mmap(start, length, ..., MAP_FIXED | MAP_ANONYMOUS)`: from now on the range shows private zeros.
    ///
    /// For memory that may still be in use, such as by a read or write of a file in a thread of libuv's pool: the
    /// thread finds zeros there, and never a later mapping. System V counts it as a detach.
    pub(crate) fn vacate(&self) -> Result<(), OsCode> {
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED | MapFlags::MAP_NORESERVE;
        // SAFETY: the range is ours, and stays valid for whoever touches it.
        unsafe { mmap_anonymous(Some(self.start.addr()), self.length, protection(true), flags) }?;
        self.vacated.store(true, Ordering::Release);
        Ok(())
    }
}

fn protection(writable: bool) -> ProtFlags {
    if writable { ProtFlags::PROT_READ | ProtFlags::PROT_WRITE } else { ProtFlags::PROT_READ }
}

impl Drop for Mapping {
    /// `shmdt(start)` if the segment still counts as attached, otherwise `munmap(start, length)`.
    fn drop(&mut self) {
        let vacated = *self.vacated.get_mut();
        if let Shows::Segment = self.shows
            && !(vacated && VACATED_SEGMENT_IS_DETACHED)
        {
            // SAFETY: `start` is what shmat returned, and nobody uses the range any more. It cannot fail for that.
            unsafe { libc::shmdt(self.start.as_ptr().cast()) };
            return;
        }
        // The handler of SIGBUS has to forget the range before another mapping can get it.
        self.shows = Shows::Segment;
        // SAFETY: the range is ours, and nobody uses it any more. A range that was mapped can be unmapped.
        let _ = unsafe { munmap(self.start.cast(), self.length.get()) };
    }
}
