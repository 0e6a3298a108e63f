#![doc = include_str!("../README.md")]
//!
//! The layers, from the bottom: `sys` makes the system calls, the modules above it make them safe and give them
//! names. Nothing here knows of JavaScript.

mod access;
mod counter_set;
mod error;
mod hints;
mod key;
mod limit;
mod list;
mod lock;
mod memory;
mod name;
mod record;
mod semaphore;
mod sync;
mod sys;
mod undo;
mod waiting;

pub use access::Owner;
pub use error::{Code, Details, Error, OsCode, Remedy, Result};
pub use key::{Key, ftok};
pub use limit::{HAS_LIMITS, Holding, Limit, LimitCreation, LimitId, LimitIdentity, LimitInfo, PERMITS_MAX};
pub use list::{CAN_LIST, list_limits, list_segments, list_semaphores, refused_calls};
pub use lock::{Lock, LockEngine, LockInfo, LockMode, LockName, LockRequest, MAX_LOCK_NAME_BYTES};
pub use memory::{Lease, MemoryId, MemoryIdentity, MemoryKind, SharedMemory, SharedMemoryInfo};
pub use name::{MAX_NAME_BYTES, Name};
pub use semaphore::{
    Backend, Creation, Semaphore, SemaphoreId, SemaphoreIdentity, SemaphoreInfo, SemaphoreWords, VALUE_MAX,
};
pub use undo::{KernelUndo, kernel_undo};
pub use waiting::{
    Arrived, Delivery, Executors, Grant, Mailbox, Poll, PoolWork, Spin, Wait, WaiterId, Work, is_spinning,
    leave_pool, leave_pool_queue, set_pool_size, set_spinning, share_pool,
};

/// Whether the calling thread is the one that the process began with.
#[must_use]
pub fn is_on_first_thread() -> bool {
    sys::is_on_first_thread()
}

/// Whether a thread of this name runs in this process; false where that cannot be told.
#[must_use]
pub fn runs_thread(name: &str) -> bool {
    sys::named_thread::runs(name)
}

/// The value of an environment variable when the process started; `None` where it was not set, or where nothing tells.
#[must_use]
pub fn variable_at_start(name: &str) -> Option<String> {
    sys::value_at_start(name)
}

/// Another handler of `SIGBUS` was installed or removed: ours goes in front of it, where memory is open.
pub fn renew_bus_guard() {
    sys::renew_bus_guard();
}

/// Whether something is to be read from a file, without waiting: poll(2).
#[must_use]
pub fn is_readable(fd: std::ffi::c_int) -> bool {
    sys::is_readable(fd)
}
