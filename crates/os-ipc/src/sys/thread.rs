//! Threads: a signal that gets one out of a blocking call, and nothing else to it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use libc::{c_int, pthread_t, siginfo_t};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

/// Ignored by default, and used by none of Node, Bun and Deno.
const INTERRUPT: c_int = libc::SIGURG;

/// The thread that runs here, for as long as it does: what others can call out of the kernel.
#[derive(Clone)]
pub(crate) struct Station(Arc<Mutex<Option<Thread>>>);

/// A number with glibc, an address with musl and on darwin.
#[derive(Clone, Copy)]
struct Thread(pthread_t);

// SAFETY: it only names a thread, and pthread_kill(3) takes it in any other.
unsafe impl Send for Thread {}

/// The stay of a thread at its station; it ends when this is dropped.
pub(crate) struct Stay(Station);

impl Station {
    /// `pthread_self()`: the calling thread takes a station of its own.
    pub(crate) fn enter() -> Stay {
        // SAFETY: always succeeds.
        let thread = unsafe { libc::pthread_self() };
        Stay(Self(Arc::new(Mutex::new(Some(Thread(thread))))))
    }

    /// `pthread_kill(thread, SIGURG)`: a blocking call of the thread returns `EINTR`.
    ///
    /// A signal that comes just before the call is lost; who needs the thread out sends it again until it is.
    pub(crate) fn interrupt(&self) {
        if let Some(Thread(thread)) = *self.lock() {
            // SAFETY: the thread clears its station, under this lock, before it ends.
            unsafe { libc::pthread_kill(thread, INTERRUPT) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Thread>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stay {
    pub(crate) fn station(&self) -> &Station {
        &self.0
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

static EARLIER: OnceLock<libc::sigaction> = OnceLock::new();

/// `sigaction(SIGURG, no-op)`, once a process: without SA_RESTART, on the alternate stack, in front of an earlier
/// handler.
pub(crate) fn install_interrupt() -> Result<(), Errno> {
    static INSTALLED: OnceLock<Result<(), Errno>> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        // SAFETY: an all-zero sigaction is a valid one, and both outlive the calls. The handler only reads a
        // OnceLock that is set before it is installed and calls what was there before, so it may run at any time.
        unsafe {
            let mut earlier: libc::sigaction = std::mem::zeroed();
            Errno::result(libc::sigaction(INTERRUPT, std::ptr::null(), &raw mut earlier))?;
            let _ = EARLIER.set(earlier);
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = on_interrupt as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut ours.sa_mask);
            Errno::result(libc::sigaction(INTERRUPT, &raw const ours, std::ptr::null_mut())).map(drop)
        }
    })
}

extern "C" fn on_interrupt(signal: c_int, info: *mut siginfo_t, context: *mut libc::c_void) {
    let Some(earlier) = EARLIER.get() else { return };
    match earlier.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {}
        handler if earlier.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: sigaction(2) gave this address as a three-argument handler.
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut libc::c_void) =
                unsafe { std::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: sigaction(2) gave this address as a one-argument handler.
            let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            handler(signal);
        }
    }
}

/// `pthread_sigmask(SIG_SETMASK, all but SIGURG)`: the program's signals are for its own threads.
pub(crate) fn block_other_signals() {
    let mut others = SigSet::all();
    others.remove(Signal::SIGURG);
    // The only error is EINVAL, for an unknown `how`.
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&others), None);
}
