//! pidfd_open(2). Where a kernel or a filter refuses it, start times in `/proc` tell what they can.

use std::ffi::c_int;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::OnceLock;

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
        Err(code) if is_absence(code) => Sight::Dead,
        Err(_) if seems_dead(id) => Sight::Dead,
        Err(_) => Sight::Blind,
    }
}

/// `pidfd_open(pid, 0)`: the file is closed by execve(2).
///
/// `ESRCH` means that no process has the pid. So do `EINVAL` and, on new kernels, `ENOENT`: the pid is that of a thread or
/// only that of a process group.
fn open(pid: c_int) -> Result<Watch, OsCode> {
    // SAFETY: the call takes two numbers.
    let returned = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = OsCode::result(c_int::try_from(returned).unwrap_or(-1))?;
    // SAFETY: the call returned a new descriptor, and nothing else owns it.
    Ok(Watch(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// Whether an error of pidfd_open(2) proves that no process has the pid.
///
/// A filter may answer with any code, so this asks first whether the call works for this process itself.
fn is_absence(code: OsCode) -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    let works = || *WORKS.get_or_init(|| open(std::process::id().cast_signed()).is_ok());
    matches!(code, OsCode::ESRCH | OsCode::EINVAL | OsCode::ENOENT) && works()
}

/// What can be proved without a pidfd: no process has the pid, another process has it, or it is a zombie whose threads
/// have all ended.
fn seems_dead(id: ProcessId) -> bool {
    if process::is_absent(id.pid()) {
        return true;
    }
    let Some(status) = Status::of(id.pid()) else { return false };
    id.start() != super::UNKNOWN_START && status.start != id.start()
        || status.state == 'Z' && status.threads == 1
}

/// Whether the process is stopped: by a signal or by a debugger.
pub(crate) fn is_stopped(id: ProcessId) -> bool {
    Status::of(id.pid()).is_some_and(|status| status.start == id.start() && matches!(status.state, 'T' | 't'))
}

/// 32 bits of the time when the process of this pid started, in clock ticks since boot.
pub(super) fn start(pid: c_int) -> Option<u32> {
    Status::of(pid).map(|status| status.start)
}

/// What `/proc/PID/stat` tells.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    state: char,
    threads: u64,
    start: u32,
}

impl Status {
    fn of(pid: c_int) -> Option<Self> {
        // The first thread has the start of the process, and its line has the form of `/proc/PID/stat`. QEMU's user mode invents
        // that one for the program itself, with another start than all other processes see.
        let bytes = std::fs::read(format!("/proc/{pid}/task/{pid}/stat")).ok()?;
        // The program's name may be any bytes.
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    /// A line of `PID (NAME) STATE ...`: the name can have spaces and parentheses, so the last one ends it.
    ///
    /// The state is field 3, the number of threads is field 20, and the start time is field 22: proc_pid_stat(5).
    fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let threads = fields.nth(16)?.parse().ok()?;
        let start: u64 = fields.nth(1)?.parse().ok()?;
        Some(Self { state, threads, start: u32::try_from(start & u64::from(u32::MAX)).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_move_the_fields() {
        let line = "42 (a) S (b) T 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 7 0 4294967396 9 9 9\n";
        assert_eq!(Status::parse(line), Some(Status { state: 'T', threads: 7, start: 100 }));
        assert_eq!(Status::parse("42 (cut"), None);
        assert_eq!(Status::parse("42 (cut) S 1 2"), None);
    }
}
