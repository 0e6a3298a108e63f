//! Opening, checking and removing the files of ledgers.

use std::ffi::CString;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::system;
pub(super) use super::system::boot;
pub(crate) use super::system::space;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access};

use super::{Status, Unusable, own_origin};
use crate::sys::OsCode;
use crate::sys::access::{Access, own_uid};
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::file_size_limit;
use crate::sys::guard::Guard;
use crate::sys::mapping::Mapping;
use crate::sys::shm_folder::{self, Room};

/// What the files are called: this, and the rest of the name.
const PREFIX: &str = "os-ipc.counter.";

/// An open ledger: its file, mapped as a whole.
pub(crate) struct LedgerFile {
    path: PathBuf,
    guard: Guard,
    mapping: Mapping,
}

/// A file without a name, to be filled.
pub(crate) struct Draft {
    file: LedgerFile,
    temporary: Temporary,
}

/// The first folder that the host has for it: in memory if there is one, else one that the host does not clean.
///
/// It is sticky, and belongs to root or to this user: no other user can remove or replace what is in it. A folder that is closed
/// to this process alone has no substitute: the other users of a limit would have it in another folder.
pub(crate) fn folder() -> Result<&'static Path, Unusable> {
    let mut first = None;
    for folder in system::FOLDERS {
        let path = Path::new(folder);
        match check_folder(path) {
            Ok(()) => return Ok(path),
            Err(refusal) => {
                first.get_or_insert(Unusable { path, refusal });
                if !is_for_all(refusal) {
                    break;
                }
            }
        }
    }
    Err(first.unwrap_or(Unusable { path: Path::new("/"), refusal: Failure("stat", OsCode::ENOENT).into() }))
}

/// Whether all processes of the host see this: the folder is missing, or read-only.
fn is_for_all(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Failed(Failure(_, OsCode::ENOENT | OsCode::ENOTDIR | OsCode::EROFS)))
}

/// `statvfs(folder)`: what is free in its file system.
pub(crate) fn room(folder: &Path) -> Option<Room> {
    shm_folder::room_of(folder)
}

fn check_folder(path: &Path) -> Result<(), Refusal> {
    /// Only the owner of a file may remove it.
    const STICKY: u32 = 0o1000;
    const OTHERS_WRITE: u32 = 0o022;
    let status = fs::metadata(path).map_err(|error| Failure("stat", error.into()))?;
    if !status.is_dir() {
        return Err(Failure("stat", OsCode::ENOTDIR).into());
    }
    if ![0, own_uid()].contains(&status.uid())
        || status.mode() & OTHERS_WRITE != 0 && status.mode() & STICKY == 0
    {
        return Err(Refusal::NotAnObject("a folder whose files other users can replace"));
    }
    if statvfs(path).is_ok_and(|status| status.flags().contains(FsFlags::ST_RDONLY)) {
        return Err(Failure("access", OsCode::EROFS).into());
    }
    access(path, AccessFlags::X_OK).map_err(|errno| Failure("access", errno.into()).into())
}

/// The names of all ledgers of a folder, without the prefix.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| Failure("open", error.into()))?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_prefix(PREFIX)?.to_owned()))
        .collect())
}

/// `lstat(path)`: the owner and mode of the file of this name; `None` if there is none, or if it is not shown.
pub(crate) fn access_of(folder: &Path, name: &str) -> Option<Access> {
    fs::symlink_metadata(path_of(folder, name)).ok().map(|there| Access::of_file(&there))
}

fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{PREFIX}{name}"))
}

impl LedgerFile {
    /// `open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)`, `fstat` and `mmap` of the whole file.
    ///
    /// Planted files are refused: a symbolic link, a file with a second name, a FIFO, a directory, a device.
    pub(crate) fn open(
        folder: &Path,
        name: &str,
        writable: bool,
        check: impl FnOnce(&Status) -> Result<(), Refusal>,
    ) -> Result<(Self, Status), Refusal> {
        let path = path_of(folder, name);
        let mut options = OpenOptions::new();
        options.read(true).write(writable);
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(&path).map_err(refused)?;
        let metadata = file.metadata().map_err(|error| Failure("fstat", error.into()))?;
        if let Some(kind) = wrong_kind(&metadata) {
            return Err(Refusal::NotAnObject(kind));
        }
        let status = status_of(&metadata);
        check(&status)?;
        let Some(length) = NonZeroUsize::new(usize::try_from(metadata.len()).unwrap_or(0)) else {
            return Err(Refusal::NotAnObject("an empty file"));
        };
        // More than any ledger: another program's file.
        if length.get() > MOST_BYTES {
            return Err(Refusal::NotAnObject("a file of another program"));
        }
        let opened = Self::of(path, file, length, writable)?;
        Ok((opened, status))
    }

    fn of(path: PathBuf, file: File, length: NonZeroUsize, writable: bool) -> Result<Self, Failure> {
        let mapping = Mapping::of_file(&file, length, writable).map_err(|errno| Failure("mmap", errno))?;
        Ok(Self { path, guard: Guard::of(file), mapping })
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// `fstat(file)`
    pub(crate) fn status(&self) -> Result<Status, Failure> {
        let metadata = self.guard.file().metadata().map_err(|error| Failure("fstat", error.into()))?;
        Ok(status_of(&metadata))
    }

    /// Whether a peer truncated the file: this process sees zeros in the place of what is missing.
    pub(crate) fn is_torn(&self) -> bool {
        self.mapping.torn()
    }

    /// Gives the file its first `bytes` bytes of memory or disk. `ENOSPC` here spares the process a SIGBUS later.
    pub(crate) fn allocate(&self, bytes: usize) -> Result<(), Failure> {
        system::allocate_more(self.guard.file(), bytes)
    }

    /// Says to other processes that this one uses the ledger, as long as the file is open. False if a process of another
    /// origin is about to remove it.
    pub(crate) fn enter(&self) -> Result<bool, OsCode> {
        system::lock_users(self.guard.file(), false)
    }

    /// Keeps others from using the ledger; false if a process uses it.
    pub(crate) fn is_deserted(&self) -> Result<bool, OsCode> {
        system::lock_users(self.guard.file(), true)
    }

    /// `unlink(path)`, if the path still names this file. The caller has the guard: so does everybody who removes this file, and
    /// no other file can get the name before.
    pub(crate) fn unlink(&self) -> Result<(), Failure> {
        let there = fs::symlink_metadata(&self.path).ok().map(|there| FileIdentity::of(&there));
        if there.is_none() || there != self.status().ok().map(|status| status.identity) {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure("unlink", error.into())),
            _ => Ok(()),
        }
    }
}

/// The most bytes of a file that is mapped to see whether it is a ledger.
const MOST_BYTES: usize = 4 << 20;

impl Draft {
    /// A new file of `size` zeros, the first `allocated` of which have memory or disk.
    pub(crate) fn new(
        folder: &Path,
        name: &str,
        size: NonZeroUsize,
        allocated: usize,
    ) -> Result<Self, Failure> {
        // ftruncate would fail with EFBIG too, but raise SIGXFSZ.
        if file_size_limit().is_some_and(|limit| size.get() as u64 > limit) {
            return Err(Failure("ftruncate", OsCode::EFBIG));
        }
        let (file, temporary) = system::create(folder)?;
        file.set_len(size.get() as u64).map_err(|error| Failure("ftruncate", error.into()))?;
        system::allocate_first(&file, allocated, size.get())?;
        Ok(Self { file: LedgerFile::of(path_of(folder, name), file, size, true)?, temporary })
    }

    pub(crate) fn file(&self) -> &LedgerFile {
        &self.file
    }

    /// Gives the file its mode (the umask does not change it) and its name. `EEXIST` means that the name is taken.
    pub(crate) fn publish(mut self, mode: u32) -> Result<LedgerFile, Failure> {
        let mode = Permissions::from_mode(mode & 0o777);
        let file = self.file.guard.file();
        file.set_permissions(mode).map_err(|error| Failure("fchmod", error.into()))?;
        system::publish(file, self.temporary.path(), &self.file.path)?;
        // It has the other name now.
        self.temporary.keep();
        Ok(self.file)
    }
}

/// The name of a file before it has its own one, where a file cannot be without; removed when this is dropped.
pub(super) struct Temporary(Option<PathBuf>);

impl Temporary {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has files without a name"))]
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// `open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)` under a name that no other process uses.
    pub(super) fn create(folder: &Path) -> Result<(File, Self), Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::create_at(temporary_path(folder, own_origin()?.space, number))
    }

    fn create_at(path: PathBuf) -> Result<(File, Self), Failure> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let create = || options.open(&path);
        let file = create().or_else(|error| {
            // A process of the same pid was killed between this and the next name: no living process has this name.
            if error.kind() == io::ErrorKind::AlreadyExists {
                fs::remove_file(&path)?;
            }
            create()
        });
        Ok((file.map_err(|error| Failure("open", error.into()))?, Self(Some(path))))
    }

    fn path(&self) -> Option<&Path> {
        self.0.as_deref()
    }

    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

/// The name says which namespace gave the process its pid. A folder can have processes of several ones: by the pid alone, one
/// of them would remove the file that another one fills, and the other one would publish an empty file.
fn temporary_path(folder: &Path, space: u64, number: u32) -> PathBuf {
    folder.join(format!("os-ipc.new.{}.{space:x}.{number}", std::process::id()))
}

fn refused(error: io::Error) -> Refusal {
    match OsCode::from(error) {
        OsCode::ELOOP => Refusal::NotAnObject("a symbolic link"),
        OsCode::EISDIR => Refusal::NotAnObject("a directory"),
        OsCode::ENXIO => Refusal::NotAnObject("a socket or a device"),
        errno => Refusal::Failed(Failure("open", errno)),
    }
}

fn wrong_kind(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_fifo() => Some("a FIFO"),
        () if !kind.is_file() => Some("a socket or a device"),
        () if metadata.nlink() > 1 => Some("a file that has another name too"),
        () => None,
    }
}

fn status_of(metadata: &Metadata) -> Status {
    Status {
        access: Access::of_file(metadata),
        identity: FileIdentity::of(metadata),
        removed: metadata.nlink() == 0,
        changed: metadata.ctime(),
    }
}

/// A path as C takes it.
pub(super) fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_process_or_a_dead_one_loses_its_temporary_file() {
        let folder = std::env::temp_dir();
        let number = u32::MAX;
        let (file, own) = Temporary::create_at(temporary_path(&folder, 1, number)).unwrap();
        let identity = |path| FileIdentity::of(&fs::symlink_metadata(path).unwrap());
        let before = identity(own.path().unwrap());
        let (_, other) = Temporary::create_at(temporary_path(&folder, 2, number)).unwrap();
        assert_eq!(identity(own.path().unwrap()), before);
        assert_ne!(identity(other.path().unwrap()), before);
        // A process that was killed left its file: the next process of its pid removes it.
        let (_, again) = Temporary::create_at(temporary_path(&folder, 1, number)).unwrap();
        assert_ne!(identity(again.path().unwrap()), before);
        assert_eq!(file.metadata().unwrap().nlink(), 0);
    }
}
