//! flock(2) on a regular file. The kernel releases it when its holder dies.
//!
//! macOS locks neither FIFOs nor objects of shm_open(2). An flock belongs to the open file, so the threads of a process need a
//! lock of their own beside it.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::sys::OsCode;

/// A file whose lock is the guard.
pub(crate) struct Guard {
    file: File,
    /// The thread of this process that has it, or tries to get it.
    threads: Mutex<()>,
}

/// The guard, until this is dropped.
pub(crate) struct Held<'a> {
    file: &'a File,
    /// Ends after the lock of the file.
    _thread: MutexGuard<'a, ()>,
}

impl Guard {
    pub(crate) fn of(file: File) -> Self {
        Self { file, threads: Mutex::new(()) }
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// `flock(file, LOCK_EX | LOCK_NB)`: the guard, if no other process and no other thread has it.
    pub(crate) fn try_hold(&self) -> Result<Option<Held<'_>>, OsCode> {
        let thread = match self.threads.try_lock() {
            Ok(thread) => thread,
            // The file's lock went with the thread that panicked.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        // SAFETY: no pointers, and the descriptor is open as long as `self` is.
        let locked = crate::sys::uninterrupted(|| unsafe {
            libc::flock(self.file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB)
        });
        match locked {
            Ok(_) => Ok(Some(Held { file: &self.file, _thread: thread })),
            Err(OsCode::EAGAIN) => Ok(None),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Held<'_> {
    /// `flock(file, LOCK_UN)`
    fn drop(&mut self) {
        // SAFETY: no pointers, and the descriptor is open. The only error is that of a bad descriptor.
        unsafe { libc::flock(self.file.as_raw_fd(), libc::LOCK_UN) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_thread_of_a_process_has_it_at_a_time() {
        let path = std::env::temp_dir().join(format!("os-ipc-guard-{}", std::process::id()));
        let guard = Guard::of(File::create(&path).unwrap());
        std::fs::remove_file(path).unwrap();
        let held = guard.try_hold().unwrap();
        assert!(held.is_some());
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(guard.try_hold().unwrap().is_none()));
        });
        drop(held);
        assert!(guard.try_hold().unwrap().is_some());
    }
}
