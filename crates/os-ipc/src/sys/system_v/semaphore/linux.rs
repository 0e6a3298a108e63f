//! System V semaphores: semget(2), semop(2), semctl(2).

use std::time::Duration;

use crate::error::OsCode;
use libc::{c_int, c_long, c_ulong, sembuf, size_t, timespec};

pub(crate) use super::types::{Status, Undo};
pub(crate) use super::values::Values;
use crate::sys::access::Access;
use crate::sys::uninterrupted;

unsafe extern "C" {
    /// Not in the crate `libc`; glibc 2.3.3 and every musl have it.
    fn semtimedop(set: c_int, operations: *mut sembuf, count: size_t, timeout: *const timespec) -> c_int;
}

/// The id of a set of semaphores, from semget(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SetId(i32);

impl SetId {
    pub(crate) fn raw(self) -> i32 {
        self.0
    }
}

fn flag(undo: Undo) -> c_int {
    match undo {
        Undo::Yes => libc::SEM_UNDO,
        Undo::No => 0,
    }
}

/// One operation of a semop(2) array.
#[repr(transparent)]
pub(crate) struct Operation(sembuf);

impl Operation {
    /// Adds `by` to semaphore `index`, or fails with `EAGAIN` if the result would be negative.
    pub(crate) fn add(index: u16, by: i16, undo: Undo) -> Self {
        Self(buffer(index, by, libc::IPC_NOWAIT | flag(undo)))
    }

    /// Adds `by` to semaphore `index`, or waits until the result would not be negative.
    pub(crate) fn await_add(index: u16, by: i16, undo: Undo) -> Self {
        Self(buffer(index, by, flag(undo)))
    }

    /// Goes on if semaphore `index` is 0, otherwise fails with `EAGAIN`.
    pub(crate) fn is_zero(index: u16) -> Self {
        Self(buffer(index, 0, libc::IPC_NOWAIT))
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "every flag of semop fits: SEM_UNDO is 0x1000, IPC_NOWAIT 0x800"
)]
fn buffer(index: u16, by: i16, flags: c_int) -> sembuf {
    sembuf { sem_num: index, sem_op: by, sem_flg: flags as i16 }
}

/// `semget(key, size, IPC_CREAT | IPC_EXCL | mode)`: a new set; the umask is not applied.
///
/// `EEXIST` means that the key is taken; `EINVAL`, that `size` is over SEMMSL; `ENOSPC`, that SEMMNI or SEMMNS is
/// used up.
pub(crate) fn create(key: i32, size: usize, mode: u32) -> Result<SetId, OsCode> {
    get(key, size, libc::IPC_CREAT | libc::IPC_EXCL | mode.cast_signed())
}

/// `semget(key, size, IPC_CREAT | mode)`: the set of this key, created if it does not exist.
///
/// `EINVAL` means that the set of this key is smaller; `EACCES`, that we may not use it.
pub(crate) fn open_or_create(key: i32, size: usize, mode: u32) -> Result<SetId, OsCode> {
    get(key, size, libc::IPC_CREAT | mode.cast_signed())
}

/// `semget(key, 0, 0600)`: the set of this key, if we may read and alter it.
///
/// Without the mode semget succeeds for every user, and `EACCES` only comes at the first operation.
pub(crate) fn find(key: i32) -> Result<SetId, OsCode> {
    get(key, 0, 0o600)
}

/// `semget(key, 0, 0)`: the set of this key, even if we may not use it.
pub(crate) fn find_any(key: i32) -> Result<SetId, OsCode> {
    get(key, 0, 0)
}

fn get(key: i32, size: usize, flags: c_int) -> Result<SetId, OsCode> {
    let size = c_int::try_from(size).map_err(|_| OsCode::EINVAL)?;
    // SAFETY: no pointers.
    uninterrupted(|| unsafe { libc::semget(key, size, flags) }).map(SetId)
}

/// `semop(set, operations)`: all of them in one step, or none.
pub(crate) fn operate(set: SetId, operations: &mut [Operation]) -> Result<(), OsCode> {
    // SAFETY: `Operation` is a transparent `sembuf`; the array is initialised and outlives the call.
    uninterrupted(|| unsafe { libc::semop(set.0, operations.as_mut_ptr().cast(), operations.len()) })
        .map(drop)
}

/// `semop(set, operations)`: all of them in one step; waits until that is possible.
///
/// `EINTR` means that a signal came, ours or another: semop is never restarted (signal(7)).
pub(crate) fn operate_waiting(set: SetId, operations: &mut [Operation]) -> Result<(), OsCode> {
    // SAFETY: `Operation` is a transparent `sembuf`; the array is initialised and outlives the call.
    OsCode::result(unsafe { libc::semop(set.0, operations.as_mut_ptr().cast(), operations.len()) }).map(drop)
}

/// `semtimedop(set, operations, timeout)`: all of them at once, and waits until they can be done at most so long.
///
/// `EAGAIN` means that the time is over; `EINTR`, that a signal came.
pub(crate) fn operate_within(
    set: SetId,
    operations: &mut [Operation],
    timeout: Duration,
) -> Result<(), OsCode> {
    let timeout = timespec_of(timeout);
    // SAFETY: `Operation` is a transparent `sembuf`; the array is initialised, `timeout` is a normalised timespec, and both
    // outlive the call.
    OsCode::result(unsafe {
        semtimedop(set.0, operations.as_mut_ptr().cast(), operations.len(), &raw const timeout)
    })
    .map(drop)
}

/// `semop(set, {0, -1, IPC_NOWAIT})`: takes a unit if one is free now.
///
/// `EAGAIN` means that none is; `EIDRM` and `EINVAL`, that the set was removed.
pub(crate) fn try_take(set: SetId, undo: Undo) -> Result<(), OsCode> {
    let mut take = buffer(0, -1, libc::IPC_NOWAIT | flag(undo));
    // SAFETY: `take` is one initialised sembuf that outlives the call, and the count passed is 1.
    uninterrupted(|| unsafe { libc::semop(set.0, &raw mut take, 1) }).map(drop)
}

/// `semop(set, {0, -1})`: takes a unit, and waits for one without a limit.
///
/// `EINTR` means that a signal came, ours or another: semop is never restarted (signal(7)).
pub(crate) fn take(set: SetId, undo: Undo) -> Result<(), OsCode> {
    let mut take = buffer(0, -1, flag(undo));
    // SAFETY: `take` is one initialised sembuf that outlives the call, and the count passed is 1.
    OsCode::result(unsafe { libc::semop(set.0, &raw mut take, 1) }).map(drop)
}

/// `semtimedop(set, {0, -1}, timeout)`: takes a unit, and waits for one at most `timeout`.
///
/// `EAGAIN` means that the time is over; `EINTR`, that a signal came.
pub(crate) fn take_within(set: SetId, undo: Undo, timeout: Duration) -> Result<(), OsCode> {
    let mut take = buffer(0, -1, flag(undo));
    let timeout = timespec_of(timeout);
    // SAFETY: `take` is one initialised sembuf and `timeout` a normalised timespec; both outlive the call.
    OsCode::result(unsafe { semtimedop(set.0, &raw mut take, 1, &raw const timeout) }).map(drop)
}

fn timespec_of(time: Duration) -> timespec {
    timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: c_long::from(time.subsec_nanos().cast_signed()),
    }
}

/// `semtimedop(-1, {0, 0}, 1, {0, 0})`, for `system_v::probe`.
pub(crate) fn timed_with_nothing_to_do() -> c_int {
    let mut nothing = buffer(0, 0, libc::IPC_NOWAIT);
    let timeout = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `nothing` is one initialised sembuf and `timeout` a normalised timespec; both outlive the call.
    unsafe { semtimedop(-1, &raw mut nothing, 1, &raw const timeout) }
}

/// `semop(set, {0, +count})`: gives units. `ERANGE` means that the counter would pass 32,767; nothing is added.
pub(crate) fn give(set: SetId, count: i16, undo: Undo) -> Result<(), OsCode> {
    let mut give = buffer(0, count, flag(undo));
    // SAFETY: `give` is one initialised sembuf that outlives the call, and the count passed is 1.
    uninterrupted(|| unsafe { libc::semop(set.0, &raw mut give, 1) }).map(drop)
}

/// `semctl(set, 0, GETVAL)`: the counter.
pub(crate) fn value(set: SetId) -> Result<u16, OsCode> {
    value_at(set, 0)
}

/// `semctl(set, index, GETVAL)`: the value of that semaphore.
pub(crate) fn value_at(set: SetId, index: u16) -> Result<u16, OsCode> {
    question(set, index, libc::GETVAL).map(c_int_to_u16)
}

/// `semctl(set, 0, GETNCNT)`: the number of threads, in all processes, that wait for the counter to rise.
pub(crate) fn waiters(set: SetId) -> Result<u16, OsCode> {
    waiters_at(set, 0)
}

/// `semctl(set, index, GETNCNT)`: the number of threads, in all processes, that wait for that semaphore to rise.
pub(crate) fn waiters_at(set: SetId, index: u16) -> Result<u16, OsCode> {
    question(set, index, libc::GETNCNT).map(c_int_to_u16)
}

/// `semctl(set, 0, GETPID)`: the process that changed the counter last; 0 without one, or for another PID namespace.
pub(crate) fn last_pid(set: SetId) -> Result<i32, OsCode> {
    last_pid_at(set, 0)
}

/// `semctl(set, index, GETPID)`: the process that changed that semaphore last.
pub(crate) fn last_pid_at(set: SetId, index: u16) -> Result<i32, OsCode> {
    question(set, index, libc::GETPID)
}

fn question(set: SetId, index: u16, command: c_int) -> Result<c_int, OsCode> {
    // SAFETY: these commands take no fourth argument.
    uninterrupted(|| unsafe { libc::semctl(set.0, c_int::from(index), command) })
}

fn c_int_to_u16(value: c_int) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

/// `semctl(set, 0, GETALL)`: every value of a set of `size` semaphores.
pub(crate) fn values(set: SetId, size: usize) -> Result<Values, OsCode> {
    let mut values = Values::zeros(size);
    // SAFETY: the kernel writes one unsigned short a semaphore. A set's size never changes, and an id that came to
    // stand for another set would need 4 million removals between the two calls (its sequence number is part of it).
    uninterrupted(|| unsafe { libc::semctl(set.0, 0, libc::GETALL, values.as_mut_ptr()) })?;
    Ok(values)
}

/// `struct ipc64_perm` of the 64-bit Linux kernels that we build for.
#[repr(C)]
#[derive(Default)]
struct Permissions {
    key: i32,
    uid: u32,
    gid: u32,
    creator_uid: u32,
    creator_gid: u32,
    mode: u32,
    sequence: u16,
    padding: u16,
    reserved: [c_ulong; 2],
}

/// `struct semid64_ds`. x86 has a reserved word after each time; the generic struct of other processors does not.
#[repr(C)]
#[derive(Default)]
struct SetDescription {
    permissions: Permissions,
    operated: i64,
    #[cfg(target_arch = "x86_64")]
    reserved_operated: c_ulong,
    changed: i64,
    #[cfg(target_arch = "x86_64")]
    reserved_changed: c_ulong,
    size: c_ulong,
    reserved: [c_ulong; 2],
}

/// `semctl(set, 0, IPC_STAT)`. `EACCES` means that we may not read it.
pub(crate) fn status(set: SetId) -> Result<Status, OsCode> {
    let mut description = SetDescription::default();
    // SAFETY: `SetDescription` has the layout of the kernel's semid64_ds, which IPC_STAT fills in.
    uninterrupted(|| unsafe { libc::semctl(set.0, 0, libc::IPC_STAT, &raw mut description) })?;
    Ok(description.into())
}

impl From<SetDescription> for Status {
    fn from(description: SetDescription) -> Self {
        let SetDescription { permissions, operated, changed, size, .. } = description;
        Self {
            key: permissions.key,
            access: Access {
                uid: permissions.uid,
                creator_uid: permissions.creator_uid,
                gid: permissions.gid,
                mode: permissions.mode & 0o777,
            },
            size: usize::try_from(size).unwrap_or(usize::MAX),
            operated,
            changed,
        }
    }
}

/// All sets, even those that we may not read, as `/proc/sysvipc/sem` has them: by `semctl` with `SEM_INFO` and `SEM_STAT_ANY`.
pub(crate) fn all() -> Result<Vec<(SetId, Status)>, OsCode> {
    /// Since Linux 4.17; not in every version of the crate `libc`.
    const SEM_STAT_ANY: c_int = 20;
    const SEM_INFO: c_int = 19;
    let mut limits: [c_int; 10] = [0; 10];
    // SAFETY: `limits` has the layout of the kernel's seminfo, which SEM_INFO fills in.
    let last = uninterrupted(|| unsafe { libc::semctl(0, 0, SEM_INFO, limits.as_mut_ptr()) })?;
    let look = |index| {
        let mut description = SetDescription::default();
        // SAFETY: as in `status`; the number is an index here.
        let id = uninterrupted(|| unsafe { libc::semctl(index, 0, SEM_STAT_ANY, &raw mut description) });
        match id {
            Ok(id) => Ok(Some((SetId(id), description.into()))),
            // The index has no set, or not any more.
            Err(OsCode::EINVAL | OsCode::EIDRM) => Ok(None),
            Err(errno) => Err(errno),
        }
    };
    (0..=last).filter_map(|index| look(index).transpose()).collect()
}

/// `semctl(set, 0, IPC_RMID)`: removes the set; all waits on it fail with `EIDRM`.
pub(crate) fn remove(set: SetId) -> Result<(), OsCode> {
    // SAFETY: IPC_RMID takes no fourth argument.
    uninterrupted(|| unsafe { libc::semctl(set.0, 0, libc::IPC_RMID) }).map(drop)
}

/// The set with this id, for [`crate::list`]; the kernel is not asked.
pub(crate) fn by_id(id: i32) -> SetId {
    SetId(id)
}
