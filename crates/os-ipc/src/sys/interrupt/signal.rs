//! SIGURG: it brings a thread back from a blocking call, and has no other effect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::OsCode;
use libc::{c_int, c_void, pthread_t, siginfo_t};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

use crate::sys::host::handler_chain::{self, Chain, at_every_place};

/// Ignored by default; Node, Bun and Deno do not use it.
const INTERRUPT: c_int = libc::SIGURG;

/// The thread that runs here, while it does: other threads can interrupt it.
#[derive(Clone)]
pub(crate) struct Station(Arc<Mutex<Option<Thread>>>);

/// A number with glibc, an address with musl and on darwin.
#[derive(Clone, Copy)]
struct Thread(pthread_t);

// SAFETY: it only names a thread, and pthread_kill(3) takes it in any other.
unsafe impl Send for Thread {}

/// The stay of a thread at its station; dropping it ends the stay.
pub(crate) struct Stay(Station);

impl Station {
    /// `pthread_self()`: the calling thread gets a station.
    pub(crate) fn enter() -> Stay {
        // SAFETY: always succeeds.
        let thread = unsafe { libc::pthread_self() };
        Stay(Self(Arc::new(Mutex::new(Some(Thread(thread))))))
    }

    /// `pthread_kill(thread, SIGURG)`: a blocking call of the thread returns `EINTR`.
    ///
    /// A signal that comes just before the call is lost: the caller repeats it until the thread has come back.
    /// False if the thread has left.
    pub(crate) fn interrupt(&self) -> bool {
        let Some(Thread(thread)) = *self.lock() else { return false };
        // It was installed before the thread came here; the only error is that of an unknown signal.
        let _ = install_interrupt();
        // SAFETY: the thread clears its station, under this lock, before it ends.
        unsafe { libc::pthread_kill(thread, INTERRUPT) };
        true
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

/// Without SA_RESTART, so that a blocking call ends. libuv's handler lets `sem_wait` go on.
static CHAIN: Chain = Chain::new(INTERRUPT, 0, at_every_place!(on_interrupt));

/// `sigaction(SIGURG, no-op)`, unless it is installed.
///
/// Called before every signal. A program that listens to SIGURG replaces our handler with its own, and removes all of
/// them when it stops: the signal is ignored then. If the chain has no place left, the handler stays as it is: System V
/// needs no more than some handler.
pub(crate) fn install_interrupt() -> Result<(), OsCode> {
    CHAIN.renew()
}

extern "C" fn on_interrupt<const PLACE: usize>(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if let Some(earlier) = CHAIN.earlier(PLACE) {
        // SAFETY: the arguments are those of the kernel.
        unsafe { handler_chain::call(earlier, signal, info, context) };
    }
}

/// `pthread_sigmask(SIG_SETMASK, all but SIGURG)`: the program's signals are for its own threads.
///
/// Signals of the thread's own instructions stay: the kernel ends a process that blocks them. A ledger that a peer truncates
/// is a `SIGBUS` here.
pub(crate) fn block_other_signals() {
    /// Its own instructions raise them.
    const OWN: [Signal; 6] =
        [Signal::SIGBUS, Signal::SIGSEGV, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGSYS];
    let mut others = SigSet::all();
    for signal in OWN.into_iter().chain([Signal::SIGURG]) {
        others.remove(signal);
    }
    // The only error is EINVAL, for an unknown `how`.
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&others), None);
}
