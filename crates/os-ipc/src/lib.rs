//! Named counting semaphores and shared memory of the operating system.
//!
//! The layers, from the bottom: `sys` makes the system calls, the modules above it make them safe and give them
//! names. Nothing here knows of JavaScript.

mod error;
mod key;
mod name;
mod ownership;
mod record;
mod shared_memory;
mod sys;

pub use error::{Code, Errno, Error, Result};
pub use key::{Key, ftok};
pub use name::{MAX_NAME_BYTES, Name};
pub use ownership::Owner;
pub use shared_memory::{
    Lease, MemoryId, MemoryIdentity, MemoryKind, SharedMemory, SharedMemoryInfo, WeakLease,
    shared_memory_list,
};
