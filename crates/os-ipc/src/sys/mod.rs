//! The system calls: the only unsafe code of this crate, a folder a facility and in it a file a platform.
//!
//! The `mod.rs` of a facility chooses its platform, and nothing else does.

#![allow(unsafe_code, reason = "this is where the system calls are")]

pub(crate) mod access;
mod bus_guard;
mod code;
mod copy;
pub(crate) mod failure;
pub(crate) mod file_identity;
pub(crate) mod host;
pub(crate) mod interrupt;
pub(crate) mod lock_file;
pub(crate) mod mapping;
pub(crate) mod named_memory;
pub(crate) mod named_semaphore;
pub(crate) mod semaphore_file;
pub(crate) mod semaphore_words;
pub(crate) mod shm_folder;
pub(crate) mod system_v;
pub(crate) mod thread;
pub(crate) mod user_folder;

use std::ffi::c_int;

pub(crate) use bus_guard::renew as renew_bus_guard;
pub use code::OsCode;
pub(crate) use host::{
    at_exit, clock, file_size_limit, ftok, image, in_use, is_on_first_thread, is_readable, module,
    named_thread, pool_threads_taken, value_at_start,
};

/// The most bytes of a semaphore's name, slash included, where it is fewer than elsewhere.
///
/// PSEMNAMLEN of XNU's `posix_sem.c` is 31, the NUL included.
pub(crate) const SEMAPHORE_NAME_MAX: Option<usize> =
    if cfg!(target_vendor = "apple") { Some(30) } else { None };

/// The most bytes of a memory object's name, slash included: PSHMNAMLEN of XNU's `posix_shm.c`.
pub(crate) const MEMORY_NAME_MAX: Option<usize> = if cfg!(target_vendor = "apple") { Some(31) } else { None };

/// Whether mapping something else over an attached System V segment detaches it.
///
/// XNU keeps its own list of what a process attached, and only shmdt takes a range off it.
const VACATED_SEGMENT_IS_DETACHED: bool = cfg!(target_os = "linux");

/// The key of a segment, from `IPC_STAT`.
fn segment_key(permissions: &libc::ipc_perm) -> libc::key_t {
    #[cfg(target_vendor = "apple")]
    return permissions._key;
    // SAFETY: the key is the first member on Linux, whatever a C library calls it.
    #[cfg(not(target_vendor = "apple"))]
    unsafe {
        std::ptr::from_ref(permissions).cast::<libc::key_t>().read()
    }
}

/// Calls until no signal comes in between: even a call that does not wait can meet one.
fn uninterrupted(mut call: impl FnMut() -> c_int) -> Result<c_int, OsCode> {
    loop {
        match OsCode::result(call()) {
            Err(OsCode::EINTR) => {}
            done => return done,
        }
    }
}
