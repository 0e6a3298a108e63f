//! The first thread of the process.

/// `gettid() == getpid()`: whether this is the first thread.
#[cfg(target_os = "linux")]
pub(crate) fn is_here() -> bool {
    nix::unistd::gettid() == nix::unistd::getpid()
}

/// `pthread_main_np()`: whether this is the first thread.
#[cfg(target_vendor = "apple")]
pub(crate) fn is_here() -> bool {
    // SAFETY: no arguments, and it always succeeds.
    unsafe { libc::pthread_main_np() == 1 }
}

#[cfg(test)]
mod tests {
    #[test]
    fn another_thread_is_not_the_first() {
        assert!(!std::thread::spawn(super::is_here).join().unwrap());
    }
}
