//! Hints from the state of a POSIX object that a call failed at, and of `/dev/shm`, its folder.

use super::{Remedy, Wanted, may_not, user};
use std::path::Path;

use crate::error::{Error, OsCode};
use crate::name::Name;
use crate::sys::access::{Access, own_uid};
use crate::sys::file_size_limit;
use crate::sys::ledger_file;
use crate::sys::shm_folder::{self, Fault, PATH, Room};

/// Explains an error of sem_open, sem_unlink and their calls. `elsewhere` finds the name in the other backend.
pub(crate) fn semaphore(
    error: Error,
    name: &Name,
    wanted: Wanted,
    elsewhere: impl FnOnce() -> Option<(String, Remedy)>,
) -> Error {
    explain(error, wanted, Some(Remedy::SystemV), || shm_folder::semaphore(name), elsewhere)
}

/// Explains an error of a call about a memory object.
pub(crate) fn memory(error: Error, name: &Name, wanted: Wanted) -> Error {
    explain(error, wanted, None, || shm_folder::memory(name), || None)
}

fn explain(
    error: Error,
    wanted: Wanted,
    instead: Option<Remedy>,
    owned: impl FnOnce() -> Option<Access>,
    elsewhere: impl FnOnce() -> Option<(String, Remedy)>,
) -> Error {
    let Some(errno) = error.errno().filter(|_| !error.is_explained()) else { return error };
    match errno {
        OsCode::ENOENT | OsCode::ENOTDIR | OsCode::EROFS | OsCode::EACCES | OsCode::EPERM => {
            // An object that is missing can only be created, and a semaphore is opened for writing.
            let making = wanted != Wanted::Open || errno != OsCode::EACCES;
            if let Some(fault) = shm_folder::fault(making).filter(|fault| explains(*fault, errno)) {
                return of_folder(error, fault, instead);
            }
            of_object(error, errno, owned, elsewhere)
        }
        OsCode::EEXIST => of_object(error, errno, owned, elsewhere),
        OsCode::ENOSPC => match shm_folder::room() {
            Some(room) => no_room(error, PATH, room, wanted),
            None => error,
        },
        OsCode::EFBIG => too_large(error),
        _ => error,
    }
}

/// Explains an error of a call that needed room for a ledger in a folder.
pub(crate) fn ledger(error: Error, folder: &Path, bytes: u64) -> Error {
    match error.errno() {
        Some(OsCode::ENOSPC) => match ledger_file::room(folder) {
            Some(room) => no_room(error, &folder.to_string_lossy(), room, Wanted::Make(bytes)),
            None => error,
        },
        Some(OsCode::EFBIG) => too_large(error),
        Some(OsCode::EACCES) => error.with_hint(format!(
            "this process may not create files in {0}, and other users of the name may: run `chmod 1777 {0}` as its owner",
            folder.display()
        )),
        _ => error,
    }
}

fn too_large(error: Error) -> Error {
    match file_size_limit() {
        Some(limit) => error
            .with_hint(format!(
                "a file of this process may have at most {limit} bytes (RLIMIT_FSIZE, `ulimit -f`)"
            ))
            .with_limit(limit),
        None => error,
    }
}

/// Whether a fault of the folder explains the errno.
fn explains(fault: Fault, errno: OsCode) -> bool {
    match fault {
        Fault::Missing => errno == OsCode::ENOENT,
        Fault::NoFolder => matches!(errno, OsCode::ENOTDIR | OsCode::ENOENT | OsCode::EACCES),
        Fault::ReadOnly => matches!(errno, OsCode::EROFS | OsCode::ENOENT),
        // glibc's sem_open fails with ENOENT where it cannot search.
        Fault::Hidden | Fault::NotSearchable(_) => matches!(errno, OsCode::EACCES | OsCode::ENOENT),
        Fault::NotWritable(_) => errno == OsCode::EACCES,
    }
}

/// `instead` is the remedy that uses System V; memory has none, and needs a key for it.
fn of_folder(error: Error, fault: Fault, instead: Option<Remedy>) -> Error {
    let or = match instead {
        Some(_) => "or use a System V semaphore",
        None => "or use System V memory (a key instead of the name)",
    };
    let helps = matches!(fault, Fault::Missing | Fault::NoFolder | Fault::ReadOnly);
    let error = match fault {
        Fault::Missing => error.with_hint(format!(
            "this host has no {PATH}, which holds POSIX objects (AWS Lambda has none): mount a tmpfs there, {or}"
        )),
        Fault::NoFolder => error.with_hint(format!("{PATH} is not a folder: mount a tmpfs there, {or}")),
        Fault::ReadOnly => error.with_hint(format!(
            "{PATH}, which holds POSIX objects, is read-only: mount a tmpfs there (a container: --tmpfs {PATH}, or an \
             emptyDir of medium Memory), {or}"
        )),
        Fault::Hidden => error.with_hint(format!("this process may not search {PATH}: check the mode of /dev")),
        Fault::NotSearchable(Access { uid, mode, .. }) => error
            .with_hint(format!(
                "{PATH} belongs to {} and has mode {mode:03o}, so this process cannot search it: run `chmod 1777 {PATH}` \
                 as its owner",
                user(uid)
            ))
            .with_owner(uid, Some(mode)),
        Fault::NotWritable(Access { uid, mode, .. }) => error
            .with_hint(format!(
                "{PATH} belongs to {} and has mode {mode:03o}, so this process cannot create or remove files in it: \
                 run `chmod 1777 {PATH}` as its owner",
                user(uid)
            ))
            .with_owner(uid, Some(mode)),
    };
    error.with_remedy(instead.filter(|_| helps))
}

fn of_object(
    error: Error,
    errno: OsCode,
    owned: impl FnOnce() -> Option<Access>,
    elsewhere: impl FnOnce() -> Option<(String, Remedy)>,
) -> Error {
    if errno == OsCode::ENOENT {
        return match elsewhere() {
            Some((hint, remedy)) => error.with_hint(hint).with_remedy(remedy),
            None => error,
        };
    }
    let Some(Access { uid, mode, .. }) = owned() else { return error };
    let own = own_uid();
    let removing = matches!(error.syscall(), Some("sem_unlink" | "unlinkat" | "shm_unlink"));
    let (hint, remedy) = match errno {
        OsCode::EEXIST => (
            format!("it exists, belongs to {} and has mode {mode:03o}: open it instead", user(uid)),
            Some(Remedy::Open),
        ),
        // Neither the mode nor the owner stops root and the owner.
        OsCode::EACCES | OsCode::EPERM if own != 0 && (uid != own || !removing) => {
            // sem_unlink(3) reports EACCES for the EPERM of unlink(2).
            may_not(if removing { OsCode::EPERM } else { OsCode::EACCES }, uid, mode, own)
        }
        _ => return error,
    };
    error.with_hint(hint).with_remedy(remedy).with_owner(uid, Some(mode))
}

/// Bytes, files, or neither: the kernel reports `ENOSPC` for each.
fn no_room(error: Error, path: &str, room: Room, wanted: Wanted) -> Error {
    let Room { free, total, free_files, files } = room;
    if files > 0 && free_files == 0 {
        return error
            .with_hint(format!(
                "{path} has reached its limit of {files} inodes (files), although {free} of {total} bytes are free: \
                 remove some files, or `mount -o remount,nr_inodes=... {path}`"
            ))
            .with_limit(files);
    }
    let full = format!("{path} has {free} of {total} bytes free");
    let size = if let Wanted::Make(size) = wanted { size } else { 0 };
    if total > 0 && size <= free && free > 0 {
        return error.with_hint(format!(
            "{full}, so that is not the reason: the host or the container (cgroup) is out of memory, or strict \
             overcommit (vm.overcommit_memory=2) allows no more"
        ));
    }
    let usual = if path == PATH { "; a container has 64 MB by default (--shm-size)" } else { "" };
    error.with_hint(format!("{full}{usual}: {path} is full or too small")).with_limit(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(room: Room, wanted: Wanted) -> String {
        let error = Error::system("cannot create it", "open", "'/it'", OsCode::ENOSPC);
        no_room(error, PATH, room, wanted).hint().unwrap_or_default().to_owned()
    }

    #[test]
    fn files_bytes_and_memory_are_told_apart() {
        let room = Room { free: 100, total: 200, free_files: 3, files: 9 };
        assert!(of(Room { free_files: 0, ..room }, Wanted::Make(10)).contains("9 inodes"));
        assert!(of(room, Wanted::Make(101)).contains("100 of 200 bytes free; a container"));
        assert!(of(Room { free: 0, ..room }, Wanted::Make(1)).contains("is full"));
        assert!(of(room, Wanted::Make(10)).contains("cgroup"));
        // A file system without these limits.
        assert!(of(Room { free_files: 0, files: 0, ..room }, Wanted::Make(10)).contains("cgroup"));
    }
}
