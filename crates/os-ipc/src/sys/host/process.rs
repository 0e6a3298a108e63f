//! Other processes.

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// `kill(pid, 0)`: whether a process lives. `EPERM` means that it does.
#[cfg(system_v_semaphores)]
pub(crate) fn is_alive(pid: i32) -> bool {
    !is_absent(pid)
}

/// `kill(pid, 0)` is `ESRCH`: no process has the pid, and no zombie.
pub(crate) fn is_absent(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)
}
