//! Other processes.

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// `kill(pid, 0)`: whether a process lives. `EPERM` means that it does.
pub(crate) fn is_alive(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}
