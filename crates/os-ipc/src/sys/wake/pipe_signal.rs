//! A write to a FIFO whose reader may have gone: without care, `SIGPIPE` kills a program that does not ignore it.

use std::fs::File;
use std::io;
#[cfg(target_vendor = "apple")]
use std::io::Write;

/// Writes without a signal where nobody reads: `EPIPE` alone tells of that.
#[cfg(target_os = "linux")]
pub(super) fn write(fifo: &File, bytes: &[u8]) -> io::Result<usize> {
    linux::write_with_flag(fifo, bytes).unwrap_or_else(|| linux::write_with_mask(fifo, bytes))
}

/// `fcntl(fifo, F_SETNOSIGPIPE, 1)` before the write: `EPIPE` comes without the signal.
#[cfg(target_vendor = "apple")]
pub(super) fn write(mut fifo: &File, bytes: &[u8]) -> io::Result<usize> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open, and the command takes a number.
    unsafe { libc::fcntl(fifo.as_raw_fd(), libc::F_SETNOSIGPIPE, 1) };
    fifo.write(bytes)
}

#[cfg(target_os = "linux")]
pub(super) mod linux {
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::AsRawFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

    /// `pwritev2(fifo, bytes, RWF_NOSIGNAL)`, of Linux 6.18; `None` where the kernel refuses that.
    pub(in crate::sys::wake) fn write_with_flag(fifo: &File, bytes: &[u8]) -> Option<io::Result<usize>> {
        /// The flag of linux/fs.h.
        const RWF_NOSIGNAL: libc::c_int = 0x100;
        /// The place to write at: where the file is, as in write(2).
        const HERE: libc::c_long = -1;
        static REFUSED: AtomicBool = AtomicBool::new(false);
        if REFUSED.load(Ordering::Relaxed) {
            return None;
        }
        let part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: the bytes outlive the call, which only reads them.
        let written = unsafe {
            libc::syscall(libc::SYS_pwritev2, fifo.as_raw_fd(), &raw const part, 1, HERE, HERE, RWF_NOSIGNAL)
        };
        if let Ok(written) = usize::try_from(written) {
            return Some(Ok(written));
        }
        let error = io::Error::last_os_error();
        if matches!(error.raw_os_error(), Some(libc::EPIPE | libc::EAGAIN | libc::EINTR)) {
            return Some(Err(error));
        }
        REFUSED.store(true, Ordering::Relaxed);
        None
    }

    /// Blocks `SIGPIPE` in this thread for the write, and takes the signal of this write back: sigtimedwait(2).
    pub(in crate::sys::wake) fn write_with_mask(mut fifo: &File, bytes: &[u8]) -> io::Result<usize> {
        let pipe = SigSet::from(Signal::SIGPIPE);
        let mut before = SigSet::empty();
        if pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&pipe), Some(&mut before)).is_err() {
            return fifo.write(bytes);
        }
        // Where it was not blocked, none can have waited.
        let was_pending = before.contains(Signal::SIGPIPE) && is_pending(&pipe);
        let written = fifo.write(bytes);
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
    fn is_pending(pipe: &SigSet) -> bool {
        let mut pending = *pipe.as_ref();
        // SAFETY: the set outlives the call, which fills it.
        unsafe {
            libc::sigpending(&raw mut pending) == 0
                && libc::sigismember(&raw const pending, libc::SIGPIPE) == 1
        }
    }
}
