//! The tally of a process for a lock, in a file of its own: for queries and refusals.
//!
//! The process keeps the file locked, so that an unlocked file is known to belong to a dead process.

use std::fs;
use std::path::{Path, PathBuf};

use super::paths::Paths;
use crate::lock::{LockName, MAX_LOCK_NAME_BYTES};
use crate::sys::failure::{Failure, readable};
use crate::sys::lock_file::{LockFile, Locked, Removal, Way};
use crate::waiting::Request;

/// The numbers of locks that a process holds and waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) shared: u32,
    pub(super) exclusive: u32,
    pub(super) pending_shared: u32,
    pub(super) pending_exclusive: u32,
    /// The time when the first waiter asked; 0 without waiters.
    pub(super) oldest: u64,
}

impl Tally {
    const BYTES: usize = 24;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let numbers = [self.shared, self.exclusive, self.pending_shared, self.pending_exclusive];
        for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        bytes[16..].copy_from_slice(&self.oldest.to_ne_bytes());
        bytes
    }

    /// Whether a process with this tally keeps the lock from such a request of another one.
    pub(super) fn refuses(self, request: Request) -> bool {
        let shared = self.shared > 0 && request == Request::Exclusive;
        shared || self.exclusive > 0 || self.pending_exclusive > 0
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers =
            bytes.chunks_exact(4).filter_map(|part| Some(u32::from_ne_bytes(part.try_into().ok()?)));
        let mut next = || numbers.next();
        Some(Self {
            shared: next()?,
            exclusive: next()?,
            pending_shared: next()?,
            pending_exclusive: next()?,
            oldest: u64::from_ne_bytes(bytes.get(16..Self::BYTES)?.try_into().ok()?),
        })
    }
}

/// The file of this process.
pub(super) struct User {
    file: Locked,
    _removal: Removal,
    path: PathBuf,
}

impl User {
    /// Makes the file. Without it other processes do not see our requests, and try for longer what we hold.
    pub(super) fn enter(paths: &Paths, name: &LockName) -> Option<Self> {
        const TRIES: u32 = 16;
        (0..TRIES).find_map(|number| {
            let path = paths.user(std::process::id(), number);
            let file = LockFile::open_or_create(&path).ok()?;
            let file = file.lock(Way { shared: false, waits: false }).ok()?;
            let text = [&Tally::default().to_bytes(), name.as_str().as_bytes()].concat();
            // Another process may just have removed a file that a dead process with our pid left behind.
            let usable = file.is_at(&path) && file.replace(&text).is_ok();
            usable.then(|| Self { file, _removal: Removal::with_process(&path), path })
        })
    }

    pub(super) fn write(&self, tally: Tally) {
        // If the write fails, other processes do not see the change.
        let _ = self.file.write(&tally.to_bytes());
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The tally of another process; `None` if it died: then its file is removed. Fails if this process cannot find that out.
pub(super) fn read(path: &Path) -> std::result::Result<Option<(String, Tally)>, Failure> {
    let Some(file) = readable(LockFile::open(path))? else { return Ok(None) };
    Ok(match file.lock(Way { shared: true, waits: false }) {
        Ok(abandoned) => {
            if abandoned.is_at(path) {
                let _ = fs::remove_file(path);
            }
            None
        }
        Err((file, _)) => {
            let text = file.read_at_most(Tally::BYTES + MAX_LOCK_NAME_BYTES);
            text.ok().flatten().and_then(|text| parse(&text))
        }
    })
}

fn parse(bytes: &[u8]) -> Option<(String, Tally)> {
    let (tally, name) = bytes.split_at_checked(Tally::BYTES)?;
    Some((String::from_utf8(name.to_vec()).ok()?, Tally::from_bytes(tally)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_tally_is_read_back() {
        let tally =
            Tally { shared: 1, exclusive: 2, pending_shared: 3, pending_exclusive: 4, oldest: 1 << 40 };
        let text = [&tally.to_bytes()[..], "a name".as_bytes()].concat();
        assert_eq!(parse(&text), Some(("a name".to_owned(), tally)));
        assert_eq!(parse(&text[..23]), None);
        assert_eq!(parse(&[]), None);
    }
}
