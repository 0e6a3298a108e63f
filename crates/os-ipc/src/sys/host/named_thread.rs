//! The names of this process's threads.

use std::fs;

/// `/proc/self/task/*/comm`: whether a thread of this name runs; false where it is not known.
pub(crate) fn runs(name: &str) -> bool {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return false };
    threads.flatten().any(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    })
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread::Builder;

    use super::*;

    #[test]
    fn a_thread_is_found_by_its_name_while_it_runs() {
        let (started, has_started) = channel();
        let (end, ends) = channel::<()>();
        let thread = Builder::new().name("os-ipc-named".to_owned());
        let thread = thread.spawn(move || {
            started.send(()).unwrap();
            let _ = ends.recv();
        });
        has_started.recv().unwrap();
        assert!(runs("os-ipc-named"));
        assert!(!runs("os-ipc-none"));
        drop(end);
        thread.unwrap().join().unwrap();
    }
}
