//! SIGURG: it gets a thread out of a blocking call, and does nothing else to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::OsCode;
use libc::{c_int, c_void, pthread_t, siginfo_t};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

use crate::sys::host::handler_chain::{self, Chain, at_every_place};

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
    /// False when the thread has left.
    pub(crate) fn interrupt(&self) -> bool {
        let Some(Thread(thread)) = *self.lock() else { return false };
        // It was installed before the thread came here; an error would be one of no such signal.
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

/// Without SA_RESTART: a blocking call has to end. libuv's handler makes `sem_wait` go on.
static CHAIN: Chain = Chain::new(INTERRUPT, 0, at_every_place!(on_interrupt));

/// `sigaction(SIGURG, no-op)`, unless it is there.
///
/// To be called before every signal. A program that listens to SIGURG puts its own handler in our place, and takes all of
/// them away when it stops: the signal is ignored then. Without a place in the chain it stays as it is: System V needs no
/// more than some handler.
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
pub(crate) fn block_other_signals() {
    let mut others = SigSet::all();
    others.remove(Signal::SIGURG);
    // The only error is EINVAL, for an unknown `how`.
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&others), None);
}
