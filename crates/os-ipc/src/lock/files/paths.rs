//! The files of a lock: found by a hash of its name, and opened so that nothing is followed.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fnv::FnvHasher;

use super::folder::failed;
use crate::error::{Code, Error, Result};
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

    /// Locked alone by who has the lock alone or waits to, and together by who is on his way in.
    pub(super) fn gate(&self) -> PathBuf {
        self.folder.join(format!("{}.gate", self.hash))
    }

    /// Locked by those who have the lock; in it is the name.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.hash))
    }

    /// What a process has to do with the lock. Processes of several PID namespaces can have the same pid.
    pub(super) fn user(&self, pid: u32, number: u32) -> PathBuf {
        self.folder.join(format!("{}.user.{pid}.{number}", self.hash))
    }

    /// Whether a file says what a process has to do with this lock.
    pub(super) fn is_user(&self, file: &OsStr) -> bool {
        file.to_str()
            .and_then(|file| file.strip_prefix(self.hash.as_str()))
            .is_some_and(|rest| rest.starts_with(".user."))
    }
}

/// The pid in the name of a file that [`Paths::user`] named.
pub(super) fn pid_in(file: &OsStr) -> Option<i32> {
    let mut parts = file.to_str()?.split('.').skip(1);
    (parts.next()? == "user").then(|| parts.next()?.parse().ok())?
}

/// `open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)` of a regular file.
pub(super) fn open_or_create(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    open_regular(&options, path)
}

/// `open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)` of a regular file.
pub(super) fn open(path: &Path) -> Result<File> {
    open_regular(OpenOptions::new().read(true), path)
}

/// Opens nothing but a regular file: a FIFO or a device would block, or never end.
///
/// `lstat` comes first, since opening a device can have an effect; `fstat` proves what was opened.
fn open_regular(options: &OpenOptions, path: &Path) -> Result<File> {
    let refused = |error: &io::Error| failed("open", path, error);
    if let Ok(there) = fs::symlink_metadata(path) {
        // A link goes on to open, which answers ELOOP.
        check_regular(path, &there).or_else(|error| if there.is_symlink() { Ok(()) } else { Err(error) })?;
    }
    let mut options = options.clone();
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).map_err(|error| refused(&error))?;
    check_regular(path, &file.metadata().map_err(|error| refused(&error))?)?;
    Ok(file)
}

fn check_regular(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = match kind {
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    };
    let path = path.display();
    Err(Error::new(Code::NotAnObject, format!("the file of the lock is {what}: '{path}'"))
        .with_hint("remove it: no program of os-ipc made it"))
}

/// Reads at most `most` bytes; `None` when there are more.
pub(super) fn read_at_most(mut file: &File, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    (&mut file).take(limit).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// Whether the file is still the one of this path: who is the last one at a lock removes its files.
pub(super) fn is_current(file: &File, path: &Path) -> bool {
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let there = std::fs::symlink_metadata(path).map(identity);
    matches!((file.metadata().map(identity), there), (Ok(ours), Ok(there)) if ours == there)
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
    fn the_hash_is_that_of_everybody_else() {
        assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_pid_is_read_out_of_the_file_that_has_it() {
        let paths = Paths::new(Path::new("/f"), &LockName::new("a").unwrap());
        let user = paths.user(4711, 2);
        let file = user.file_name().unwrap();
        assert_eq!(pid_in(file), Some(4711));
        assert!(paths.is_user(file));
        assert_eq!(pid_in(paths.gate().file_name().unwrap()), None);
        assert!(!paths.is_user(paths.lock().file_name().unwrap()));
    }
}
