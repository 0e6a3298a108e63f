//! POSIX named semaphores of the C library: sem_open(3), sem_wait(3), sem_post(3).

use std::ffi::{CStr, c_uint};
use std::ptr::NonNull;
#[cfg(not(target_vendor = "apple"))]
use std::time::Duration;
use std::time::Instant;

use crate::error::OsCode;
use libc::sem_t;
#[cfg(not(target_vendor = "apple"))]
use nix::{
    sys::time::TimeSpec,
    time::{ClockId, clock_gettime},
};

use super::sharing;
use crate::sys::uninterrupted;

/// A mapped semaphore. Closing it while a thread waits on it is undefined, so its owner keeps it until no thread does.
#[derive(Debug)]
pub(crate) struct Mapped(NonNull<sem_t>);

// SAFETY: every function of sem_overview(7) may be called from any thread on the same sem_t.
unsafe impl Send for Mapped {}
// SAFETY: as above; nothing but those functions touches it.
unsafe impl Sync for Mapped {}

/// The longest sleep in the kernel: 1 s. Much shorter ones would cost a process its turn among rivals.
#[cfg(not(target_vendor = "apple"))]
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The call that waits.
pub(crate) const WAIT_CALL: &str = if cfg!(target_vendor = "apple") { "sem_wait" } else { "sem_timedwait" };

impl Mapped {
    /// Its address: one for each semaphore and process, however often it is opened (glibc and musl).
    pub(crate) fn address(&self) -> usize {
        self.0.addr().get()
    }

    /// `sem_trywait(sem)`: takes a unit if one is free now. `EAGAIN` means that none is.
    pub(crate) fn try_take(&self) -> Result<(), OsCode> {
        // SAFETY: mapped until `self` is dropped.
        uninterrupted(|| unsafe { libc::sem_trywait(self.0.as_ptr()) }).map(drop)
    }

    /// `sem_timedwait(sem, a second)`, repeated: takes a unit, and waits for one without a limit. `EINTR` means that a
    /// signal came.
    ///
    /// A plain sem_wait could sleep for ever beside a free unit: sem_post wakes one waiter, and that one may be killed.
    #[cfg(not(target_vendor = "apple"))]
    pub(crate) fn take(&self) -> Result<(), OsCode> {
        loop {
            match self.take_within(LONGEST_SLEEP) {
                Err(OsCode::ETIMEDOUT) => {}
                done => return done,
            }
        }
    }

    /// `sem_wait(sem)`: takes a unit, and waits for one without a limit. `EINTR` means that a signal came.
    #[cfg(target_vendor = "apple")]
    pub(crate) fn take(&self) -> Result<(), OsCode> {
        // SAFETY: mapped until `self` is dropped.
        unsafe { sharing::check(self.0) }?;
        // SAFETY: as above.
        OsCode::result(unsafe { libc::sem_wait(self.0.as_ptr()) }).map(drop)
    }

    /// `sem_timedwait(sem, a second or less)`, repeated: takes a unit, and waits for one until the deadline; false if
    /// the deadline comes first.
    ///
    /// The clock of the call can be set, so it only bounds one sleep: the deadline is one of the monotonic clock.
    #[cfg(not(target_vendor = "apple"))]
    pub(crate) fn take_until(&self, deadline: Instant) -> Result<bool, OsCode> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return match self.try_take() {
                    Ok(()) => Ok(true),
                    Err(OsCode::EAGAIN) => Ok(false),
                    Err(errno) => Err(errno),
                };
            }
            match self.take_within(left.min(LONGEST_SLEEP)) {
                Ok(()) => return Ok(true),
                Err(OsCode::EINTR | OsCode::ETIMEDOUT) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// `sem_timedwait(sem, now + time)`
    #[cfg(not(target_vendor = "apple"))]
    fn take_within(&self, time: Duration) -> Result<(), OsCode> {
        // SAFETY: mapped until `self` is dropped.
        unsafe { sharing::check(self.0) }?;
        let until = clock_gettime(ClockId::CLOCK_REALTIME)? + TimeSpec::from_duration(time);
        // SAFETY: mapped until `self` is dropped, and `until` outlives the call.
        OsCode::result(unsafe { libc::sem_timedwait(self.0.as_ptr(), until.as_ref()) }).map(drop)
    }

    /// darwin has no sem_timedwait.
    #[cfg(target_vendor = "apple")]
    #[allow(clippy::unused_self, reason = "the same face on every platform")]
    pub(crate) fn take_until(&self, _deadline: Instant) -> Result<bool, OsCode> {
        Err(OsCode::ENOSYS)
    }

    /// `sem_post(sem)`: gives a unit. `EOVERFLOW` means that the counter is full; nothing is added.
    pub(crate) fn give(&self) -> Result<(), OsCode> {
        // SAFETY: mapped until `self` is dropped.
        unsafe { sharing::check(self.0) }?;
        // SAFETY: as above.
        OsCode::result(unsafe { libc::sem_post(self.0.as_ptr()) }).map(drop)
    }

    /// `sem_getvalue(sem)`: the counter.
    #[cfg(not(target_vendor = "apple"))]
    pub(crate) fn value(&self) -> Result<u32, OsCode> {
        let mut value: std::ffi::c_int = 0;
        // SAFETY: mapped until `self` is dropped, and `value` outlives the call.
        OsCode::result(unsafe { libc::sem_getvalue(self.0.as_ptr(), &raw mut value) })?;
        Ok(u32::try_from(value).unwrap_or(0))
    }

    /// XNU has sem_getvalue in name only: it answers `ENOSYS`.
    #[cfg(target_vendor = "apple")]
    #[allow(clippy::unused_self, reason = "the same face on every platform")]
    pub(crate) fn value(&self) -> Result<u32, OsCode> {
        Err(OsCode::ENOSYS)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: from one sem_open that is closed once. The only error is EINVAL, for what is no semaphore.
        unsafe { libc::sem_close(self.0.as_ptr()) };
    }
}

/// Whether sem_timedwait(3) exists.
pub(crate) const HAS_TIMED_WAIT: bool = cfg!(not(target_vendor = "apple"));

/// Whether sem_getvalue(3) works.
pub(crate) const HAS_VALUE: bool = cfg!(not(target_vendor = "apple"));

/// The largest counter: SEM_VALUE_MAX.
pub(crate) const VALUE_MAX: u32 = if cfg!(target_vendor = "apple") { 32_767 } else { 0x7fff_ffff };

/// The prefix of a semaphore's file in `/dev/shm`, where it is a file: glibc adds `sem.`, musl nothing.
pub(crate) const FILE_PREFIX: Option<&str> = if cfg!(target_env = "gnu") {
    Some("sem.")
} else if cfg!(target_env = "musl") {
    Some("")
} else {
    None
};

/// The length of that file, in bytes.
pub(crate) const FILE_SIZE: u64 = size_of::<sem_t>() as u64;

/// `sem_open(name, O_CREAT | O_EXCL, mode, initial)`: a new semaphore. `EEXIST` means that it exists.
pub(crate) fn create(name: &CStr, mode: u32, initial: u32) -> Result<Mapped, OsCode> {
    // SAFETY: `name` is NUL-terminated and outlives the call; the variadic arguments are the two that O_CREAT takes.
    opened(|| unsafe {
        libc::sem_open(name.as_ptr(), libc::O_CREAT | libc::O_EXCL, c_uint::from(mode), c_uint::from(initial))
    })
}

/// `sem_open(name, 0)`: the semaphore of this name. `ENOENT` means that it does not exist.
pub(crate) fn open(name: &CStr) -> Result<Mapped, OsCode> {
    // SAFETY: `name` is NUL-terminated and outlives the call.
    opened(|| unsafe { libc::sem_open(name.as_ptr(), 0) })
}

/// `SEM_FAILED` is 0 with glibc and musl, and -1 on darwin; `EINTR` is tried again.
fn opened(mut call: impl FnMut() -> *mut sem_t) -> Result<Mapped, OsCode> {
    loop {
        let semaphore = call();
        if semaphore != libc::SEM_FAILED {
            return NonNull::new(semaphore).map(Mapped).ok_or(OsCode::EINVAL);
        }
        match OsCode::last() {
            OsCode::EINTR => {}
            errno => return Err(errno),
        }
    }
}

/// `sem_unlink(name)`: removes the name; processes that have the semaphore open keep it, and no waiter is woken.
pub(crate) fn unlink(name: &CStr) -> Result<(), OsCode> {
    // SAFETY: `name` is NUL-terminated and outlives the call.
    OsCode::result(unsafe { libc::sem_unlink(name.as_ptr()) }).map(drop)
}
