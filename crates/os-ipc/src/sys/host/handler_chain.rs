//! Signal handlers of ours, in front of those of other code.
//!
//! A program that installs a handler after ours replaces ours: libuv does so for `process.on('SIGBUS')`, and leaves the
//! default when it stops. So ours is put in front again and again, and passes signals to the handler that it found.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::error::OsCode;
use libc::{sigaction, siginfo_t};

pub(in crate::sys) type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The most earlier handlers of one chain: that of the process's start, the default, libuv's, and a few of crash
/// reporters and profilers.
pub(in crate::sys) const PLACES: usize = 8;

/// The handlers of a chain, from a function with a place as its parameter.
macro_rules! at_every_place {
    ($handler:ident) => {
        [
            $handler::<0>,
            $handler::<1>,
            $handler::<2>,
            $handler::<3>,
            $handler::<4>,
            $handler::<5>,
            $handler::<6>,
            $handler::<7>,
        ]
    };
}
pub(in crate::sys) use at_every_place;

/// The handlers of one signal, each with its own earlier handler: if other code puts a handler in front that calls
/// ours, the calls do not go in a circle.
pub(in crate::sys) struct Chain {
    signal: c_int,
    flags: c_int,
    ours: [Handler; PLACES],
    /// The earlier handler of each of ours.
    earlier: [OnceLock<sigaction>; PLACES],
    renewing: Mutex<()>,
}

impl Chain {
    /// `flags` are added to `SA_SIGINFO` and `SA_ONSTACK`.
    pub(in crate::sys) const fn new(signal: c_int, flags: c_int, ours: [Handler; PLACES]) -> Self {
        Self { signal, flags, ours, earlier: [const { OnceLock::new() }; PLACES], renewing: Mutex::new(()) }
    }

    /// `sigaction(signal, ours)`, unless ours is in front already.
    ///
    /// If no place is left, the handler stays as it is.
    pub(in crate::sys) fn renew(&self) -> Result<(), OsCode> {
        let _renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: an all-zero sigaction is a valid one, and both outlive the calls. A handler only reads a OnceLock that is
        // set before it is installed, and calls what was there before, so it may run at any time.
        unsafe {
            let mut current: sigaction = std::mem::zeroed();
            OsCode::result(libc::sigaction(self.signal, ptr::null(), &raw mut current))?;
            if self.ours.iter().any(|ours| *ours as usize == current.sa_sigaction) {
                return Ok(());
            }
            let stands = |earlier: &OnceLock<sigaction>| {
                earlier.get_or_init(|| current).sa_sigaction == current.sa_sigaction
            };
            let Some(place) = self.earlier.iter().position(stands) else { return Ok(()) };
            let mut ours: sigaction = std::mem::zeroed();
            ours.sa_sigaction = self.ours[place] as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | self.flags;
            libc::sigemptyset(&raw mut ours.sa_mask);
            OsCode::result(libc::sigaction(self.signal, &raw const ours, ptr::null_mut())).map(drop)
        }
    }

    /// The earlier handler of the handler at `place`: a function, `SIG_DFL` or `SIG_IGN`.
    pub(in crate::sys) fn earlier(&self, place: usize) -> Option<&sigaction> {
        self.earlier[place].get()
    }
}

/// Calls a handler with the arguments that it takes; does nothing for `SIG_DFL` and `SIG_IGN`.
///
/// # Safety
/// - sigaction(2) filled in `action`, and the other arguments are those that the kernel passed for a signal of it.
pub(in crate::sys) unsafe fn call(
    action: &sigaction,
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
) {
    match action.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {}
        handler if action.sa_flags & libc::SA_SIGINFO != 0 => {
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
