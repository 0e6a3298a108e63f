//! Tests below the names that need no other process: sets that are unfinished, or made by other programs.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::counter::OWNED;
use super::{Set, create, open, open_or_create, unlink};
use crate::access::Owner;
use crate::counter_set::initialise;
use crate::error::{Code, OsCode};
use crate::key::Key;
use crate::name::Name;
use crate::record;
use crate::semaphore::backend::Object;
use crate::semaphore::{Backend, Creation, SemaphoreId};
use crate::sys::interrupt::Interrupt;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::Request;

/// A unique name; its set is removed when the test ends.
struct Named(SemaphoreId);

impl Named {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("/os-ipc-unit-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(SemaphoreId::named(&name, Backend::SystemV).unwrap())
    }

    fn key(&self) -> i32 {
        Key::of_name(&Name::semaphore(self.0.name()).unwrap()).unwrap().raw()
    }

    /// The set of a creator that died after its first call.
    fn unfinished(&self) -> SetId {
        sys::create(self.key(), record::set_size(self.0.name()), 0o600).unwrap()
    }

    /// A set as Go's semget makes it.
    fn foreign(&self, size: usize) -> SetId {
        sys::create(self.key(), size, 0o600).unwrap()
    }

    fn open_or_create(&self, initial: u32) -> (Set, bool) {
        open_or_create(&self.0, creation(initial), Owner::Default).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = unlink(&self.0);
    }
}

fn creation(initial: u32) -> Creation {
    Creation { initial, mode: 0o600 }
}

#[test]
fn an_unfinished_set_is_refused_by_open_and_finished_by_open_or_create() {
    let named = Named::new();
    named.unfinished();
    assert_eq!(open(&named.0, Owner::Default).err().unwrap().code(), Code::NotInitialised);
    assert_eq!(create(&named.0, creation(1)).err().unwrap().errno(), Some(OsCode::EEXIST));
    let (set, created) = named.open_or_create(6);
    assert!(created && set.verified());
    assert_eq!(set.value().unwrap(), 6);
    assert!(!named.open_or_create(9).1);
}

#[test]
fn exactly_one_of_many_finishers_creates_the_set() {
    for _ in 0..50 {
        let named = Named::new();
        named.unfinished();
        let (start, made) = (Barrier::new(8), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    made.fetch_add(usize::from(named.open_or_create(4).1), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!(open(&named.0, Owner::Default).unwrap().value().unwrap(), 4);
    }
}

#[test]
fn open_waits_for_a_slow_creator() {
    // Again where this thread had no processor, and was slower than the second for which an open waits.
    let opened = (0..8).any(|_| {
        let named = Named::new();
        let set = named.unfinished();
        let start = Instant::now();
        thread::scope(|scope| {
            let opening = scope.spawn(|| open(&named.0, Owner::Default).map(|set| set.value().unwrap()));
            thread::sleep(Duration::from_millis(20));
            let name = named.0.set_name().unwrap();
            assert!(initialise(set, record::set_size(named.0.name()), &name, 2).unwrap());
            let took = start.elapsed();
            let value = opening.join().unwrap();
            assert!(value.is_ok() || took >= Duration::from_secs(1), "it did not wait: {value:?}");
            value.is_ok_and(|value| value == 2)
        })
    });
    assert!(opened);
}

#[test]
fn units_posted_before_the_first_value_stay() {
    let named = Named::new();
    let set = named.unfinished();
    sys::give(set, 2, Undo::No).unwrap();
    assert_eq!(named.open_or_create(3).0.value().unwrap(), 5);
}

#[test]
fn an_overtaken_creator_adds_nothing() {
    for size in [1, 12] {
        let named = Named::new();
        let set = named.foreign(size);
        let (single, name) = (size == 1, named.0.name());
        let size = if single { 1 } else { record::set_size(name) };
        if !single {
            sys::remove(set).unwrap();
        }
        let set = if single { set } else { named.unfinished() };
        let (quick, created) = named.open_or_create(3);
        assert!(created);
        assert!(!initialise(set, size, &named.0.set_name().unwrap(), 3).unwrap(), "it came too late");
        assert_eq!(quick.value().unwrap(), 3);
    }
}

#[test]
fn a_set_of_another_program_opens_unverified() {
    for size in [1, 2, 3, 40] {
        let named = Named::new();
        let set = named.foreign(size);
        sys::give(set, 2, Undo::No).unwrap();
        let opened = open(&named.0, Owner::Default).unwrap();
        assert!(!opened.verified());
        assert_eq!(opened.value().unwrap(), 2);
        assert!(!named.open_or_create(9).1);
    }
}

#[test]
fn an_untouched_set_opens_after_a_moment() {
    let named = Named::new();
    named.foreign(1);
    assert_eq!(open(&named.0, Owner::Default).unwrap().value().unwrap(), 0);
}

#[test]
fn a_counter_that_went_down_to_0_is_not_untouched() {
    let named = Named::new();
    let set = named.foreign(1);
    sys::operate(set, &mut [Operation::add(0, 1, Undo::No), Operation::add(0, -1, Undo::No)]).unwrap();
    let (opened, created) = named.open_or_create(5);
    assert!(!created);
    assert_eq!(opened.value().unwrap(), 0);
}

#[test]
fn a_raw_key_recognises_its_own_unfinished_set_and_no_other() {
    let named = Named::new();
    let by_key = SemaphoreId::keyed(named.key()).unwrap();
    let set = sys::create(named.key(), 3, 0o600).unwrap();
    // A set as PHP makes it: a counter, and the number of its users.
    sys::operate(set, &mut [Operation::add(0, 1, Undo::No), Operation::add(1, 1, Undo::No)]).unwrap();
    let (opened, created) = open_or_create(&by_key, creation(7), Owner::Default).unwrap();
    assert!(!created && !opened.verified());
    assert_eq!(*sys::values(set, 3).unwrap(), [1, 1, 0]);
    sys::remove(set).unwrap();

    let set = sys::create(named.key(), 3, 0o600).unwrap();
    assert!(open_or_create(&by_key, creation(7), Owner::Default).unwrap().1);
    assert_eq!(*sys::values(set, 3).unwrap(), [7, record::MARK, 0]);
}

#[test]
fn disowned_at_both_ends_of_the_counter() {
    for initial in [1, 32_767] {
        let named = Named::new();
        let (set, _) = named.open_or_create(initial);
        let queue = set.queue();
        let counter = queue.counter();
        counter.take(Request::Unit, &Interrupt::of_this_thread()).unwrap().unwrap();
        // At 32,767 adding first would pass the limit.
        let refill = initial == 32_767;
        if refill {
            sys::give(sys::find(named.key()).unwrap(), 1, Undo::No).unwrap();
        }
        counter.disown(OWNED).unwrap();
        assert_eq!(set.value().unwrap(), initial - u32::from(!refill));
    }
}
