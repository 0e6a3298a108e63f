//! The files of a lock: found by a hash of its name.

use std::ffi::OsStr;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use fnv::FnvHasher;

use crate::lock::LockName;

/// The files of one lock.
pub(super) struct Paths {
    folder: PathBuf,
    hash: String,
}

impl Paths {
    pub(super) fn new(folder: &Path, name: &LockName) -> Self {
        Self { folder: folder.to_owned(), hash: format!("{:016x}", fnv1a_64(name.as_str().as_bytes())) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Locked exclusively by an exclusive holder or waiter, and shared by requests on their way in.
    pub(super) fn gate(&self) -> PathBuf {
        self.folder.join(format!("{}.gate", self.hash))
    }

    /// Locked by the holders; its content is the name.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.hash))
    }

    /// The tally of one process. Processes of different PID namespaces can have the same pid.
    pub(super) fn user(&self, pid: u32, number: u32) -> PathBuf {
        self.folder.join(format!("{}.user.{pid}.{number}", self.hash))
    }

    /// Whether this is the name of a tally file of this lock.
    pub(super) fn is_user(&self, file: &OsStr) -> bool {
        file.to_str()
            .and_then(|file| file.strip_prefix(self.hash.as_str()))
            .is_some_and(|rest| rest.starts_with(".user."))
    }
}

/// The pid in the name of a file from [`Paths::user`].
pub(super) fn pid_in(file: &OsStr) -> Option<i32> {
    let mut parts = file.to_str()?.split('.').skip(1);
    (parts.next()? == "user").then(|| parts.next()?.parse().ok())?
}

/// FNV-1a, 64 bits.
fn fnv1a_64(bytes: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_pid_is_read_from_the_name_of_the_file() {
        let paths = Paths::new(Path::new("/f"), &LockName::new("a").unwrap());
        let user = paths.user(4711, 2);
        let file = user.file_name().unwrap();
        assert_eq!(pid_in(file), Some(4711));
        assert!(paths.is_user(file));
        assert_eq!(pid_in(paths.gate().file_name().unwrap()), None);
        assert!(!paths.is_user(paths.lock().file_name().unwrap()));
    }
}
