//! Files that processes lock with flock(2), in a folder of the user.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub(crate) use imp::*;

/// The way of locking a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Shared with other processes; otherwise exclusive.
    pub(crate) shared: bool,
    /// Waits for the lock; otherwise `EAGAIN` means that another process has it.
    pub(crate) waits: bool,
}
