//! macOS: a folder that is not cleaned, and one namespace for all processes.

use std::fs::File;
use std::hash::Hasher;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::ptr;

use fnv::FnvHasher;

use super::imp::{Temporary, c_path};
use crate::sys::OsCode;
use crate::sys::failure::Failure;

/// `/tmp` and `TMPDIR` lose files that are 3 days old, and a folder of one user is not for all.
pub(super) const FOLDERS: [&str; 1] = ["/var/tmp"];

pub(super) fn create(folder: &Path) -> Result<(File, Temporary), Failure> {
    Temporary::create(folder)
}

/// `renamex_np(temporary, path, RENAME_EXCL)`: gives a file its name, unless that is taken.
pub(super) fn publish(_: &File, temporary: Option<&Path>, path: &Path) -> Result<(), Failure> {
    let (from, to) = (c_path(temporary.unwrap_or(path)), c_path(path));
    // SAFETY: both paths are NUL-terminated strings that outlive the call.
    OsCode::result(unsafe { libc::renamex_np(from.as_ptr(), to.as_ptr(), libc::RENAME_EXCL) })
        .map(drop)
        .map_err(|errno| Failure("renamex_np", errno))
}

/// `pwrite(file, zeros)`: APFS has no fallocate(2). The whole file gets its blocks at once.
pub(super) fn allocate_first(file: &File, _first: usize, size: usize) -> Result<(), Failure> {
    file.write_all_at(&vec![0; size], 0).map_err(|error| Failure("pwrite", error.into()))
}

/// Nothing: the file has all of its blocks.
#[allow(clippy::unnecessary_wraps, reason = "the same face as on Linux")]
pub(super) fn allocate_more(_: &File, _: usize) -> Result<(), Failure> {
    Ok(())
}

/// There are no namespaces: every user of a ledger sees every other.
#[allow(clippy::unnecessary_wraps, reason = "the same face as on Linux")]
pub(super) fn lock_users(_: &File, _alone: bool) -> Result<bool, OsCode> {
    Ok(true)
}

/// `sysctlbyname("kern.bootsessionuuid")`, as a number; 0 where it is not known.
#[allow(clippy::unnecessary_wraps, reason = "the same face as on Linux")]
pub(super) fn boot() -> Result<u64, Failure> {
    let mut uuid = [0_u8; 64];
    let mut length = uuid.len();
    // SAFETY: the name is a NUL-terminated string, and `uuid` has `length` bytes; both outlive the call.
    let read = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            uuid.as_mut_ptr().cast(),
            &raw mut length,
            ptr::null_mut(),
            0,
        )
    };
    if read != 0 {
        return Ok(0);
    }
    let mut hasher = FnvHasher::default();
    hasher.write(&uuid[..length.min(uuid.len())]);
    Ok(hasher.finish())
}

pub(crate) fn space() -> u64 {
    0
}
