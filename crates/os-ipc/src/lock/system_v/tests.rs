//! Two locks of one name in one process behave as those of two processes: each has its own slot.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::layout::{EVERYBODY, GATE, LEAVING};
use super::*;
use crate::key::Key;
use crate::lock::engine_tests::{self, end};
use crate::lock::{LockMode, LockRequest};
use crate::sys::interrupt::Interrupt;

/// A unique name; its set is removed when the test ends.
struct Named(LockName);

impl Named {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("os-ipc-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(LockName::new(&name).unwrap())
    }

    /// A user of the lock, as another process would be.
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

#[test]
fn shared_and_exclusive_holders_exclude_each_other() {
    let named = Named::new();
    let (one, two) = (named.user(), named.user());
    engine_tests::check_exclusion(&one, &two);
}

#[test]
fn an_exclusive_waiter_keeps_newcomers_out() {
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
fn a_gate_shut_for_a_request_that_is_gone_opens() {
    let named = Named::new();
    let (reader, writer) = (named.user(), named.user());
    reader.try_take(Request::Shared).unwrap().unwrap();
    // The state after a signal between the two steps.
    let open = writer.opened(&mut writer.lock()).unwrap();
    assert!(!writer.step(open, Request::Exclusive).unwrap());
    assert_eq!(named.values().at(GATE), 0);
    writer.rest();
    assert_eq!(named.values().at(GATE), 1);
    // The same if the thread goes on with a shared request.
    assert!(!writer.step(open, Request::Exclusive).unwrap());
    assert!(writer.take(Request::Shared, &Interrupt::of_this_thread()).unwrap().is_some());
    assert_eq!(named.values().shared(), 2);
}

#[test]
fn the_last_user_removes_the_set() {
    let named = Named::new();
    let (one, two) = (named.user(), named.user());
    let taken = one.try_take(Request::Exclusive).unwrap().unwrap();
    two.try_take(Request::Shared).unwrap();
    one.give_back(Request::Exclusive, taken).unwrap();
    end(&one);
    assert!(named.set().is_ok(), "another user has the set open");
    end(&two);
    assert_eq!(named.set(), Err(OsCode::ENOENT));
    // A user that comes back creates a new set.
    one.join();
    assert!(one.try_take(Request::Exclusive).unwrap().is_some());
}

#[test]
fn a_taker_waits_for_a_set_that_is_being_removed() {
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
    engine_tests::try_at_once(&comer).unwrap();
    removal.join().unwrap();
}

#[test]
fn a_free_lock_is_had_while_others_remove_what_is_left_of_it() {
    let named = Named::new();
    // They open the lock, as one does whose request ends before its turn, and remove the set when they leave.
    let visit = || {
        let visitor = named.user();
        visitor.opened(&mut visitor.lock()).unwrap();
        end(&visitor);
    };
    engine_tests::check_removals(|| Box::new(named.user()), visit);
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
    // The same now that it has the new set open.
    one.give_back(Request::Exclusive, old).unwrap();
    assert!(named.values().exclusive());
}

#[test]
fn users_without_a_slot_are_counted() {
    let named = Named::new();
    let users: Vec<_> = (0..66).map(|_| named.user()).collect();
    for user in &users {
        assert!(user.try_take(Request::Shared).unwrap().is_some());
    }
    assert_eq!(named.values().taken().count(), 64);
    let ours = |pid: i32| -> Vec<LockRequest> {
        survey::survey(pid).unwrap().into_iter().filter(|request| request.name == named.0.as_str()).collect()
    };
    let seen = ours(0);
    let own = std::process::id().cast_signed();
    assert_eq!(seen.iter().filter(|request| request.pid == Some(own)).count(), 64);
    assert_eq!(seen.iter().filter(|request| request.pid.is_none()).count(), 2);
    assert!(seen.iter().all(|request| request.held && request.mode == LockMode::Shared));
    assert_eq!(ours(own).len(), 2, "the registry has the requests of this process");
}

#[test]
fn impossible_values_in_slots_are_ignored() {
    let named = Named::new();
    let user = named.user();
    assert!(user.try_take(Request::Shared).unwrap().is_some());
    let open = user.opened(&mut user.lock()).unwrap();
    // A hostile peer that may write to the set: the sum of three slots with 32,767 each overflows 16 bits.
    for slot in named.values().free().take(3).collect::<Vec<_>>() {
        let mut nonsense = [slot.claim(), slot.shared(), slot.pending()]
            .map(|index| Operation::add(index, i16::MAX, Undo::No));
        sys::operate(open.set, &mut nonsense).unwrap();
    }
    let told = survey::survey(0).unwrap().into_iter().filter(|request| request.name == named.0.as_str());
    assert_eq!(told.filter(|request| request.held).count(), 1);
}

#[test]
fn waiters_are_listed() {
    let named = Named::new();
    let user = named.user();
    user.opened(&mut user.lock()).unwrap();
    for (request, joined) in [
        (Request::Shared, true),
        (Request::Exclusive, true),
        (Request::Shared, true),
        (Request::Shared, false),
    ] {
        user.listed(request, joined, Some(1));
    }
    let waiting = |held| -> Vec<_> {
        let ours = survey::survey(0).unwrap().into_iter();
        ours.filter(|request| request.name == named.0.as_str() && request.held == held)
            .map(|one| one.mode)
            .collect()
    };
    assert_eq!(waiting(false), [LockMode::Exclusive, LockMode::Shared]);
    assert_eq!(waiting(true), []);
}
