//! The right to remove the name of a file in `/dev/shm`: no call compares a file with its name and removes the name at once.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use super::code::OsCode;
use super::file_identity::FileIdentity;
use crate::patience::Patience;

/// As long as it exists, no process of this package removes the name from the file that has it. A process that is killed
/// lets go of it.
pub(crate) struct KeptName(#[allow(dead_code, reason = "it has the lock")] File);

/// `flock` of the file that has this name.
///
/// None if there is no file, if this user may not read it, or if another program keeps the lock. A removal then goes on
/// without it, and can meet a file that took the name some microseconds before.
pub(crate) fn keep(path: &Path) -> Option<KeptName> {
    /// A removal takes microseconds.
    const LONGEST: Duration = Duration::from_millis(200);
    const BETWEEN_TRIES: Duration = Duration::from_micros(100);
    let mut patience = Patience::new();
    loop {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .ok()?;
        let identity = FileIdentity::of(&file.metadata().ok()?);
        // SAFETY: the descriptor is open.
        match OsCode::result(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
            // Unless whoever had the lock before has removed the name.
            Ok(_) if fs::symlink_metadata(path).is_ok_and(|there| FileIdentity::of(&there) == identity) => {
                return Some(KeptName(file));
            }
            Ok(_) | Err(OsCode::EAGAIN | OsCode::EINTR) => {}
            // A filter refuses the call, or the file system has no locks.
            Err(_) => return None,
        }
        if !patience.once_more_within(LONGEST, BETWEEN_TRIES) {
            return None;
        }
    }
}
