//! System V semaphores and shared memory.

pub(crate) mod memory;
pub(crate) mod probe;
pub(crate) mod semaphore;
pub(crate) mod table;
pub(crate) mod undo_probe;
