//! System V semaphores and shared memory.

pub(crate) mod memory;
pub(crate) mod probe;
#[cfg(system_v_semaphores)]
pub(crate) mod semaphore;
pub(crate) mod table;
#[cfg(system_v_semaphores)]
pub(crate) mod undo_probe;
