//! The folder of POSIX objects on Linux and its content, for the hints of errors: nothing here changes it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access};

use super::types::{Fault, Room};
use crate::name::Name;
use crate::sys::access::Access;
use crate::sys::named_semaphore::FILE_PREFIX;

/// The folder in which the C libraries keep POSIX objects.
pub(crate) const PATH: &str = "/dev/shm";

/// The fault that keeps every object from being found or, with `making`, created or removed.
pub(crate) fn fault(making: bool) -> Option<Fault> {
    let folder = match std::fs::metadata(PATH) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(Fault::Missing),
        Err(_) => return Some(Fault::Hidden),
    };
    // The sticky bit counts here.
    let access_of_folder = Access { mode: folder.mode() & 0o7777, ..Access::of_file(&folder) };
    if !folder.is_dir() {
        return Some(Fault::NoFolder);
    }
    if access(PATH, AccessFlags::X_OK) == Err(Errno::EACCES) {
        return Some(Fault::NotSearchable(access_of_folder));
    }
    if !making {
        return None;
    }
    if statvfs(PATH).is_ok_and(|status| status.flags().contains(FsFlags::ST_RDONLY)) {
        return Some(Fault::ReadOnly);
    }
    match access(PATH, AccessFlags::W_OK) {
        Err(Errno::EROFS) => Some(Fault::ReadOnly),
        Err(Errno::EACCES) => Some(Fault::NotWritable(access_of_folder)),
        _ => None,
    }
}

/// The room in the folder, in bytes and in files.
pub(crate) fn room() -> Option<Room> {
    room_of(Path::new(PATH))
}

/// The room in the file system of a folder.
pub(crate) fn room_of(folder: &Path) -> Option<Room> {
    let status = statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(status.fragment_size());
    Some(Room {
        free: bytes(status.blocks_available()),
        total: bytes(status.blocks()),
        free_files: status.files_available(),
        files: status.files(),
    })
}

/// The owner and mode of the memory object of this name.
pub(crate) fn memory(name: &Name) -> Option<Access> {
    owned(PathBuf::from(format!("{PATH}{name}")))
}

/// The owner and mode of the POSIX semaphore of this name.
pub(crate) fn semaphore(name: &Name) -> Option<Access> {
    owned(PathBuf::from(format!("{PATH}/{}{}", FILE_PREFIX?, &name.as_str()[1..])))
}

fn owned(path: PathBuf) -> Option<Access> {
    let status = std::fs::symlink_metadata(path).ok()?;
    Some(Access::of_file(&status))
}
