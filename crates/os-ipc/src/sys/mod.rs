//! The system calls: the only unsafe code of this crate, one file a facility.
//!
//! Platforms are chosen here and nowhere else.

#![allow(unsafe_code, reason = "this is where the system calls are")]

mod at_exit;
// Only Linux lets a peer cut an object that is in use.
#[cfg_attr(not(target_os = "linux"), path = "no_bus_guard.rs")]
mod bus_guard;
pub(crate) mod clock;
mod copy;
#[cfg_attr(target_arch = "x86_64", path = "copy_x86_64.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "copy_pieces.rs")]
mod copy_large;
#[cfg(target_arch = "x86_64")]
mod copy_pieces;
mod file_key;
mod first_thread;
pub(crate) mod image;
pub(crate) mod mapping;
#[cfg(target_os = "linux")]
mod memory_cgroup;
pub(crate) mod module;
#[cfg_attr(not(target_os = "linux"), path = "no_naps.rs")]
pub(crate) mod naps;
pub(crate) mod posix_sem;
#[cfg_attr(target_os = "linux", path = "posix_shm_linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "posix_shm_darwin.rs")]
#[cfg_attr(not(any(target_os = "linux", target_vendor = "apple")), path = "no_posix_shm.rs")]
pub(crate) mod posix_shm;
#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "only files can be something else than they should")
)]
pub(crate) mod posix_shm_types;
// What a semaphore looks like is known of glibc, which shares them between its versions and so cannot change it.
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        target_pointer_width = "64",
        target_endian = "little"
    )),
    path = "no_posix_words.rs"
)]
pub(crate) mod posix_words;
mod readable;
// Stores past the caches: so far for one processor.
#[cfg_attr(not(target_arch = "x86_64"), path = "no_store_way.rs")]
mod store_way;
// darwin has semop but no semtimedop, and no undo that survives its quirks: POSIX is its backend.
#[cfg_attr(not(target_os = "linux"), path = "no_sysv_sem.rs")]
pub(crate) mod sysv_sem;
pub(crate) mod sysv_sem_types;
#[cfg(target_os = "linux")]
mod sysv_sem_values;
pub(crate) mod sysv_shm;
#[cfg_attr(loom, path = "thread_model.rs")]
pub(crate) mod thread;
#[cfg_attr(not(target_os = "linux"), path = "no_undo_probe.rs")]
pub(crate) mod undo_probe;
#[cfg_attr(target_vendor = "apple", path = "user_folder_darwin.rs")]
pub(crate) mod user_folder;

use std::ffi::c_int;

use nix::errno::Errno;

pub(crate) use at_exit::at_exit;
pub(crate) use file_key::ftok;
pub(crate) use first_thread::is_here as is_on_first_thread;
pub(crate) use readable::is_readable;

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
fn uninterrupted(mut call: impl FnMut() -> c_int) -> Result<c_int, Errno> {
    loop {
        match Errno::result(call()) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}
