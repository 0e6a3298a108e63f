//! A write to a FIFO whose reader may have gone: without care, `SIGPIPE` kills a program that does not ignore it.

use std::io;
use std::os::fd::BorrowedFd;

/// `fcntl(fifo, F_SETNOSIGPIPE, 1)` before the write: `EPIPE` comes without the signal.
#[cfg(target_vendor = "apple")]
pub(super) fn without<T>(fifo: BorrowedFd<'_>, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open, and the command takes a number.
    unsafe { libc::fcntl(fifo.as_raw_fd(), libc::F_SETNOSIGPIPE, 1) };
    write()
}

/// Blocks `SIGPIPE` in this thread for the write, and takes the signal of this write back: sigtimedwait(2).
#[cfg(not(target_vendor = "apple"))]
pub(super) fn without<T>(_: BorrowedFd<'_>, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

    let pipe = SigSet::from(Signal::SIGPIPE);
    let mut before = SigSet::empty();
    if pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&pipe), Some(&mut before)).is_err() {
        return write();
    }
    let was_pending = is_pending(&pipe);
    let written = write();
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if !was_pending && written.as_ref().is_err_and(broken) {
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time outlive the call, and it may leave out what it tells of the signal.
        unsafe { libc::sigtimedwait(pipe.as_ref(), std::ptr::null_mut(), &raw const none) };
    }
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None);
    written
}

/// `sigpending()`: whether `SIGPIPE` waits for this thread or for the process already.
#[cfg(not(target_vendor = "apple"))]
fn is_pending(pipe: &nix::sys::signal::SigSet) -> bool {
    let mut pending = *pipe.as_ref();
    // SAFETY: the set outlives the call, which fills it.
    unsafe {
        libc::sigpending(&raw mut pending) == 0 && libc::sigismember(&raw const pending, libc::SIGPIPE) == 1
    }
}
