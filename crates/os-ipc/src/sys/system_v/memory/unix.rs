//! System V shared memory: shmget(2), shmctl(2). `sys/mapping` attaches it.

use std::mem::MaybeUninit;
use std::time::{Duration, SystemTime};

use crate::error::OsCode;
use libc::{c_int, shmid_ds};

use crate::sys::access::Access;
use crate::sys::segment_key;

/// `IPC_STAT` of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// `None` for `IPC_PRIVATE`, and for a segment that was removed but is still attached.
    pub(crate) key: Option<i32>,
    pub(crate) size: usize,
    pub(crate) attached: u64,
    pub(crate) creator_pid: i32,
    pub(crate) last_pid: i32,
    pub(crate) access: Access,
    pub(crate) attached_at: Option<SystemTime>,
    pub(crate) detached_at: Option<SystemTime>,
    pub(crate) changed: Option<SystemTime>,
    /// Removed; its memory goes when the last process detaches it.
    pub(crate) removed: bool,
}

/// A bit of `mode` on Linux and XNU: "segment will be destroyed on last detach"; missing in the crate `libc`.
const SHM_DEST: u32 = if cfg!(target_vendor = "apple") { 0o2000 } else { 0o1000 };

/// `shmget(key, size, IPC_CREAT | IPC_EXCL | mode)`: a new segment; the umask is not applied.
///
/// `EEXIST` means that the key is taken; `EINVAL`, that `size` is over SHMMAX; `ENOSPC`, that SHMMNI or SHMALL is
/// used up.
pub(crate) fn create(key: i32, size: usize, mode: u32) -> Result<i32, OsCode> {
    let flags = libc::IPC_CREAT | libc::IPC_EXCL | c_int::try_from(mode & 0o777).unwrap_or(0o600);
    // SAFETY: no pointers.
    OsCode::result(unsafe { libc::shmget(key, size, flags) })
}

/// `shmget(key, 0, 0)`: the id of an existing segment, even if we may not use it.
pub(crate) fn find(key: i32) -> Result<i32, OsCode> {
    // SAFETY: no pointers.
    OsCode::result(unsafe { libc::shmget(key, 0, 0) })
}

/// `shmctl(segment, IPC_STAT, ...)`
///
/// `EINVAL` and `EIDRM` mean that there is no such segment (any more); `EACCES`, that we may not read it.
pub(crate) fn status(segment: i32) -> Result<Status, OsCode> {
    let mut status = MaybeUninit::<shmid_ds>::zeroed();
    // SAFETY: `status` has room for a shmid_ds and outlives the call.
    OsCode::result(unsafe { libc::shmctl(segment, libc::IPC_STAT, status.as_mut_ptr()) })?;
    // SAFETY: it was zeroed, which is a shmid_ds, and the call filled it in.
    Ok(status_of(&unsafe { status.assume_init() }))
}

#[allow(clippy::useless_conversion, reason = "the members are as wide as each C library has them")]
fn status_of(status: &shmid_ds) -> Status {
    let mode = u32::from(status.shm_perm.mode);
    Status {
        key: Some(segment_key(&status.shm_perm)).filter(|&key| key != libc::IPC_PRIVATE),
        size: status.shm_segsz,
        attached: u64::from(status.shm_nattch),
        creator_pid: status.shm_cpid,
        last_pid: status.shm_lpid,
        access: Access {
            uid: status.shm_perm.uid,
            creator_uid: status.shm_perm.cuid,
            gid: status.shm_perm.gid,
            mode: mode & 0o777,
        },
        attached_at: time(status.shm_atime),
        detached_at: time(status.shm_dtime),
        changed: time(status.shm_ctime),
        removed: mode & SHM_DEST != 0,
    }
}

/// All segments, even those that we may not read, as `/proc/sysvipc/shm` has them: by `shmctl` with `SHM_INFO` and
/// `SHM_STAT_ANY`.
#[cfg(target_os = "linux")]
pub(crate) fn all() -> Result<Vec<(i32, Status)>, OsCode> {
    /// Since Linux 4.17; not in every version of the crate `libc`.
    const SHM_STAT_ANY: c_int = 15;
    const SHM_INFO: c_int = 14;
    let mut status = MaybeUninit::<shmid_ds>::zeroed();
    // SAFETY: SHM_INFO fills in a shm_info, which is shorter than a shmid_ds.
    let last = OsCode::result(unsafe { libc::shmctl(0, SHM_INFO, status.as_mut_ptr()) })?;
    let look = |index| {
        let mut status = MaybeUninit::<shmid_ds>::zeroed();
        // SAFETY: as in `status`; the number is an index here.
        match OsCode::result(unsafe { libc::shmctl(index, SHM_STAT_ANY, status.as_mut_ptr()) }) {
            // SAFETY: as in `status`.
            Ok(id) => Ok(Some((id, status_of(&unsafe { status.assume_init() })))),
            // The index has no segment, or not any more.
            Err(OsCode::EINVAL | OsCode::EIDRM) => Ok(None),
            Err(errno) => Err(errno),
        }
    };
    (0..=last).filter_map(|index| look(index).transpose()).collect()
}

/// `shmctl(segment, IPC_RMID)`: the key is free at once, the memory when the last process detaches it.
///
/// `EINVAL` and `EIDRM` mean that it is gone; `EPERM`, that it belongs to another user.
pub(crate) fn remove(segment: i32) -> Result<(), OsCode> {
    // SAFETY: IPC_RMID does not look at the pointer.
    OsCode::result(unsafe { libc::shmctl(segment, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// A time of the kernel, in whole seconds; 0 means never.
fn time(seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(seconds).ok().filter(|&seconds| seconds != 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
