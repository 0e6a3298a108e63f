//! SIGURG: it gets a thread out of a blocking call, and does nothing else to it.

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

/// How many other handlers we can stand in front of.
const PLACES: usize = 4;

/// Each stands in front of another handler. They are several, so that one that was put in front of ours and calls on to
/// it does not come round in a circle.
static HANDLERS: [Handler; PLACES] =
    [on_interrupt::<0>, on_interrupt::<1>, on_interrupt::<2>, on_interrupt::<3>];

/// What each of them stands in front of.
static EARLIER: [OnceLock<libc::sigaction>; PLACES] = [const { OnceLock::new() }; PLACES];

type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut libc::c_void);

/// `sigaction(SIGURG, no-op)`, unless it is there: without SA_RESTART, on the alternate stack, in front of an earlier
/// handler.
///
/// To be called before every signal. A program that listens to SIGURG puts its own handler in our place (libuv's makes
/// sem_wait go on), and takes all of them away when it stops: the signal is ignored then.
pub(crate) fn install_interrupt() -> Result<(), Errno> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: an all-zero sigaction is a valid one, and both outlive the calls. A handler only reads a OnceLock that is
    // set before it is installed, and calls what was there before, so it may run at any time.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        Errno::result(libc::sigaction(INTERRUPT, std::ptr::null(), &raw mut current))?;
        if HANDLERS.iter().any(|ours| *ours as usize == current.sa_sigaction) {
            return Ok(());
        }
        let stands = |earlier: &OnceLock<libc::sigaction>| {
            earlier.get_or_init(|| current).sa_sigaction == current.sa_sigaction
        };
        // Without a place left it stays as it is: System V needs no more than some handler.
        let Some(place) = EARLIER.iter().position(stands) else { return Ok(()) };
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = HANDLERS[place] as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut ours.sa_mask);
        Errno::result(libc::sigaction(INTERRUPT, &raw const ours, std::ptr::null_mut())).map(drop)
    }
}

extern "C" fn on_interrupt<const PLACE: usize>(
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut libc::c_void,
) {
    let Some(earlier) = EARLIER[PLACE].get() else { return };
    match earlier.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {}
        handler if earlier.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: sigaction(2) gave this address as a three-argument handler.
            let handler: Handler = unsafe { std::mem::transmute(handler) };
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
