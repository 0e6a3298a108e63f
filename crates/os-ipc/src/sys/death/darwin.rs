//! kqueue(2) with `EVFILT_PROC` and `NOTE_EXIT`, which works for processes of other users too.

use std::ffi::{c_int, c_void};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

pub(crate) use super::descriptor::Watch;
use super::{ProcessId, Sight};
use crate::sys::OsCode;
use crate::sys::host::process;

/// Begins to watch a process.
pub(crate) fn watch(id: ProcessId) -> Sight {
    match open(id.pid()) {
        _ if !id.can_exist() => Sight::Dead,
        // Another process may have got the pid before the call.
        Ok(watch) if watch.is_over() || id.is_reused() => Sight::Dead,
        Ok(watch) => Sight::Alive(watch),
        Err(OsCode::ESRCH) => Sight::Dead,
        Err(_) if process::is_absent(id.pid()) || id.is_reused() => Sight::Dead,
        Err(_) => Sight::Blind,
    }
}

/// `kevent(kqueue(), {pid, EVFILT_PROC, EV_ADD, NOTE_EXIT})`
///
/// `ESRCH` means that no living process has the pid.
fn open(pid: c_int) -> Result<Watch, OsCode> {
    // SAFETY: the call takes nothing.
    let fd = OsCode::result(unsafe { libc::kqueue() })?;
    // SAFETY: the call returned a new descriptor, and nothing else owns it.
    let queue = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: the descriptor is open, and the command takes a number.
    OsCode::result(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    let exit = libc::kevent {
        ident: usize::try_from(pid).unwrap_or_default(),
        filter: libc::EVFILT_PROC,
        flags: libc::EV_ADD,
        fflags: libc::NOTE_EXIT,
        data: 0,
        udata: ptr::null_mut(),
    };
    // SAFETY: `exit` is one initialised kevent that outlives the call, the count passed is 1, and no event is read.
    OsCode::result(unsafe { libc::kevent(fd, &raw const exit, 1, ptr::null_mut(), 0, ptr::null()) })?;
    Ok(Watch(queue))
}

/// Whether the process is stopped: by a signal or by a debugger.
pub(crate) fn is_stopped(id: ProcessId) -> bool {
    Status::of(id.pid()).is_some_and(|status| status.start == id.start() && status.is_stopped)
}

/// 32 bits of the time when the process of this pid started, in microseconds since 1970.
pub(super) fn start(pid: c_int) -> Option<u32> {
    Status::of(pid).map(|status| status.start)
}

/// What sysctl(3) tells of a process, whoever its user is: proc_pidinfo would refuse those of others.
struct Status {
    start: u32,
    is_stopped: bool,
}

impl Status {
    /// `sysctl({CTL_KERN, KERN_PROC, KERN_PROC_PID, pid})`: a `kinfo_proc` of `sys/sysctl.h`, which is 648 bytes.
    ///
    /// It begins with an `extern_proc` of `sys/proc.h`: the start time is its first 12 bytes, and `p_stat` its byte 36.
    fn of(pid: c_int) -> Option<Self> {
        const KINFO_PROC: usize = 648;
        const P_STAT: usize = 36;
        const SSTOP: u8 = 4;
        let mut name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid];
        let mut bytes = [0_u8; KINFO_PROC];
        let mut size = bytes.len();
        // SAFETY: the name has the 4 numbers of the count passed, and the call writes at most `size` bytes.
        OsCode::result(unsafe {
            libc::sysctl(
                name.as_mut_ptr(),
                4,
                bytes.as_mut_ptr().cast::<c_void>(),
                &raw mut size,
                ptr::null_mut(),
                0,
            )
        })
        .ok()?;
        if size < KINFO_PROC {
            return None;
        }
        let seconds = i64::from_ne_bytes(bytes[..8].try_into().ok()?);
        let microseconds = i32::from_ne_bytes(bytes[8..12].try_into().ok()?);
        let start = seconds.wrapping_mul(1_000_000).wrapping_add(i64::from(microseconds));
        Some(Self {
            start: u32::try_from(start.cast_unsigned() & u64::from(u32::MAX)).ok()?,
            is_stopped: bytes[P_STAT] == SSTOP,
        })
    }
}
