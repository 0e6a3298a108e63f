//! Linux: a tmpfs for all users, files without names, locks that belong to an open file, and namespaces.

use std::fs::{self, File};
use std::hash::Hasher;
use std::os::fd::AsRawFd;
use std::path::Path;

use fnv::FnvHasher;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FallocateFlags, OFlag, fallocate, open as open_file, posix_fallocate};
use nix::sys::stat::Mode;
use nix::unistd::linkat;

use super::imp::{Temporary, c_path};
use crate::sys::OsCode;
use crate::sys::failure::Failure;

/// Memory that all processes share, and a folder that a host without it has.
pub(super) const FOLDERS: [&str; 2] = ["/dev/shm", "/var/tmp"];

/// `open(folder, O_TMPFILE)`: a file without a name, which is gone if the process is killed.
pub(super) fn create(folder: &Path) -> Result<(File, Temporary), Failure> {
    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    match open_file(folder, flags, Mode::from_bits_truncate(0o600)) {
        Ok(file) => Ok((File::from(file), Temporary::none())),
        Err(Errno::EINTR) => create(folder),
        // Some file systems have no O_TMPFILE; an old kernel takes it for opening a directory.
        Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT | Errno::EINVAL) => Temporary::create(folder),
        Err(errno) => Err(Failure("open", errno.into())),
    }
}

/// `linkat(file, path)`, or `renameat2(temporary, path, RENAME_NOREPLACE)`: gives a file its name, unless that is taken.
pub(super) fn publish(file: &File, temporary: Option<&Path>, path: &Path) -> Result<(), Failure> {
    let Some(temporary) = temporary else {
        let from = format!("/proc/self/fd/{}", file.as_raw_fd());
        let linked = match linkat(AT_FDCWD, from.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW) {
            // Without /proc: allowed to the opener of the file since Linux 6.10, and before with CAP_DAC_READ_SEARCH.
            Err(Errno::ENOENT) => linkat(file, c"", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH),
            done => done,
        };
        return linked.map_err(|errno| Failure("linkat", errno.into()));
    };
    let (from, to) = (c_path(temporary), c_path(path));
    // SAFETY: both paths are NUL-terminated strings that outlive the call.
    let renamed = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    OsCode::result(i32::try_from(renamed).unwrap_or(-1))
        .map(drop)
        .map_err(|errno| Failure("renameat2", errno))
}

/// The first bytes of a new file get their memory; the others when there are more processes.
pub(super) fn allocate_first(file: &File, first: usize, _size: usize) -> Result<(), Failure> {
    allocate_more(file, first)
}

/// `fallocate(file, FALLOC_FL_KEEP_SIZE, 0, bytes)`
pub(super) fn allocate_more(file: &File, bytes: usize) -> Result<(), Failure> {
    let length = i64::try_from(bytes).unwrap_or(i64::MAX);
    loop {
        return match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, length) {
            Err(Errno::EINTR) => continue,
            // Not a tmpfs: the C library writes a byte to every block.
            Err(Errno::EOPNOTSUPP) => {
                posix_fallocate(file, 0, length).map_err(|errno| Failure("posix_fallocate", errno.into()))
            }
            done => done.map_err(|errno| Failure("fallocate", errno.into())),
        };
    }
}

/// `fcntl(file, F_OFD_SETLK)`: a lock of the open file, shared by its users. False if another open file has it otherwise.
///
/// It is not the lock of flock(2), and neither is in the other's way. A kernel without these locks counts as one where another
/// process uses the ledger, which is the answer that does no harm.
pub(super) fn lock_users(file: &File, alone: bool) -> Result<bool, OsCode> {
    let kind = if alone { libc::F_WRLCK } else { libc::F_RDLCK };
    let mut lock = libc::flock {
        l_type: libc::c_short::try_from(kind).unwrap_or_default(),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: 0,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: `lock` is initialised and outlives the call.
    let locked = crate::sys::uninterrupted(|| unsafe {
        libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock)
    });
    match locked {
        Ok(_) => Ok(true),
        Err(OsCode::EAGAIN | OsCode::EACCES) => Ok(false),
        Err(OsCode::EINVAL | OsCode::ENOSYS | OsCode::EOPNOTSUPP) => Ok(!alone),
        Err(errno) => Err(errno),
    }
}

/// `/proc/sys/kernel/random/boot_id`, as a number; 0 without /proc.
pub(super) fn boot() -> Result<u64, Failure> {
    let read = fs::read("/proc/sys/kernel/random/boot_id");
    match read.map_err(|error| Failure("open", error.into())) {
        Ok(id) => Ok(hash(&[&id])),
        Err(failure) if failure.is_shortage() => Err(failure),
        Err(_) => Ok(0),
    }
}

/// The PID namespace, and the time namespace, from which start times count; 0 without /proc.
pub(crate) fn space() -> u64 {
    let space = |name| fs::read_link(format!("/proc/self/ns/{name}"));
    let Ok(pids) = space("pid") else { return 0 };
    // A kernel before 5.6 has no time namespaces.
    let times = space("time").unwrap_or_default();
    hash(&[pids.as_os_str().as_encoded_bytes(), times.as_os_str().as_encoded_bytes()])
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = FnvHasher::default();
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}
