//! The usual hint of a call and its errno: the ERRORS of the man pages, for our use of the calls.

use super::Remedy;
use crate::error::OsCode;

/// The kind of object that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// semget(2), semop(2), semctl(2).
    Sets,
    /// shmget(2), shmat(2), shmctl(2).
    Segments,
    /// A POSIX semaphore that is open.
    OpenSemaphore,
    /// Files: POSIX objects, and the locks of darwin.
    Files,
    /// Objects of the Windows kernel, and the files of its locks.
    Windows,
}

fn family(call: &str) -> Option<Family> {
    Some(match call {
        "semget" | "semop" | "semtimedop" | "semctl" => Family::Sets,
        "shmget" | "shmat" | "shmctl" => Family::Segments,
        "sem_wait" | "sem_timedwait" | "sem_trywait" | "sem_post" | "sem_getvalue" => Family::OpenSemaphore,
        "open" | "shm_open" | "sem_open" | "mmap" | "lstat" | "fstat" | "stat" | "chmod" | "fchmod"
        | "fallocate" | "posix_fallocate" | "ftruncate" | "linkat" | "unlink" | "unlinkat" | "shm_unlink"
        | "sem_unlink" | "mkdir" | "flock" | "write" | "read" | "confstr" | "access" | "fcntl" | "pwrite"
        | "renameat2" | "renamex_np" => Family::Files,
        "OpenFileMapping" | "CreateFileMapping" | "MapViewOfFile" | "CreateMutex" | "OpenProcess"
        | "CreateFile" | "CreateDirectory" | "LockFileEx" => Family::Windows,
        _ => return None,
    })
}

/// The hint of an error about which no more is known; `None` if the call has no such errno.
pub(crate) fn usual(call: &str, errno: OsCode) -> Option<&'static str> {
    match family(call)? {
        Family::Sets => sets(call, errno).or_else(|| system_v(errno)),
        Family::Segments => segments(call, errno).or_else(|| system_v(errno)),
        Family::OpenSemaphore => open_semaphore(errno),
        Family::Files => files(call, errno),
        Family::Windows => windows(errno),
    }
}

/// The remedy of this package for an error with its [`usual`] hint.
pub(crate) fn usual_remedy(call: &str, errno: OsCode) -> Option<Remedy> {
    match usual(call, errno)? {
        SETS_REFUSED => Some(Remedy::Posix),
        NO_FILE | NO_SET_OR_SEGMENT => Some(Remedy::Create),
        EXISTS => Some(Remedy::Open),
        NO_RIGHT | NO_RIGHT_TO_CHANGE => Some(Remedy::Mode),
        _ => None,
    }
}

pub(super) const SETS_REFUSED: &str = "a seccomp filter of the container or sandbox refuses the call, or the kernel has no System V IPC: allow the call, or use a POSIX semaphore";
pub(super) const SEGMENTS_REFUSED: &str = "a seccomp filter of the container or sandbox refuses the call, or the kernel has no System V IPC: allow the call, or use POSIX memory (a name instead of a key)";
const NO_RIGHT: &str =
    "its mode does not let this process use it: create it with mode 660 and a common group";
const NO_RIGHT_TO_CHANGE: &str =
    "its mode does not let this process read and change it: create it with mode 660 and a common group";
const NO_SET_OR_SEGMENT: &str = "no object of this IPC namespace has this name or key, and each container has its own namespace: create the object first";
const NO_FILE: &str = "no object has this name: create it first";
const EXISTS: &str = "an object with this name or key exists: open it instead";
const FILES_REFUSED: &str = "a seccomp filter or a security module (AppArmor, SELinux) of the container or host refuses the call: its log names the rule";
pub(super) const NO_MEMORY: &str = "there is not enough memory, or this process or its container has reached its limit of address space or mappings";

fn sets(call: &str, errno: OsCode) -> Option<&'static str> {
    Some(match (call, errno) {
        ("semctl", OsCode::EPERM) => "only its owner, its creator and root may remove or change a set",
        (_, OsCode::EPERM | OsCode::ENOSYS) => SETS_REFUSED,
        ("semget", OsCode::EINVAL) => {
            "the set with this key has fewer semaphores, or SEMMSL of this host (kernel.sem) is 0"
        }
        (_, OsCode::ERANGE) => {
            "a System V counter holds at most 32,767, and so does the kernel's undo record of a process; a POSIX counter holds at most 2,147,483,647"
        }
        (_, OsCode::E2BIG) => "SEMOPM of this host (the third number of kernel.sem) is too small",
        (_, OsCode::EFBIG) => "the set has fewer semaphores than before: another set has its id now",
        _ => return None,
    })
}

fn segments(call: &str, errno: OsCode) -> Option<&'static str> {
    Some(match (call, errno) {
        ("shmctl", OsCode::EPERM) => "only its owner, its creator and root may remove or change a segment",
        (_, OsCode::EPERM | OsCode::ENOSYS) => SEGMENTS_REFUSED,
        ("shmget", OsCode::EINVAL) => "the size is 0 or above SHMMAX (/proc/sys/kernel/shmmax)",
        ("shmat", OsCode::EMFILE) => "this process has reached its limit of attached segments (SHMSEG)",
        (_, OsCode::EOVERFLOW) => "the segment is larger than this process can describe",
        _ => return None,
    })
}

/// For sets and segments.
fn system_v(errno: OsCode) -> Option<&'static str> {
    Some(match errno {
        OsCode::EACCES => NO_RIGHT_TO_CHANGE,
        OsCode::ENOENT => NO_SET_OR_SEGMENT,
        OsCode::EEXIST => EXISTS,
        OsCode::EIDRM | OsCode::EINVAL => "it was removed: open it again",
        OsCode::ENOMEM => NO_MEMORY,
        OsCode::ENOSPC => {
            "the disk is not full: a limit of System V objects is reached (kernel.sem, kernel.shmmni, kernel.shmall)"
        }
        OsCode::ENFILE | OsCode::EMFILE => "the limit of open files of this process or host is reached",
        OsCode::EAGAIN => "nothing is free now, and the call does not wait",
        OsCode::EFAULT => "the kernel could not read or write this process's memory: please report it",
        _ => return None,
    })
}

fn open_semaphore(errno: OsCode) -> Option<&'static str> {
    Some(match errno {
        OsCode::EOVERFLOW => {
            "the counter is at its maximum, and nothing was added: look for a program that posts too often"
        }
        OsCode::ENOSYS => "this platform has no sem_getvalue",
        OsCode::EINVAL => "another program overwrote the semaphore",
        OsCode::EPERM | OsCode::EACCES => "a seccomp filter of the container or sandbox refuses futex(2)",
        _ => return None,
    })
}

fn windows(errno: OsCode) -> Option<&'static str> {
    Some(match errno {
        OsCode::ENOENT => NO_FILE,
        OsCode::EEXIST => EXISTS,
        OsCode::EACCES => {
            "it belongs to another user or to a process with other rights: an object is for its owner alone"
        }
        OsCode::ENOMEM => NO_MEMORY,
        _ => return None,
    })
}

fn files(call: &str, errno: OsCode) -> Option<&'static str> {
    Some(match (call, errno) {
        ("chmod" | "fchmod", OsCode::EPERM | OsCode::EACCES) => {
            "the mode of the new object could not be set: the file system has no modes, or a security module refuses it"
        }
        ("linkat", OsCode::EPERM | OsCode::EMLINK | OsCode::ELOOP) | (_, OsCode::EXDEV) => {
            "the file system on /dev/shm does not support linkat(2): mount a tmpfs there"
        }
        ("mmap", OsCode::EACCES | OsCode::EPERM | OsCode::ENODEV | OsCode::EBADF | OsCode::EINVAL) => {
            "the file system on /dev/shm, or a security module, does not allow this file to be mapped: mount a tmpfs there"
        }
        ("mmap", OsCode::EAGAIN) => "memory is locked (mlockall), and its limit is reached: see `ulimit -l`",
        ("sem_unlink" | "unlink" | "unlinkat" | "shm_unlink", OsCode::EPERM | OsCode::EACCES) => {
            "only its owner, the folder's owner and root may remove it"
        }
        ("stat", OsCode::ENOENT) => "the file does not exist: ftok needs an existing file",
        ("stat", OsCode::EACCES) => "this process may not search one of the folders of the path",
        ("flock" | "fcntl", OsCode::ENOLCK) => {
            "the kernel, or the file system of the folder, has no room for another lock"
        }
        (_, OsCode::EPERM | OsCode::ENOSYS) => FILES_REFUSED,
        (_, OsCode::EACCES) => NO_RIGHT,
        (_, OsCode::ENOENT) => NO_FILE,
        (_, OsCode::EEXIST) => EXISTS,
        (_, OsCode::EROFS) => "the file system of POSIX objects is read-only",
        (_, OsCode::ENOTDIR) => "a part of the path is not a folder",
        (_, OsCode::EISDIR | OsCode::ENXIO | OsCode::ESPIPE) => {
            "this name belongs to a folder, a FIFO, a socket or a device: another user may have planted it"
        }
        (_, OsCode::ELOOP) => "this name belongs to a symbolic link: another user may have planted it",
        (_, OsCode::EBUSY | OsCode::ETXTBSY) => "the file is mounted, executed or in use by the system",
        (_, OsCode::ENAMETOOLONG) => "the file system on /dev/shm accepts only shorter names",
        (_, OsCode::ENOSPC) => "/dev/shm is full; a container has 64 MB of it by default (--shm-size)",
        (_, OsCode::EDQUOT) => "the user's quota of the file system on /dev/shm is used up",
        (_, OsCode::EFBIG) => {
            "the size exceeds what the file system, or the file size limit of this process (`ulimit -f`), allows"
        }
        (_, OsCode::EOVERFLOW) => "it is larger than this process can map",
        (_, OsCode::EMFILE) => {
            "each POSIX object, and each limit that is a ledger, holds a file descriptor: see `ulimit -n`"
        }
        (_, OsCode::ENFILE) => "the host has reached its limit of open files (/proc/sys/fs/file-max)",
        (_, OsCode::ENOMEM) => NO_MEMORY,
        (_, OsCode::EIO) => "the file system reports that its device failed: see the kernel's log (dmesg)",
        (_, OsCode::ENODEV | OsCode::EOPNOTSUPP) => {
            "the file system on /dev/shm cannot do what shared memory needs: mount a tmpfs there"
        }
        (_, OsCode::EMLINK) => "the file has reached the file system's limit of names",
        (_, OsCode::EAGAIN | OsCode::EINTR) => "the object keeps changing: try again",
        (_, OsCode::EINVAL) => {
            "the system, or the file system on /dev/shm, does not accept this name or size"
        }
        (_, OsCode::EBADF | OsCode::EFAULT) => {
            "other code in this process closed a file or unmapped memory of os-ipc: please report it"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ERRORS of man 2 and man 3, for our calls and their arguments.
    const ERRORS: [(&str, &str); 24] = [
        ("semget", "EACCES EEXIST EINVAL ENOENT ENOMEM ENOSPC ENOSYS EPERM"),
        ("semop", "E2BIG EACCES EAGAIN EFAULT EFBIG EIDRM EINVAL ENOMEM ENOSPC ERANGE ENOSYS EPERM"),
        ("semtimedop", "E2BIG EACCES EAGAIN EFAULT EFBIG EIDRM EINVAL ENOMEM ENOSPC ERANGE ENOSYS EPERM"),
        ("semctl", "EACCES EFAULT EIDRM EINVAL EPERM ERANGE ENOMEM ENOSYS"),
        ("shmget", "EACCES EEXIST EINVAL ENFILE ENOENT ENOMEM ENOSPC EPERM ENOSYS"),
        ("shmat", "EACCES EIDRM EINVAL EMFILE ENOMEM EPERM ENOSYS"),
        ("shmctl", "EACCES EFAULT EIDRM EINVAL ENOMEM EOVERFLOW EPERM ENOSYS"),
        (
            "open",
            "EACCES EBUSY EDQUOT EEXIST EFAULT EFBIG EINVAL EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT \
             ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY EIO",
        ),
        (
            "sem_open",
            "EACCES EEXIST EINVAL EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC EROFS EPERM EDQUOT EFBIG EIO \
             EMLINK ELOOP ENOTDIR EXDEV",
        ),
        ("shm_open", "EACCES EEXIST EINVAL EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC ENOSYS"),
        ("sem_unlink", "EACCES ENAMETOOLONG ENOENT EROFS EPERM EIO EISDIR EBUSY ENOTDIR ELOOP ENOMEM"),
        ("shm_unlink", "EACCES ENAMETOOLONG ENOENT"),
        (
            "unlinkat",
            "EACCES EBUSY EFAULT EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS EINVAL",
        ),
        ("mmap", "EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ETXTBSY"),
        (
            "fallocate",
            "EBADF EFBIG EINVAL EIO ENODEV ENOSPC EOPNOTSUPP EPERM ESPIPE ETXTBSY ENOSYS EDQUOT ENOMEM",
        ),
        ("posix_fallocate", "EBADF EFBIG EINVAL ENODEV ENOSPC EOPNOTSUPP ESPIPE"),
        (
            "linkat",
            "EACCES EDQUOT EEXIST EFAULT EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS \
             EXDEV EBADF EINVAL",
        ),
        ("chmod", "EACCES EFAULT EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EPERM EROFS"),
        ("fchmod", "EBADF EIO ENOENT ENOMEM EPERM EROFS EACCES"),
        ("ftruncate", "EBADF EFBIG EINVAL EIO EPERM ETXTBSY EACCES EROFS"),
        ("fstat", "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW EPERM"),
        ("lstat", "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW EPERM"),
        ("sem_post", "EINVAL EOVERFLOW EPERM"),
        ("sem_wait", "EINVAL EPERM"),
    ];

    #[test]
    fn every_errno_of_every_call_has_a_hint() {
        let numbers = 1..134;
        for (call, names) in ERRORS {
            for name in names.split_whitespace() {
                let errno = numbers.clone().map(OsCode::from_raw).find(|errno| format!("{errno:?}") == name);
                // darwin has no such code, or another name for it.
                let Some(errno) = errno else { continue };
                assert!(usual(call, errno).is_some(), "{call}: {name}");
            }
        }
    }

    #[test]
    fn an_unknown_call_has_no_hint() {
        assert_eq!(usual("take", OsCode::EPERM), None);
    }

    #[test]
    fn hints_tell_a_filter_from_an_owner() {
        assert_eq!(usual("semget", OsCode::EPERM), Some(SETS_REFUSED));
        assert_eq!(usual("shmat", OsCode::ENOSYS), Some(SEGMENTS_REFUSED));
        assert!(usual("semctl", OsCode::EPERM).unwrap().contains("owner"));
    }
}
