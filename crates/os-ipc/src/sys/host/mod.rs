//! The host and this process in it.

#[cfg(unix)]
mod at_exit;
#[cfg(unix)]
pub(crate) mod clock;
#[cfg(unix)]
mod file_key;
#[cfg(unix)]
mod file_size;
#[cfg(unix)]
mod first_thread;
#[cfg(unix)]
pub(in crate::sys) mod handler_chain;
#[cfg(system_v_semaphores)]
pub(crate) mod image;
#[cfg(unix)]
pub(crate) mod in_use;
#[cfg(unix)]
pub(crate) mod limits;
#[cfg(target_os = "linux")]
pub(in crate::sys) mod memory_cgroup;
#[cfg(unix)]
pub(crate) mod module;
pub(crate) mod named_thread;
mod own_pid;
mod pid_namespace;
#[cfg(unix)]
pub(crate) mod process;
#[cfg(unix)]
mod process_register;
#[cfg(unix)]
mod readable;
mod start_variables;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use at_exit::at_exit;
#[cfg(unix)]
pub(crate) use file_key::ftok;
#[cfg(unix)]
pub(crate) use file_size::limit as file_size_limit;
#[cfg(unix)]
pub(crate) use first_thread::is_here as is_on_first_thread;
pub(crate) use own_pid::own_pid;
pub(crate) use pid_namespace::pid_namespace;
#[cfg(unix)]
pub(crate) use process_register::pool_threads_taken;
#[cfg(unix)]
pub(crate) use readable::is_readable;
pub(crate) use start_variables::value_at_start;
#[cfg(windows)]
pub(crate) use windows::*;

/// Whether the kernel tells what objects there are: XNU does not.
pub(crate) const CAN_LIST: bool = cfg!(any(target_os = "linux", windows));

/// Whether objects outlive their last user, until a process removes them or the host restarts.
pub(crate) const OBJECTS_PERSIST: bool = cfg!(unix);
