//! The system calls: the only unsafe code of this crate. A facility is a folder, a platform a file in it.
//!
//! Only the `mod.rs` of a facility chooses its platform.

#![allow(unsafe_code, reason = "this is the place of the system calls")]

#[cfg(not(any(target_os = "linux", target_vendor = "apple", windows)))]
compile_error!("os-ipc runs on Linux, macOS and Windows: this target has no backend");

pub(crate) mod access;
#[cfg(unix)]
mod bus_guard;
mod code;
mod copy;
#[allow(dead_code, unused_imports, reason = "the ledger uses the rest")]
pub(crate) mod death;
pub(crate) mod exec;
pub(crate) mod failure;
pub(crate) mod file_identity;
pub(crate) mod guard;
pub(crate) mod host;
pub(crate) mod interrupt;
#[cfg(target_os = "linux")]
pub(crate) mod kept_name;
#[cfg(windows)]
pub(crate) mod kernel_object;
pub(crate) mod ledger_file;
pub(crate) mod lock_file;
pub(crate) mod mapping;
pub(crate) mod named_memory;
#[cfg(unix)]
pub(crate) mod named_semaphore;
#[cfg(unix)]
pub(crate) mod semaphore_file;
#[cfg(unix)]
pub(crate) mod shm_folder;
#[cfg(unix)]
pub(crate) mod system_v;
pub(crate) mod thread;
pub(crate) mod user_folder;
#[allow(dead_code, unused_imports, reason = "the ledger uses the rest")]
pub(crate) mod wake;

#[cfg(unix)]
use std::ffi::c_int;

#[cfg(unix)]
pub(crate) use bus_guard::renew as renew_bus_guard;
pub use code::OsCode;
#[cfg(unix)]
pub(crate) use host::file_size_limit;
#[cfg(system_v_semaphores)]
pub(crate) use host::image;
pub(crate) use host::in_use;
pub(crate) use host::{
    at_exit, clock, ftok, is_on_first_thread, is_readable, module, named_thread, own_pid, pid_namespace,
    pool_threads_taken, value_at_start,
};

/// The most bytes of a semaphore's name with its slash, where a platform allows fewer than we do.
///
/// PSEMNAMLEN of XNU's `posix_sem.c` is 31, the NUL included.
pub(crate) const SEMAPHORE_NAME_MAX: Option<usize> =
    if cfg!(target_vendor = "apple") { Some(30) } else { None };

/// The most bytes of a memory object's name with its slash: PSHMNAMLEN of XNU's `posix_shm.c`.
pub(crate) const MEMORY_NAME_MAX: Option<usize> = if cfg!(target_vendor = "apple") { Some(31) } else { None };

/// Whether a backslash ends a part of a name: the objects of Windows are in directories.
pub(crate) const BACKSLASH_SEPARATES: bool = cfg!(windows);

/// The most UTF-16 units of a name without its slash, where a platform counts them.
pub(crate) const NAME_UNITS_MAX: Option<usize> = if cfg!(windows) { Some(200) } else { None };

/// Whether a new mapping over an attached System V segment detaches it.
///
/// XNU keeps its own list of attachments, and only shmdt removes a range from it.
#[cfg(unix)]
const VACATED_SEGMENT_IS_DETACHED: bool = cfg!(target_os = "linux");

/// The key of a segment, from `IPC_STAT`.
#[cfg(unix)]
fn segment_key(permissions: &libc::ipc_perm) -> libc::key_t {
    #[cfg(target_vendor = "apple")]
    return permissions._key;
    // SAFETY: the key is the first member on Linux, whatever a C library calls it.
    #[cfg(not(target_vendor = "apple"))]
    unsafe {
        std::ptr::from_ref(permissions).cast::<libc::key_t>().read()
    }
}

/// Repeats a call while signals interrupt it: even a call that does not wait can be interrupted.
#[cfg(unix)]
fn uninterrupted(mut call: impl FnMut() -> c_int) -> Result<c_int, OsCode> {
    loop {
        match OsCode::result(call()) {
            Err(OsCode::EINTR) => {}
            done => return done,
        }
    }
}
