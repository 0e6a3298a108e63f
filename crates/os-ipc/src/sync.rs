//! Locks and threads: those of std, or under `--cfg loom` those of the model checker, which tries every order.

#[cfg(loom)]
pub(crate) use loom::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, AtomicU64, fence},
    },
    thread,
};
#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, AtomicU64, fence},
    },
    thread,
};

/// A `static` that the model checker makes anew for each run.
macro_rules! global {
    ($(#[$about:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $(#[$about])*
        #[cfg(not(loom))]
        static $name: $type = $value;
        #[cfg(loom)]
        loom::lazy_static! {
            static ref $name: $type = $value;
        }
    };
}
pub(crate) use global;

/// Lets other threads run for a while; the model checker has no clock, and lets them run until they wait.
pub(crate) fn pause(time: std::time::Duration) {
    #[cfg(not(loom))]
    thread::sleep(time);
    #[cfg(loom)]
    {
        let _ = time;
        thread::yield_now();
    }
}
