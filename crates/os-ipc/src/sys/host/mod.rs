//! The host and this process in it.

mod at_exit;
pub(crate) mod clock;
mod file_key;
mod file_size;
mod first_thread;
pub(in crate::sys) mod handler_chain;
pub(crate) mod image;
pub(crate) mod in_use;
pub(crate) mod limits;
#[cfg(target_os = "linux")]
pub(in crate::sys) mod memory_cgroup;
pub(crate) mod module;
pub(crate) mod named_thread;
pub(crate) mod process;
mod process_register;
mod readable;
mod start_variables;

pub(crate) use at_exit::at_exit;
pub(crate) use file_key::ftok;
pub(crate) use file_size::limit as file_size_limit;
pub(crate) use first_thread::is_here as is_on_first_thread;
pub(crate) use process_register::pool_threads_taken;
pub(crate) use readable::is_readable;
pub(crate) use start_variables::value_at_start;
