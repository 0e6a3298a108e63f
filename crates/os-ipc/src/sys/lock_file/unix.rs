//! flock(2): a lock of a whole file; the kernel releases it with the descriptors of a dead process.

use std::ffi::c_int;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::Way;
use crate::sys::OsCode;
use crate::sys::access::Access;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;

/// The call that errors of a lock name.
pub(crate) const LOCK_CALL: &str = "flock";

/// Whether a file loses its name at once, although a process has it open.
pub(crate) const NAMES_END_AT_ONCE: bool = true;

/// An open regular file.
pub(crate) struct LockFile(File);

/// A file that is locked until this is dropped.
pub(crate) struct Locked(LockFile);

impl LockFile {
    /// `open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)` of a regular file.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, Refusal> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        Self::open_regular(&mut options, path)
    }

    /// `open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)` of a regular file.
    pub(crate) fn open(path: &Path) -> Result<Self, Refusal> {
        Self::open_regular(OpenOptions::new().read(true), path)
    }

    /// Opens only a regular file: a FIFO or a device could block, or never end.
    ///
    /// `lstat` comes first, since opening a device can have an effect; `fstat` proves that the file is regular.
    fn open_regular(options: &mut OpenOptions, path: &Path) -> Result<Self, Refusal> {
        let failed = |error: io::Error| Failure("open", error.into());
        if let Ok(there) = fs::symlink_metadata(path)
            // A link goes on to open, which fails with ELOOP.
            && !there.is_symlink()
        {
            check_regular(&there)?;
        }
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(path).map_err(failed)?;
        check_regular(&file.metadata().map_err(failed)?)?;
        Ok(Self(file))
    }

    /// `flock(file, LOCK_SH or LOCK_EX, and LOCK_NB)`
    ///
    /// `EINTR` means that a signal came.
    pub(crate) fn lock(self, Way { shared, waits }: Way) -> Result<Locked, (Self, OsCode)> {
        let how = if shared { libc::LOCK_SH } else { libc::LOCK_EX } | if waits { 0 } else { libc::LOCK_NB };
        match self.flock(how) {
            Ok(()) => Ok(Locked(self)),
            Err(errno) => Err((self, errno)),
        }
    }

    fn flock(&self, how: c_int) -> Result<(), OsCode> {
        // SAFETY: no pointers, and the descriptor is open as long as `self` is.
        OsCode::result(unsafe { libc::flock(self.0.as_raw_fd(), how) }).map(drop)
    }

    /// Whether the path still names this file: the last user of a lock removes its files.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let identity = |metadata: Metadata| FileIdentity::of(&metadata);
        let there = fs::symlink_metadata(path).map(identity);
        matches!((self.0.metadata().map(identity), there), (Ok(ours), Ok(there)) if ours == there)
    }

    /// Reads at most `most` bytes; `None` if there are more.
    pub(crate) fn read_at_most(&self, most: usize) -> Result<Option<Vec<u8>>, OsCode> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        (&self.0).take(limit).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= most).then_some(bytes))
    }

    /// Writes all of `bytes` at the start of the file.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), OsCode> {
        Ok(self.0.write_all_at(bytes, 0)?)
    }

    /// Makes the file as long as `bytes`, and writes them.
    pub(crate) fn replace(&self, bytes: &[u8]) -> Result<(), OsCode> {
        self.0.set_len(bytes.len() as u64)?;
        self.write(bytes)
    }
}

/// Removes a file at the end of the process. No Unix does that.
pub(crate) struct Removal;

impl Removal {
    pub(crate) fn with_process(_path: &Path) -> Self {
        Self
    }
}

impl Deref for Locked {
    type Target = LockFile;

    fn deref(&self) -> &LockFile {
        &self.0
    }
}

impl Drop for Locked {
    /// Unlocks explicitly: closing is not enough, since a child that was just forked has the file open too.
    fn drop(&mut self) {
        // The only error is that of a bad descriptor.
        let _ = self.0.flock(libc::LOCK_UN);
    }
}

fn check_regular(metadata: &Metadata) -> Result<(), Refusal> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(Refusal::NotAnObject(match kind {
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    }))
}

/// Information about a folder.
pub(crate) struct Folder {
    pub(crate) is_directory: bool,
    pub(crate) access: Access,
    /// Seconds since 1970 of the last change of the folder or its entries.
    pub(crate) changed: i64,
}

impl Folder {
    /// `mkdir(path, 0700)`, unless the folder exists.
    pub(crate) fn make(path: &Path) -> Result<(), Failure> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Failure("mkdir", error.into())),
            _ => Ok(()),
        }
    }

    /// `lstat(path)`; `ENOENT` means that it does not exist.
    pub(crate) fn look(path: &Path) -> Result<Self, Failure> {
        let metadata = fs::symlink_metadata(path).map_err(|error| Failure("lstat", error.into()))?;
        Ok(Self {
            is_directory: metadata.is_dir(),
            access: Access::of_file(&metadata),
            changed: metadata.ctime(),
        })
    }
}
