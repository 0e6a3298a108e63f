//! The pid of this process without a system call: a wait of a ledger asks for it several times.

/// The pid of this process, also in a forked child.
#[cfg(not(target_os = "linux"))]
pub(crate) fn own_pid() -> u32 {
    std::process::id()
}

/// The pid of this process, also in a forked child: the kernel empties the note of the parent there (`MADV_WIPEONFORK`).
#[cfg(target_os = "linux")]
pub(crate) fn own_pid() -> u32 {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static NOTE: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    let Some(note) = NOTE.get_or_init(linux::note_of_one_process) else { return std::process::id() };
    match note.load(Ordering::Relaxed) {
        0 => {
            let pid = std::process::id();
            note.store(pid, Ordering::Relaxed);
            pid
        }
        pid => pid,
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ptr;
    use std::sync::atomic::AtomicU32;

    /// `mmap(NULL, 4, ...)` and `madvise(MADV_WIPEONFORK)`: memory that is 0 in every new process. `None` where the kernel does
    /// not offer it.
    pub(super) fn note_of_one_process() -> Option<&'static AtomicU32> {
        const BYTES: usize = size_of::<AtomicU32>();
        // SAFETY: a new mapping at a place that the kernel chooses.
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return None;
        }
        // SAFETY: the mapping is ours, and nobody has a reference into it yet.
        unsafe {
            if libc::madvise(page, BYTES, libc::MADV_WIPEONFORK) != 0 {
                libc::munmap(page, BYTES);
                return None;
            }
            // It stays until the process ends.
            Some(&*page.cast::<AtomicU32>())
        }
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests {
    use super::own_pid;

    #[test]
    fn a_forked_child_has_its_own_pid() {
        assert_eq!(own_pid(), std::process::id());
        // SAFETY: the child makes no call that needs a lock, and ends at once.
        #[allow(unsafe_code, reason = "fork(2)")]
        let status = unsafe {
            match libc::fork() {
                0 => libc::_exit(i32::from(own_pid() != libc::getpid().cast_unsigned())),
                child => {
                    let mut status = -1;
                    assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                    status
                }
            }
        };
        assert_eq!(status, 0);
    }
}
