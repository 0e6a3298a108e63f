//! Two locks of one name in one process are as those of two processes: each has a slot of its own.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::layout::{EVERYBODY, GATE, LEAVING};
use super::*;
use crate::key::Key;
use crate::lock::{LockMode, LockRequest, engine_tests};
use crate::sys::interrupt::Interrupt;

/// A name of its own; its set is removed when the test ends.
struct Named(LockName);

impl Named {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("os-ipc-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(LockName::new(&name).unwrap())
    }

    /// As a process that uses it.
    fn user(&self) -> SetLock {
        let lock = SetLock::new(self.0.clone());
        lock.join();
        lock
    }

    fn set(&self) -> std::result::Result<SetId, OsCode> {
        sys::find(Key::of_lock(self.0.as_str()).raw())
    }

    fn values(&self) -> Values {
        let layout = Layout::for_new(self.0.as_str());
        Values::read(self.set().unwrap(), layout).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.set().map(sys::remove);
    }
}

fn end(lock: &SetLock) {
    lock.part();
    assert!(lock.close_unused());
}

#[test]
fn who_shares_excludes_who_wants_it_alone_and_the_other_way_round() {
    let named = Named::new();
    let (one, two) = (named.user(), named.user());
    engine_tests::check_exclusion(&one, &two);
}

#[test]
fn who_waits_for_it_alone_keeps_others_out() {
    let named = Named::new();
    let (reader, late) = (named.user(), named.user());
    let shared = reader.try_take(Request::Shared).unwrap().unwrap();
    let writer = Arc::new(named.user());
    let (taken, arrival) = channel();
    let waiting = {
        let writer = Arc::clone(&writer);
        thread::spawn(move || {
            taken.send(writer.take(Request::Exclusive, &Interrupt::of_this_thread()).unwrap()).unwrap();
        })
    };
    while named.values().at(GATE) == 1 {
        thread::yield_now();
    }
    assert_eq!(late.try_take(Request::Shared).unwrap(), None);
    assert!(arrival.try_recv().is_err());
    reader.give_back(Request::Shared, shared).unwrap();
    let alone = arrival.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
    waiting.join().unwrap();
    assert!(named.values().exclusive());
    writer.give_back(Request::Exclusive, alone).unwrap();
    assert!(late.try_take(Request::Shared).unwrap().is_some());
}

#[test]
fn a_gate_that_was_shut_for_nobody_opens() {
    let named = Named::new();
    let (reader, writer) = (named.user(), named.user());
    reader.try_take(Request::Shared).unwrap().unwrap();
    // As after a signal between the two steps.
    let open = writer.opened(&mut writer.lock()).unwrap();
    assert!(!writer.step(open, Request::Exclusive).unwrap());
    assert_eq!(named.values().at(GATE), 0);
    writer.rest();
    assert_eq!(named.values().at(GATE), 1);
    // The same where the thread goes on to share.
    assert!(!writer.step(open, Request::Exclusive).unwrap());
    assert!(writer.take(Request::Shared, &Interrupt::of_this_thread()).unwrap().is_some());
    assert_eq!(named.values().shared(), 2);
}

#[test]
fn the_last_one_removes_the_set() {
    let named = Named::new();
    let (one, two) = (named.user(), named.user());
    let taken = one.try_take(Request::Exclusive).unwrap().unwrap();
    two.try_take(Request::Shared).unwrap();
    one.give_back(Request::Exclusive, taken).unwrap();
    end(&one);
    assert!(named.set().is_ok(), "another one uses it");
    end(&two);
    assert_eq!(named.set(), Err(OsCode::ENOENT));
    // And whoever comes back makes another one.
    one.join();
    assert!(one.try_take(Request::Exclusive).unwrap().is_some());
}

#[test]
fn a_set_that_is_being_removed_is_waited_for() {
    let named = Named::new();
    let (leaver, comer) = (named.user(), named.user());
    let open = leaver.opened(&mut leaver.lock()).unwrap();
    comer.opened(&mut comer.lock()).unwrap();
    let slot = named.values().free().next().unwrap();
    let mut lock_up = [
        Operation::add(GATE, -1, Undo::Yes),
        Operation::add(open.layout.count, -EVERYBODY, Undo::Yes),
        Operation::add(slot.claim(), LEAVING, Undo::Yes),
    ];
    sys::operate(open.set, &mut lock_up).unwrap();
    let removal = thread::spawn(move || {
        thread::sleep(Duration::from_millis(5));
        sys::remove(open.set).unwrap();
    });
    assert!(comer.try_take(Request::Exclusive).unwrap().is_some(), "nobody has it");
    removal.join().unwrap();
}

#[test]
fn a_set_that_was_removed_by_force_takes_nothing_back() {
    let named = Named::new();
    let (one, two) = (named.user(), named.user());
    let old = one.try_take(Request::Exclusive).unwrap().unwrap();
    sys::remove(named.set().unwrap()).unwrap();
    let new = two.try_take(Request::Exclusive).unwrap().unwrap();
    assert_ne!(old, new);
    one.give_back(Request::Exclusive, old).unwrap();
    assert!(named.values().exclusive());
    assert_eq!(one.try_take(Request::Shared).unwrap(), None);
    // Now that it has the new one open as well.
    one.give_back(Request::Exclusive, old).unwrap();
    assert!(named.values().exclusive());
}

#[test]
fn who_finds_no_slot_is_counted() {
    let named = Named::new();
    let users: Vec<_> = (0..66).map(|_| named.user()).collect();
    for user in &users {
        assert!(user.try_take(Request::Shared).unwrap().is_some());
    }
    assert_eq!(named.values().taken().count(), 64);
    let ours = |pid: i32| -> Vec<LockRequest> {
        survey(pid).unwrap().into_iter().filter(|request| request.name == named.0.as_str()).collect()
    };
    let seen = ours(0);
    let own = std::process::id().cast_signed();
    assert_eq!(seen.iter().filter(|request| request.pid == Some(own)).count(), 64);
    assert_eq!(seen.iter().filter(|request| request.pid.is_none()).count(), 2);
    assert!(seen.iter().all(|request| request.held && request.mode == LockMode::Shared));
    assert_eq!(ours(own).len(), 2, "our own are on the roster");
}

#[test]
fn slots_that_say_more_than_there_can_be_are_not_believed() {
    let named = Named::new();
    let user = named.user();
    assert!(user.try_take(Request::Shared).unwrap().is_some());
    let open = user.opened(&mut user.lock()).unwrap();
    // As a peer that may write to the set: 3 slots with 32,767 each are more than one number holds.
    for slot in named.values().free().take(3).collect::<Vec<_>>() {
        let mut nonsense = [slot.claim(), slot.shared(), slot.pending()]
            .map(|index| Operation::add(index, i16::MAX, Undo::No));
        sys::operate(open.set, &mut nonsense).unwrap();
    }
    let told = survey(0).unwrap().into_iter().filter(|request| request.name == named.0.as_str());
    assert_eq!(told.filter(|request| request.held).count(), 1);
}

#[test]
fn who_waits_is_written_down() {
    let named = Named::new();
    let user = named.user();
    user.opened(&mut user.lock()).unwrap();
    for (hold, joined) in [
        (Request::Shared, true),
        (Request::Exclusive, true),
        (Request::Shared, true),
        (Request::Shared, false),
    ] {
        user.listed(hold, joined, Some(1));
    }
    let waiting = |held| -> Vec<_> {
        let ours = survey(0).unwrap().into_iter();
        ours.filter(|request| request.name == named.0.as_str() && request.held == held)
            .map(|one| one.mode)
            .collect()
    };
    assert_eq!(waiting(false), [LockMode::Exclusive, LockMode::Shared]);
    assert_eq!(waiting(true), []);
}
