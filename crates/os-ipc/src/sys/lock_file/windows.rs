//! LockFileEx: the system releases a lock with the handles of a dead process.
//!
//! Its locks are of ranges, and keep others from reading and writing there. So the range lies behind all content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, GetLastError};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, DELETE, FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_OPEN_REPARSE_POINT,
    GetFileInformationByHandle, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};

use super::Way;
use crate::sys::OsCode;
use crate::sys::access::{Access, Owned};
use crate::sys::failure::{Failure, Refusal};
use crate::sys::interrupt;

/// The high half of the offset of the locked byte: no file of ours has 4 GB.
const BEHIND_CONTENT: u32 = 1;

/// The first sleep between two tries of a wait, and the longest. A blocking LockFileEx could not be interrupted.
const FIRST_SLEEP: Duration = Duration::from_micros(200);
const LONGEST_SLEEP: Duration = Duration::from_millis(10);

/// The call that errors of a lock name.
pub(crate) const LOCK_CALL: &str = "LockFileEx";

/// Whether a file loses its name at once, although a process has it open. On Windows it keeps the name until then, and cannot
/// be opened.
pub(crate) const NAMES_END_AT_ONCE: bool = false;

/// An open regular file.
pub(crate) struct LockFile(File);

/// A file that is locked until this is dropped.
pub(crate) struct Locked(LockFile);

impl LockFile {
    /// `CreateFile(path, read and write, OPEN_ALWAYS, FILE_FLAG_OPEN_REPARSE_POINT)`
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, Refusal> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Self::open_regular(&mut options, path)
    }

    /// `CreateFile(path, read, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT)`
    pub(crate) fn open(path: &Path) -> Result<Self, Refusal> {
        Self::open_regular(OpenOptions::new().read(true), path)
    }

    fn open_regular(options: &mut OpenOptions, path: &Path) -> Result<Self, Refusal> {
        let failed = |error: io::Error| Failure("CreateFile", error.into());
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
        let file = match options.open(path) {
            // That is also the error for a folder.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.is_dir() => {
                return Err(Refusal::NotAnObject("a directory"));
            }
            opened => opened.map_err(failed)?,
        };
        let kind = file.metadata().map_err(failed)?.file_type();
        if kind.is_symlink() {
            return Err(Refusal::NotAnObject("a symbolic link"));
        }
        Ok(Self(file))
    }

    /// `LockFileEx(file, LOCKFILE_FAIL_IMMEDIATELY, and LOCKFILE_EXCLUSIVE_LOCK)`, again and again for a wait.
    ///
    /// `EINTR` means that the interrupt of this thread was raised.
    pub(crate) fn lock(self, Way { shared, waits }: Way) -> Result<Locked, (Self, OsCode)> {
        let mut pause = FIRST_SLEEP;
        loop {
            match self.try_lock(shared) {
                Ok(()) => return Ok(Locked(self)),
                Err(OsCode::EAGAIN) if waits => {}
                Err(code) => return Err((self, code)),
            }
            if interrupt::sleep(pause) {
                return Err((self, OsCode::EINTR));
            }
            pause = (pause * 2).min(LONGEST_SLEEP);
        }
    }

    fn try_lock(&self, shared: bool) -> Result<(), OsCode> {
        let flags = LOCKFILE_FAIL_IMMEDIATELY | if shared { 0 } else { LOCKFILE_EXCLUSIVE_LOCK };
        let mut place = place();
        // SAFETY: the handle is open, and `place` outlives the call: it is synchronous, as the file is.
        if unsafe { LockFileEx(self.0.as_raw_handle(), flags, 0, 1, 0, &raw mut place) } != 0 {
            return Ok(());
        }
        // SAFETY: it reads a number of this thread.
        match unsafe { GetLastError() } {
            ERROR_LOCK_VIOLATION | ERROR_IO_PENDING => Err(OsCode::EAGAIN),
            _ => Err(OsCode::last()),
        }
    }

    /// Whether the path still names this file.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let there = Self::open(path).ok().and_then(|file| file.identity());
        there.is_some() && there == self.identity()
    }

    /// `GetFileInformationByHandle`: the volume, and the number of the file in it.
    fn identity(&self) -> Option<(u32, u32, u32)> {
        let mut information = BY_HANDLE_FILE_INFORMATION::default();
        // SAFETY: the handle is open, and the place outlives the call.
        let read = unsafe { GetFileInformationByHandle(self.0.as_raw_handle(), &raw mut information) };
        let BY_HANDLE_FILE_INFORMATION {
            dwVolumeSerialNumber: volume, nFileIndexHigh, nFileIndexLow, ..
        } = information;
        (read != 0).then_some((volume, nFileIndexHigh, nFileIndexLow))
    }

    /// Reads at most `most` bytes; `None` if there are more.
    pub(crate) fn read_at_most(&self, most: usize) -> Result<Option<Vec<u8>>, OsCode> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        (&self.0).seek(SeekFrom::Start(0))?;
        (&self.0).take(limit).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= most).then_some(bytes))
    }

    /// Writes all of `bytes` at the start of the file.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), OsCode> {
        let written = self.0.seek_write(bytes, 0)?;
        if written == bytes.len() { Ok(()) } else { Err(OsCode::ENOSPC) }
    }

    /// Makes the file as long as `bytes`, and writes them.
    pub(crate) fn replace(&self, bytes: &[u8]) -> Result<(), OsCode> {
        self.0.set_len(bytes.len() as u64)?;
        self.write(bytes)
    }
}

/// The locked byte.
fn place() -> OVERLAPPED {
    let offset = OVERLAPPED_0_0 { Offset: 0, OffsetHigh: BEHIND_CONTENT };
    OVERLAPPED { Anonymous: OVERLAPPED_0 { Anonymous: offset }, ..OVERLAPPED::default() }
}

/// Removes a file at the end of the process, or when this is dropped.
pub(crate) struct Removal(#[allow(dead_code, reason = "the system acts when it is closed")] Option<File>);

impl Removal {
    /// `CreateFile(path, DELETE, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE)`: the system closes it with the process.
    pub(crate) fn with_process(path: &Path) -> Self {
        let flags = FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT;
        Self(OpenOptions::new().access_mode(DELETE).custom_flags(flags).open(path).ok())
    }
}

impl Deref for Locked {
    type Target = LockFile;

    fn deref(&self) -> &LockFile {
        &self.0
    }
}

impl Drop for Locked {
    /// `UnlockFileEx`: a closed handle releases its locks only later.
    fn drop(&mut self) {
        let mut place = place();
        // SAFETY: as for the lock. The only error is that of a range that is not locked, and this one is.
        unsafe { UnlockFileEx(self.0.0.as_raw_handle(), 0, 1, 0, &raw mut place) };
    }
}

/// Information about a folder.
pub(crate) struct Folder {
    pub(crate) is_directory: bool,
    pub(crate) access: Access,
    /// Seconds since 1970 of the last change of the folder or its entries.
    pub(crate) changed: i64,
}

impl Folder {
    /// `CreateDirectory(path)`, unless the folder exists.
    pub(crate) fn make(path: &Path) -> Result<(), Failure> {
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Failure("CreateDirectory", error.into()))
            }
            _ => Ok(()),
        }
    }

    /// The folder is in the profile of the user, which no other user but an administrator may change.
    pub(crate) fn look(path: &Path) -> Result<Self, Failure> {
        let metadata =
            fs::symlink_metadata(path).map_err(|error| Failure("GetFileAttributes", error.into()))?;
        let changed = metadata.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Ok(Self {
            is_directory: metadata.is_dir(),
            access: Access { uid: 0, creator_uid: 0, gid: 0, mode: 0o600, owned: Owned::Trusted },
            changed: changed.and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(0),
        })
    }
}
