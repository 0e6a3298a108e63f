#![doc = include_str!("../README.md")]
//!
//! The layers, from the bottom: `sys` makes the system calls, the modules above it make them safe and give them
//! names. Nothing here knows of JavaScript.

mod access;
mod channel;
#[cfg(system_v_semaphores)]
mod counter_set;
mod error;
mod exec;
mod hints;
mod key;
mod ledger;
mod limit;
mod list;
mod lock;
mod memory;
mod name;
mod patience;
#[cfg(system_v_semaphores)]
mod record;
mod semaphore;
mod sync;
mod sys;
mod undo;
mod unlinked;
mod waiting;

pub use access::Owner;
pub use channel::{ProcessIdentity, Seat, is_process_dead, process_identity};
pub use error::{Code, Details, Error, OsCode, Remedy, Result};
pub use exec::{Program, Surroundings, become_program, set_signal_actions};
pub use key::{Key, ftok};
pub use limit::{
    HAS_LIMITS, Holding, Limit, LimitCreation, LimitEngine, LimitId, LimitIdentity, LimitInfo, PERMITS_MAX,
};
pub use list::{CAN_LIST, list_limits, list_segments, list_semaphores, refused_calls};
pub use lock::{Lock, LockEngine, LockInfo, LockMode, LockName, LockRequest, MAX_LOCK_NAME_BYTES};
pub use memory::{Lease, MemoryId, MemoryIdentity, MemoryKind, SharedLease, SharedMemory, SharedMemoryInfo};
pub use name::{MAX_NAME_BYTES, Name};
pub use semaphore::{Backend, Creation, Semaphore, SemaphoreId, SemaphoreIdentity, SemaphoreInfo, VALUE_MAX};
pub use undo::{KernelUndo, kernel_undo};
pub use waiting::{
    Arrived, Delivery, Executors, Grant, Mailbox, Poll, PoolWork, Spin, Wait, WaiterId, Work, is_spinning,
    leave_pool, leave_pool_queue, set_pool_size, set_spinning, set_spinning_by_default, share_pool,
};

/// Whether objects outlive their last user, until a process removes them or the host restarts.
pub const OBJECTS_PERSIST: bool = sys::host::OBJECTS_PERSIST;

/// The most bytes of a name, without its slash, that a System V set of this host can carry; `None` where there are no sets.
#[must_use]
pub fn longest_recorded_name() -> Option<usize> {
    #[cfg(system_v_semaphores)]
    return record::longest_name();
    #[cfg(not(system_v_semaphores))]
    None
}

/// Whether the calling thread is the first one of the process.
#[must_use]
pub fn is_on_first_thread() -> bool {
    sys::is_on_first_thread()
}

/// Whether a thread of this name runs in this process; false where the system does not tell.
#[must_use]
pub fn runs_thread(name: &str) -> bool {
    sys::named_thread::runs(name)
}

/// The value of an environment variable when the process started; `None` if it was not set or is not known.
#[must_use]
pub fn variable_at_start(name: &str) -> Option<String> {
    sys::value_at_start(name)
}

/// Puts our handler of `SIGBUS` in front again, if memory is open: another handler was installed or removed.
pub fn renew_bus_guard() {
    // No peer can truncate memory of Windows.
    #[cfg(unix)]
    sys::renew_bus_guard();
}

/// Whether a file can be read without waiting: poll(2).
#[must_use]
pub fn is_readable(fd: std::ffi::c_int) -> bool {
    sys::is_readable(fd)
}
