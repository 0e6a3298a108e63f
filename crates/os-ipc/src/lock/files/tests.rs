//! Two locks of one name in one process behave as those of two processes: each has its own descriptors.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;

use super::*;
use crate::lock::LockMode;
use crate::lock::engine_tests::{self, end};
use crate::sys::interrupt::Interrupt;

/// The files of a lock without users: on Windows its gate and its own file stay.
const LEFT: usize = if NAMES_END_AT_ONCE { 0 } else { 2 };

/// A temporary folder; it is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("os-ipc-test-{}-{number}", std::process::id())))
    }

    /// A user of the lock `a`, as another process would be.
    fn user(&self) -> FileLock {
        let lock = FileLock::new(&self.0, LockName::new("a").unwrap());
        lock.join();
        lock
    }

    fn files(&self) -> usize {
        std::fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn shared_and_exclusive_holders_exclude_each_other() {
    let folder = Folder::new();
    let (one, two) = (folder.user(), folder.user());
    engine_tests::check_exclusion(&one, &two);
}

#[test]
fn an_exclusive_waiter_keeps_newcomers_out() {
    let folder = Folder::new();
    let (reader, late) = (folder.user(), folder.user());
    let shared = reader.try_take(Request::Shared).unwrap().unwrap();
    let writer = Arc::new(folder.user());
    let (taken, arrival) = channel();
    let waiting = {
        let writer = Arc::clone(&writer);
        thread::spawn(move || {
            taken.send(writer.take(Request::Exclusive, &Interrupt::of_this_thread()).unwrap()).unwrap();
        })
    };
    while let Some(shared) = late.try_take(Request::Shared).unwrap() {
        late.give_back(Request::Shared, shared).unwrap();
    }
    assert!(arrival.try_recv().is_err());
    reader.give_back(Request::Shared, shared).unwrap();
    let alone = arrival.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
    waiting.join().unwrap();
    assert_eq!(late.try_take(Request::Shared).unwrap(), None);
    writer.give_back(Request::Exclusive, alone).unwrap();
    assert!(late.try_take(Request::Shared).unwrap().is_some());
}

#[test]
fn a_gate_shut_for_a_request_that_is_gone_opens() {
    let folder = Folder::new();
    let (reader, writer) = (folder.user(), folder.user());
    reader.try_take(Request::Shared).unwrap().unwrap();
    let shut = || writer.shut_gate(false, Request::Exclusive).unwrap().unwrap();
    writer.state().gate = Some(shut());
    assert_eq!(reader.try_take(Request::Shared).unwrap(), None);
    writer.rest();
    assert!(reader.try_take(Request::Shared).unwrap().is_some());
    // The same if the thread goes on with a shared request.
    writer.state().gate = Some(shut());
    assert!(writer.take(Request::Shared, &Interrupt::of_this_thread()).unwrap().is_some());
    assert!(reader.try_take(Request::Shared).unwrap().is_some());
}

#[test]
fn the_last_user_removes_the_files() {
    let folder = Folder::new();
    let (one, two) = (folder.user(), folder.user());
    let first = one.try_take(Request::Shared).unwrap().unwrap();
    let second = two.try_take(Request::Shared).unwrap().unwrap();
    one.give_back(Request::Shared, first).unwrap();
    end(&one);
    assert_eq!(folder.files(), 3, "a gate, a lock and its user");
    two.give_back(Request::Shared, second).unwrap();
    end(&two);
    assert_eq!(folder.files(), LEFT);
    one.join();
    assert!(one.try_take(Request::Exclusive).unwrap().is_some());
}

#[test]
fn one_of_two_simultaneous_leavers_removes_the_files() {
    // Where names do not end at once, no file of the lock is removed, so no order of the two can matter.
    const ROUNDS: usize = if NAMES_END_AT_ONCE { 2_000 } else { 100 };
    let folder = Folder::new();
    for round in 0..ROUNDS {
        let (one, two) = (folder.user(), folder.user());
        let leave = |lock: FileLock, together: &Barrier| {
            let held = lock.try_take(Request::Shared).unwrap().unwrap();
            together.wait();
            lock.give_back(Request::Shared, held).unwrap();
            lock.part();
            assert!(lock.close_unused(false));
        };
        let together = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| leave(one, &together));
            scope.spawn(|| leave(two, &together));
        });
        assert_eq!(folder.files(), LEFT, "round {round}");
    }
}

#[test]
fn a_free_lock_is_had_while_others_remove_what_is_left_of_it() {
    let folder = Folder::new();
    engine_tests::check_removals(|| Box::new(folder.user()), || end(&folder.user()));
}

#[test]
fn files_of_a_dead_process_are_neither_listed_nor_kept() {
    let folder = Folder::new();
    let lock = folder.user();
    let taken = lock.try_take(Request::Exclusive).unwrap().unwrap();
    let left = lock.paths.user(1, 0);
    std::fs::write(&left, [&[1_u8; 16][..], b"a"].concat()).unwrap();
    let seen = survey::survey(&folder.0, 0).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].mode, seen[0].pid), (LockMode::Exclusive, Some(std::process::id().cast_signed())));
    assert!(!left.exists());
    std::fs::write(&left, b"").unwrap();
    lock.give_back(Request::Exclusive, taken).unwrap();
    end(&lock);
    assert_eq!(folder.files(), LEFT);
}

#[test]
fn holders_and_waiters_are_listed() {
    let folder = Folder::new();
    let lock = folder.user();
    lock.try_take(Request::Shared).unwrap().unwrap();
    lock.try_take(Request::Shared).unwrap().unwrap();
    lock.listed(Request::Exclusive, true, Some(1));
    let seen: Vec<_> =
        survey::survey(&folder.0, 0).unwrap().iter().map(|request| (request.held, request.mode)).collect();
    let sharing = (true, LockMode::Shared);
    assert_eq!(seen, [sharing, sharing, (false, LockMode::Exclusive)]);
    assert_eq!(survey::survey(&folder.0, std::process::id().cast_signed()).unwrap(), []);
    let [listed] = &survey::list(&folder.0).unwrap()[..] else { panic!("one lock") };
    assert_eq!((listed.exclusive, listed.shared, listed.waiters), (false, 2, 1));
}
