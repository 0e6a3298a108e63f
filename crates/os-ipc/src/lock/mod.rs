//! Locks with names, for all processes of a user on this host: exclusive or shared, and free again when their process
//! dies.
//!
//! A request joins the wait list of its lock in this process (`queues`), which is a [`Queue`](crate::waiting): first
//! come, first served, and at most one thread in the kernel for each lock. An engine makes the system calls.

mod at_exit;
mod engine;
#[cfg(test)]
mod engine_tests;
mod files;
mod idle;
mod info;
mod name;
mod queues;
mod registry;
mod request;
#[cfg(system_v_semaphores)]
mod system_v;

pub use engine::LockEngine;
pub use info::{LockInfo, LockRequest};
pub use name::{LockName, MAX_LOCK_NAME_BYTES};
pub use request::{Lock, LockMode};
