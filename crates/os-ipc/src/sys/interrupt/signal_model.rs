//! Threads and the kernel that they block in, for the model checker: the same face as `signal.rs`.
//!
//! The kernel has one counter. A signal brings a thread back from it; a signal that comes before the thread is in the
//! kernel has no effect, as with the real one.

use std::sync::PoisonError;

use crate::error::OsCode;
use loom::sync::{Condvar, Mutex, MutexGuard};
use loom::thread::{ThreadId, current};

loom::lazy_static! {
    static ref KERNEL: Mutex<Kernel> = Mutex::new(Kernel::default());
    static ref CHANGED: Condvar = Condvar::new();
}

#[derive(Default)]
struct Kernel {
    units: u32,
    removed: bool,
    /// The threads in the kernel, and whether a signal came since.
    blocked: Vec<(ThreadId, bool)>,
}

fn kernel() -> MutexGuard<'static, Kernel> {
    KERNEL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The counter's value.
pub(crate) fn units() -> u32 {
    kernel().units
}

/// Adds a unit.
pub(crate) fn give() -> Result<(), OsCode> {
    give_several(1)
}

/// Adds units.
pub(crate) fn give_several(units: u32) -> Result<(), OsCode> {
    let mut kernel = kernel();
    if kernel.removed {
        return Err(OsCode::EINVAL);
    }
    kernel.units += units;
    CHANGED.notify_all();
    Ok(())
}

/// Takes a unit if one is free.
pub(crate) fn try_take() -> Result<bool, OsCode> {
    try_take_several(1)
}

/// Takes units if all of them are free.
pub(crate) fn try_take_several(units: u32) -> Result<bool, OsCode> {
    let mut kernel = kernel();
    if kernel.removed {
        return Err(OsCode::EINVAL);
    }
    let there = kernel.units >= units;
    kernel.units -= if there { units } else { 0 };
    Ok(there)
}

/// Takes a unit, and waits for one; `EINTR` after a signal.
pub(crate) fn take() -> Result<(), OsCode> {
    take_several(1)
}

/// Takes units, and waits until all of them are free; `EINTR` after a signal.
pub(crate) fn take_several(units: u32) -> Result<(), OsCode> {
    let me = current().id();
    let mut kernel = kernel();
    if kernel.removed {
        return Err(OsCode::EINVAL);
    }
    kernel.blocked.push((me, false));
    let outcome = loop {
        if kernel.removed {
            break Err(OsCode::EIDRM);
        }
        if kernel.units >= units {
            kernel.units -= units;
            break Ok(());
        }
        if kernel.blocked.contains(&(me, true)) {
            break Err(OsCode::EINTR);
        }
        kernel = CHANGED.wait(kernel).unwrap_or_else(PoisonError::into_inner);
    };
    kernel.blocked.retain(|(thread, _)| *thread != me);
    outcome
}

/// Removes the counter.
pub(crate) fn remove() {
    kernel().removed = true;
    CHANGED.notify_all();
}

/// The thread that runs here: other threads can interrupt it.
#[derive(Clone)]
pub(crate) struct Station(ThreadId);

/// The stay of a thread at its station.
pub(crate) struct Stay(Station);

impl Station {
    pub(crate) fn enter() -> Stay {
        Stay(Self(current().id()))
    }

    pub(crate) fn interrupt(&self) -> bool {
        for (_, signalled) in kernel().blocked.iter_mut().filter(|(thread, _)| *thread == self.0) {
            *signalled = true;
        }
        CHANGED.notify_all();
        true
    }
}

impl Stay {
    pub(crate) fn station(&self) -> &Station {
        &self.0
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the same face as the real one")]
pub(crate) fn install_interrupt() -> Result<(), OsCode> {
    Ok(())
}
