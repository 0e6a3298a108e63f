//! The watch of Unix: a file descriptor that tells a death.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A file that becomes readable when a process dies: a pidfd, or a kqueue of its own, so that poll(2) can wait for it.
#[derive(Debug)]
pub(crate) struct Watch(pub(super) OwnedFd);

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Watch {
    /// `poll({fd, POLLIN}, 1, 0)`: whether the process has died. All of its threads have ended then.
    pub(crate) fn is_over(&self) -> bool {
        crate::sys::is_readable(self.0.as_raw_fd())
    }
}
