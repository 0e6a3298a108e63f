//! flock(2) on a regular file. The kernel releases it when its holder dies.
//!
//! macOS locks neither FIFOs nor objects of shm_open(2). An flock belongs to the open file, so the threads of a process need a
//! lock of their own beside it.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::sys::OsCode;

/// A file whose lock is the guard.
pub(crate) struct Guard(File);

/// The guard, until this is dropped.
pub(crate) struct Held<'a>(&'a File);

impl Guard {
    pub(crate) fn of(file: File) -> Self {
        Self(file)
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// `flock(file, LOCK_EX | LOCK_NB)`: the guard, if no other process has it.
    pub(crate) fn try_hold(&self) -> Result<Option<Held<'_>>, OsCode> {
        // SAFETY: no pointers, and the descriptor is open as long as `self` is.
        let locked = crate::sys::uninterrupted(|| unsafe {
            libc::flock(self.0.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB)
        });
        match locked {
            Ok(_) => Ok(Some(Held(&self.0))),
            Err(OsCode::EAGAIN) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Held<'_> {
    /// `flock(file, LOCK_UN)`
    fn drop(&mut self) {
        // SAFETY: no pointers, and the descriptor is open. The only error is that of a bad descriptor.
        unsafe { libc::flock(self.0.as_raw_fd(), libc::LOCK_UN) };
    }
}
