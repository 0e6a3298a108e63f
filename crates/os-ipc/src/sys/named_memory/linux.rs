//! POSIX shared memory on Linux: files of the tmpfs on `/dev/shm`, as `shm_open(3)` of glibc and musl opens them.

use std::fs::{File, Metadata, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

use crate::error::OsCode;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FallocateFlags, OFlag, fallocate, open as open_file, posix_fallocate};
use nix::sys::stat::Mode;
use nix::sys::statvfs::statvfs;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::types::{Space, Status};
use crate::name::Name;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::host::{file_size_limit, memory_cgroup};
use crate::sys::kept_name::{self, KeptName};

const DIRECTORY: &str = "/dev/shm";

/// The most bytes of one fallocate call: 64 MB. A signal makes fallocate start over, and so costs at most one step.
const STEP: u64 = 64 << 20;

/// The most bytes of one call among signals that leave no time for more: 256 KB.
const SHORTEST_STEP: u64 = 256 << 10;

/// The fewest bytes for which the cgroup is read: 1 MB, whose allocation takes as long as reading it.
const WORTH_A_LOOK: u64 = 1 << 20;

/// `open(O_TMPFILE)`, `fallocate`, `fchmod`, `linkat`: an object that appears with its size and mode, or not at all.
///
/// It has all of its pages: a full tmpfs is `ENOSPC` here, not SIGBUS at the first touch. `EEXIST` comes from linkat.
pub(crate) fn create(name: &Name, size: u64, mode: u32) -> Result<File, Failure> {
    match create_unnamed(size, mode) {
        Ok(file) => match publish(&file, name) {
            Ok(()) => Ok(file),
            // There is no /proc, and this process lacks the privilege to do without it.
            Err(OsCode::ENOENT) => create_exclusively(name, size, mode),
            Err(errno) => Err(Failure("linkat", errno)),
        },
        // Some file systems have no O_TMPFILE; an old kernel takes it for opening a directory.
        Err(Failure("open", OsCode::EOPNOTSUPP | OsCode::EISDIR | OsCode::ENOENT)) => {
            create_exclusively(name, size, mode)
        }
        Err(failure) => Err(failure),
    }
}

fn create_unnamed(size: u64, mode: u32) -> Result<File, Failure> {
    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let file = uninterrupted(|| open_file(DIRECTORY, flags, Mode::from_bits_truncate(0o600)));
    let file = File::from(file.map_err(|errno| Failure("open", errno))?);
    fill(&file, size, mode)?;
    Ok(file)
}

/// `linkat(file, "/dev/shm/NAME")`: gives an unnamed file its name, unless the name is taken.
fn publish(file: &File, name: &Name) -> Result<(), OsCode> {
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(AT_FDCWD, from.as_str(), AT_FDCWD, &path(name), AtFlags::AT_SYMLINK_FOLLOW) {
        // Without /proc: allowed to the opener of the file since Linux 6.10, and before with CAP_DAC_READ_SEARCH.
        Err(Errno::ENOENT) => Ok(linkat(file, c"", AT_FDCWD, &path(name), AtFlags::AT_EMPTY_PATH)?),
        done => Ok(done?),
    }
}

/// `open(O_CREAT | O_EXCL)`, and then `fallocate`: until then an opener sees size 0 and has to try again.
fn create_exclusively(name: &Name, size: u64, mode: u32) -> Result<File, Failure> {
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = uninterrupted(|| open_file(&path(name), flags, Mode::from_bits_truncate(0o600)));
    let file = File::from(file.map_err(|errno| Failure("open", errno))?);
    fill(&file, size, mode).inspect_err(|_| {
        // The caller gets the error of the creation, even if the removal fails too.
        let _ = unlink(name);
    })?;
    Ok(file)
}

/// Gives a new file its pages, its mode (by fchmod, which ignores the umask) and, at last, its size.
fn fill(file: &File, size: u64, mode: u32) -> Result<(), Failure> {
    allocate(file, size)?;
    file.set_permissions(Permissions::from_mode(mode & 0o777))
        .map_err(|error| Failure("fchmod", error.into()))?;
    file.set_len(size).map_err(|error| Failure("ftruncate", error.into()))
}

/// `fallocate(file, FALLOC_FL_KEEP_SIZE, ...)`
fn allocate(file: &File, size: u64) -> Result<(), Failure> {
    let failed = |errno| Failure("fallocate", errno);
    let offset = |bytes: u64| i64::try_from(bytes).map_err(|_| failed(OsCode::EFBIG));
    // fallocate would fail with EFBIG too, but raise SIGXFSZ.
    if file_size_limit().is_some_and(|limit| size > limit) {
        return Err(failed(OsCode::EFBIG));
    }
    // An impossible size is refused as a whole, before its steps use up the memory.
    let space = space().filter(|space| space.total != 0);
    if space.is_some_and(|space| size > space.free) {
        return Err(failed(OsCode::ENOSPC));
    }
    // If a cgroup has no room, fallocate does not fail: the kernel kills a process of the group, maybe this one.
    if size >= WORTH_A_LOOK && memory_cgroup::room().is_some_and(|room| size > room) {
        return Err(failed(OsCode::ENOMEM));
    }
    let (mut done, mut longest) = (0, STEP);
    while done < size {
        let step = longest.min(size - done);
        let (from, length) = (offset(done)?, offset(step)?);
        match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, from, length).map_err(OsCode::from) {
            // The kernel gives up the whole step for a signal. Between those of a profiler there is only time for a short one.
            Err(OsCode::EINTR) => {
                longest = (longest / 2).max(SHORTEST_STEP);
                continue;
            }
            // Not a tmpfs: the C library writes a byte to every block.
            Err(OsCode::EOPNOTSUPP) => {
                let whole = offset(size)?;
                return uninterrupted(|| posix_fallocate(file, 0, whole))
                    .map_err(|errno| Failure("posix_fallocate", errno));
            }
            result => result.map_err(failed)?,
        }
        done += step;
    }
    Ok(())
}

/// `open("/dev/shm/NAME", O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)` and `fstat`: never creates, follows links, truncates
/// or waits.
///
/// Planted files are refused: a symbolic link, a file with a second name, a FIFO, a directory, a device.
pub(crate) fn open(name: &Name, writable: bool) -> Result<(File, Status), Refusal> {
    let access = if writable { OFlag::O_RDWR } else { OFlag::O_RDONLY };
    let flags = access | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let file = match uninterrupted(|| open_file(&path(name), flags, Mode::empty())) {
        Ok(file) => File::from(file),
        Err(OsCode::ELOOP) => return Err(Refusal::NotAnObject("a symbolic link")),
        Err(OsCode::EISDIR) => return Err(Refusal::NotAnObject("a directory")),
        Err(OsCode::ENXIO) => return Err(Refusal::NotAnObject("a socket or a device")),
        Err(errno) => return Err(Failure("open", errno).into()),
    };
    let metadata = metadata(&file)?;
    if let Some(kind) = wrong_kind(&metadata) {
        return Err(Refusal::NotAnObject(kind));
    }
    if metadata.nlink() > 1 {
        return Err(Refusal::NotAnObject("a file that has another name too"));
    }
    Ok((file, status_of(&metadata)))
}

fn wrong_kind(status: &Metadata) -> Option<&'static str> {
    let kind = status.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a FIFO")
    } else {
        Some("a socket or a device")
    }
}

/// `fstat(file)`
pub(crate) fn status(file: &File) -> Result<Status, Failure> {
    metadata(file).map(|metadata| status_of(&metadata))
}

fn metadata(file: &File) -> Result<Metadata, Failure> {
    file.metadata().map_err(|error| Failure("fstat", error.into()))
}

fn status_of(metadata: &Metadata) -> Status {
    Status::of(metadata, FileIdentity::of(metadata), Some(metadata.nlink() == 0))
}

/// `unlinkat(AT_FDCWD, "/dev/shm/NAME", 0)`
///
/// `ENOENT` means that it does not exist.
pub(crate) fn unlink(name: &Name) -> Result<(), Failure> {
    unlinkat(AT_FDCWD, &path(name), UnlinkatFlags::NoRemoveDir)
        .map_err(|errno| Failure("unlinkat", errno.into()))
}

/// Keeps the name with the object that has it, so that a removal can compare and remove.
pub(crate) fn keep_name(name: &Name) -> Option<KeptName> {
    kept_name::keep(&path(name))
}

/// The identity of an object among those of the same name.
pub(crate) type Identity = FileIdentity;

/// `lstat("/dev/shm/NAME")`: the identity of the object that has this name now.
pub(crate) fn named(name: &Name) -> Result<Identity, Failure> {
    match std::fs::symlink_metadata(path(name)) {
        Ok(metadata) => Ok(FileIdentity::of(&metadata)),
        Err(error) => Err(Failure("lstat", error.into())),
    }
}

/// The names of the files in /dev/shm that are not semaphores of glibc (`sem.NAME`) and not those of ledgers.
pub(crate) fn names() -> Result<Vec<Name>, Failure> {
    let entries = std::fs::read_dir(DIRECTORY).map_err(|error| Failure("open", error.into()))?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            !["sem.", "os-ipc.counter.", "os-ipc.new.", "os-ipc.wake."].iter().any(|of| name.starts_with(of))
        })
        .filter_map(|name| Name::existing_memory(&format!("/{name}")).ok())
        .collect())
}

/// `statvfs("/dev/shm")`
pub(crate) fn space() -> Option<Space> {
    let status = statvfs(DIRECTORY).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(status.fragment_size());
    Some(Space { free: bytes(status.blocks_available()), total: bytes(status.blocks()), path: DIRECTORY })
}

fn path(name: &Name) -> PathBuf {
    PathBuf::from(format!("{DIRECTORY}{name}"))
}

fn uninterrupted<T>(mut call: impl FnMut() -> nix::Result<T>) -> Result<T, OsCode> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that is removed at the end.
    struct Fresh(Name);

    impl Fresh {
        fn new(test: &str) -> Self {
            Self(Name::memory(&format!("/os-ipc-sys-{}-{test}", std::process::id())).unwrap())
        }
    }

    impl Drop for Fresh {
        fn drop(&mut self) {
            let _ = unlink(&self.0);
        }
    }

    #[test]
    fn without_unnamed_files_an_object_is_created_exclusively() {
        let name = Fresh::new("exclusively");
        let file = create_exclusively(&name.0, 100_000, 0o604).unwrap();
        let status = status(&file).unwrap();
        assert_eq!((status.size, status.access.mode), (100_000, 0o604));
        assert!(file.metadata().unwrap().blocks() * 512 >= 100_000);
        assert_eq!(create_exclusively(&name.0, 1, 0o600).unwrap_err(), Failure("open", OsCode::EEXIST));
        assert_eq!(open(&name.0, true).unwrap().1.size, 100_000);
    }

    #[test]
    fn an_exclusively_created_object_without_room_is_removed() {
        let name = Fresh::new("no-room");
        assert_eq!(
            create_exclusively(&name.0, 1 << 50, 0o600).unwrap_err(),
            Failure("fallocate", OsCode::ENOSPC)
        );
        assert_eq!(named(&name.0), Err(Failure("lstat", OsCode::ENOENT)));
    }
}
