//! What no other process is needed for, but the calls below the names: sets that a killed creator left, words that others have,
//! and steps of a resizing.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use super::holder::{self, CLAIMED, HANDED_ON};
use super::{inherited, resize};
use crate::access::Owner;
use crate::counter_set::{self, Kind, SetName, initialise};
use crate::error::{Code, OsCode, Remedy};
use crate::key::Key;
use crate::limit::{Holding, Limit, LimitCreation, LimitId};
use crate::name::Name;
use crate::record::{COUNTER, HOLDERS, LIMIT_SIZE, PERMITS_AT, set_size};
use crate::semaphore::{Backend, Creation, Semaphore, SemaphoreId};
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};

/// A name of its own; its set is removed when the test ends.
struct Named(Name);

impl Named {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Name::semaphore(&format!("/os-ipc-limit-{}-{number}", std::process::id())).unwrap())
    }

    fn key(&self) -> i32 {
        Key::of_name(&self.0).unwrap().raw()
    }

    fn id(&self) -> LimitId {
        LimitId::named(self.0.as_str()).unwrap()
    }

    fn semaphore(&self) -> SemaphoreId {
        SemaphoreId::named(self.0.as_str(), Backend::SystemV).unwrap()
    }

    fn set(&self) -> SetId {
        sys::find(self.key()).unwrap()
    }

    /// What a creator leaves that dies between its two calls.
    fn unfinished(&self, size: usize) -> SetId {
        sys::create(self.key(), size, 0o600).unwrap()
    }

    fn create(&self, permits: u32) -> Limit {
        Limit::create(&self.id(), of(permits), None).unwrap()
    }

    fn open(&self) -> Limit {
        Limit::open(&self.id(), Owner::Default, None).unwrap()
    }

    fn open_or_create(&self, permits: u32) -> Limit {
        Limit::open_or_create(&self.id(), of(permits), Owner::Default, None).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if let Ok(set) = sys::find(self.key()) {
            let _ = sys::remove(set);
        }
    }
}

fn of(permits: u32) -> LimitCreation {
    LimitCreation { permits, mode: 0o600 }
}

fn units(initial: u32) -> Creation {
    Creation { initial, mode: 0o600 }
}

fn free(limit: &Limit) -> u16 {
    limit.info().unwrap().free
}

/// What every way to use the name as the other kind is refused with.
fn refusals_of_semaphores(id: &SemaphoreId) -> [Code; 4] {
    [
        Semaphore::create(id, units(1)).err().unwrap().code(),
        Semaphore::open(id, Owner::Default).err().unwrap().code(),
        Semaphore::open_or_create(id, units(1), Owner::Default).err().unwrap().code(),
        Semaphore::unlink_id(id).unwrap_err().code(),
    ]
}

fn refusals_of_limits(id: &LimitId) -> [Code; 4] {
    [
        Limit::create(id, of(1), None).err().unwrap().code(),
        Limit::open(id, Owner::Default, None).err().unwrap().code(),
        Limit::open_or_create(id, of(1), Owner::Default, None).err().unwrap().code(),
        Limit::unlink_id(id, None).unwrap_err().code(),
    ]
}

#[test]
fn a_limit_is_no_semaphore_and_a_semaphore_no_limit() {
    let named = Named::new();
    let limit = named.create(3);
    assert_eq!(refusals_of_semaphores(&named.semaphore()), [Code::WrongKind; 4]);
    let by_key = SemaphoreId::keyed(named.key()).unwrap();
    assert_eq!(Semaphore::open(&by_key, Owner::Default).err().unwrap().code(), Code::WrongKind);
    let error = Semaphore::open(&named.semaphore(), Owner::Default).err().unwrap();
    assert_eq!(error.remedy(), Some(Remedy::Limit));
    limit.unlink().unwrap();

    let semaphore = Semaphore::create(&named.semaphore(), units(3)).unwrap();
    assert_eq!(refusals_of_limits(&named.id()), [Code::WrongKind; 4]);
    let by_key = LimitId::keyed(named.key()).unwrap();
    assert_eq!(Limit::open(&by_key, Owner::Default, None).err().unwrap().code(), Code::WrongKind);
    let error = Limit::open(&named.id(), Owner::Default, None).err().unwrap();
    assert_eq!(error.remedy(), Some(Remedy::Semaphore));
    assert_eq!(semaphore.value().unwrap(), 3);
}

#[test]
fn what_a_killed_creator_of_a_limit_left_is_finished_by_a_limit_only() {
    let named = Named::new();
    named.unfinished(LIMIT_SIZE);
    assert_eq!(refusals_of_semaphores(&named.semaphore()), [Code::WrongKind; 4]);
    let by_key = SemaphoreId::keyed(named.key()).unwrap();
    assert_eq!(Semaphore::open(&by_key, Owner::Default).err().unwrap().code(), Code::WrongKind);
    assert_eq!(Limit::open(&named.id(), Owner::Default, None).err().unwrap().code(), Code::NotInitialised);
    assert_eq!(Limit::create(&named.id(), of(2), None).err().unwrap().errno(), Some(OsCode::EEXIST));
    let limit = named.open_or_create(2);
    assert!(limit.created() && limit.verified());
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(2), 2));
    assert!(!named.open_or_create(9).created());
}

#[test]
fn what_a_peer_posted_to_an_unfinished_limit_does_not_make_it_a_semaphore() {
    let named = Named::new();
    sys::give(named.unfinished(LIMIT_SIZE), 1, Undo::No).unwrap();
    assert_eq!(refusals_of_semaphores(&named.semaphore()), [Code::WrongKind; 4]);
    let limit = named.open_or_create(2);
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(2), 3));
}

#[test]
fn what_a_killed_creator_of_a_semaphore_left_is_finished_by_a_semaphore_only() {
    let named = Named::new();
    named.unfinished(set_size(named.0.as_str()));
    assert_eq!(refusals_of_limits(&named.id()), [Code::WrongKind; 4]);
    let by_key = LimitId::keyed(named.key()).unwrap();
    assert_eq!(
        Limit::open_or_create(&by_key, of(1), Owner::Default, None).err().unwrap().code(),
        Code::WrongKind
    );
    let semaphore = Semaphore::open_or_create(&named.semaphore(), units(4), Owner::Default).unwrap();
    assert!(semaphore.created() && semaphore.verified());
    assert_eq!(semaphore.value().unwrap(), 4);
}

#[test]
fn a_killed_creator_by_raw_key_leaves_its_own_kind_too() {
    let named = Named::new();
    let (limit, semaphore) = (LimitId::keyed(named.key()).unwrap(), SemaphoreId::keyed(named.key()).unwrap());
    // Made for the key, and made for a name that has the key.
    for size in [set_size(""), set_size(named.0.as_str())] {
        let set = named.unfinished(size);
        assert_eq!(refusals_of_limits(&limit), [Code::WrongKind; 4]);
        sys::remove(set).unwrap();
    }
    named.unfinished(LIMIT_SIZE);
    assert_eq!(refusals_of_semaphores(&semaphore), [Code::WrongKind; 4]);
    assert!(Limit::open_or_create(&limit, of(5), Owner::Default, None).unwrap().created());
    // A name that has the key finds what was made for the key.
    let opened = named.open();
    assert!(!opened.verified());
    assert_eq!(opened.permits().unwrap(), Some(5));
}

#[test]
fn a_set_without_a_record_opens_as_either() {
    for size in [1, 2, 3, 40] {
        let named = Named::new();
        let set = sys::create(named.key(), size, 0o600).unwrap();
        sys::give(set, 2, Undo::No).unwrap();
        let limit = named.open();
        assert!(!limit.verified());
        assert_eq!(limit.permits().unwrap(), None);
        assert!(
            limit.try_acquire().unwrap() && limit.try_acquire().unwrap() && !limit.try_acquire().unwrap()
        );
        let info = limit.info().unwrap();
        assert_eq!((info.free, info.holders, info.unnamed), (0, None, None));
        let mailbox = std::sync::Arc::new(crate::waiting::Mailbox::new(|| ()));
        let refusal = limit.start_resize(1, &mailbox, crate::waiting::Executors::THREAD).err().unwrap();
        assert_eq!(refusal.code(), Code::NotSupported);
        limit.release().unwrap();
        let semaphore = Semaphore::open(&named.semaphore(), Owner::Default).unwrap();
        assert_eq!(semaphore.value().unwrap(), 1);
    }
}

#[test]
fn a_creator_that_was_overtaken_adds_nothing() {
    let named = Named::new();
    let set = named.unfinished(LIMIT_SIZE);
    let quick = named.open_or_create(3);
    assert!(quick.created());
    let name = SetName::new(Kind::Limit, Some(named.0.clone()), Key::of_name(&named.0).unwrap());
    assert!(!initialise(set, LIMIT_SIZE, &name, 3).unwrap(), "it came too late");
    assert_eq!((quick.permits().unwrap(), free(&quick)), (Some(3), 3));
}

#[test]
fn of_many_who_finish_a_set_exactly_one_made_it() {
    for _ in 0..50 {
        let named = Named::new();
        named.unfinished(LIMIT_SIZE);
        let (start, made) = (Barrier::new(8), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    made.fetch_add(usize::from(named.open_or_create(4).created()), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
        assert_eq!((named.open().permits().unwrap(), free(&named.open())), (Some(4), 4));
    }
}

/// The word of this process; none where it has none.
fn word(named: &Named) -> Option<(u16, u16)> {
    let values = sys::values(named.set(), LIMIT_SIZE).unwrap();
    let mut taken =
        holder::words().map(|word| (word, values[usize::from(word)])).filter(|(_, value)| *value != 0);
    let word = taken.next();
    assert_eq!(taken.next(), None, "a process has one word");
    word
}

#[test]
fn a_word_tells_how_many_permits_its_process_holds() {
    let named = Named::new();
    let (one, two) = (named.create(5), named.open());
    let pid = std::process::id().cast_signed();
    for (permits, limit) in [(1, &one), (2, &two), (3, &one)] {
        assert!(limit.try_acquire().unwrap());
        assert_eq!(word(&named).unwrap().1, CLAIMED + permits);
        let info = one.info().unwrap();
        let holding = Holding { pid, permits: u32::from(permits) };
        assert_eq!((info.free, info.holders, info.unnamed), (5 - permits, Some(vec![holding]), Some(0)));
    }
    drop(two);
    assert_eq!(word(&named).unwrap().1, CLAIMED + 2);
    one.release().unwrap();
    one.release().unwrap();
    assert_eq!((word(&named), free(&one)), (None, 5));
    assert_eq!(one.info().unwrap().holders, Some(vec![]));
}

fn await_waiters(limit: &Limit, number: u32) {
    while limit.info().unwrap().waiters < number {
        thread::yield_now();
    }
}

#[test]
fn a_process_that_waits_and_holds_nothing_is_no_holder() {
    let named = Named::new();
    let limit = named.create(0);
    thread::scope(|scope| {
        let waits = scope.spawn(|| limit.acquire(Some(Duration::from_secs(20))).unwrap());
        await_waiters(&limit, 1);
        assert_eq!(word(&named), None);
        let info = limit.info().unwrap();
        assert_eq!((info.holders, info.unnamed), (Some(vec![]), Some(0)));
        assert!(resize::grow(named.set(), 0, 1).unwrap());
        assert!(waits.join().unwrap());
    });
    assert_eq!(word(&named).unwrap().1, CLAIMED + 1);
    limit.release().unwrap();
    assert!(limit.acquire(Some(Duration::ZERO)).unwrap());
    limit.release().unwrap();
    assert_eq!(word(&named), None);
}

#[test]
fn a_wait_that_ends_without_a_permit_leaves_no_word() {
    let named = Named::new();
    let limit = named.create(0);
    assert!(!limit.acquire(Some(Duration::from_millis(1))).unwrap());
    assert_eq!((word(&named), free(&limit)), (None, 0));
}

#[test]
fn the_last_permit_that_goes_back_leaves_the_word_to_who_still_waits() {
    let named = Named::new();
    let limit = named.create(1);
    assert!(limit.try_acquire().unwrap());
    thread::scope(|scope| {
        let waits = scope.spawn(|| named.open().acquire(Some(Duration::from_secs(20))).unwrap());
        await_waiters(&limit, 1);
        limit.release().unwrap();
        assert!(waits.join().unwrap());
    });
    // The handle that waited gave its permit back when it was dropped.
    assert_eq!((word(&named), free(&limit)), (None, 1));
}

#[test]
fn where_another_process_has_the_word_the_next_free_one_is_taken() {
    let named = Named::new();
    let limit = named.create(2);
    let first = holder::first_choice();
    sys::operate(named.set(), &mut [Operation::add(first, 1, Undo::No)]).unwrap();
    assert!(limit.try_acquire().unwrap());
    let values = sys::values(named.set(), LIMIT_SIZE).unwrap();
    let taken: Vec<_> = holder::words().filter(|word| values[usize::from(*word)] != 0).collect();
    assert!(taken.len() == 2 && taken.contains(&first));
    limit.release().unwrap();
    assert_eq!(free(&limit), 2);
}

/// Changes the word that this process tries first, as another process does that has it or gives it up.
fn change_first_choice(named: &Named, by: i16) {
    sys::operate(named.set(), &mut [Operation::add(holder::first_choice(), by, Undo::No)]).unwrap();
}

#[test]
fn a_word_that_another_process_took_meanwhile_costs_a_wait_nothing() {
    let named = Named::new();
    let limit = named.create(0);
    thread::scope(|scope| {
        let waits = scope.spawn(|| limit.acquire(None).unwrap());
        await_waiters(&limit, 1);
        change_first_choice(&named, 1);
        assert!(resize::grow(named.set(), 0, 1).unwrap());
        assert!(waits.join().unwrap());
    });
    change_first_choice(&named, -1);
    let (word, value) = word(&named).unwrap();
    assert_eq!(value, CLAIMED + 1);
    assert_ne!(word, holder::first_choice());
    limit.release().unwrap();
    assert_eq!(free(&limit), 1);
}

#[test]
fn threads_of_a_process_are_served_in_their_order() {
    let named = Named::new();
    let limit = named.create(0);
    let served = Mutex::new(Vec::new());
    let wait = |number: u32| {
        let own = named.open();
        assert!(own.acquire(None).unwrap());
        served.lock().unwrap().push(number);
        own.release().unwrap();
    };
    thread::scope(|scope| {
        for number in 0..4 {
            let wait = &wait;
            scope.spawn(move || wait(number));
            await_waiters(&limit, number + 1);
        }
        assert!(resize::grow(named.set(), 0, 1).unwrap());
    });
    assert_eq!(served.into_inner().unwrap(), [0, 1, 2, 3]);
    assert_eq!((word(&named), free(&limit)), (None, 1));
}

#[test]
fn a_word_that_another_process_has_does_not_end_a_wait_that_has_no_time() {
    let named = Named::new();
    let limit = named.create(1);
    change_first_choice(&named, 1);
    assert!(limit.acquire(Some(Duration::ZERO)).unwrap());
    assert!(!limit.acquire(Some(Duration::ZERO)).unwrap());
    limit.release().unwrap();
    change_first_choice(&named, -1);
    assert_eq!((word(&named), free(&limit)), (None, 1));
}

#[test]
fn a_process_that_took_a_word_before_its_wait_returned_has_one_word_in_the_end() {
    for _ in 0..50 {
        let named = Named::new();
        let limit = named.create(0);
        thread::scope(|scope| {
            let waits = scope.spawn(|| limit.acquire(None).unwrap());
            await_waiters(&limit, 1);
            assert!(resize::grow(named.set(), 0, 2).unwrap());
            // The kernel has served the wait, and its thread seldom knows yet.
            assert!(limit.try_acquire().unwrap());
            assert!(waits.join().unwrap());
        });
        assert_eq!(word(&named).unwrap().1, CLAIMED + 2);
        limit.release().unwrap();
        limit.release().unwrap();
        assert_eq!((word(&named), free(&limit)), (None, 2));
    }
}

#[test]
fn who_finds_no_word_is_counted_without_a_name() {
    let named = Named::new();
    let limit = named.create(3);
    let mut all: Vec<_> = holder::words().map(|word| Operation::add(word, 1, Undo::No)).collect();
    assert_eq!(all.len(), usize::from(HOLDERS));
    sys::operate(named.set(), &mut all).unwrap();
    assert!(limit.try_acquire().unwrap());
    assert!(limit.acquire(Some(Duration::ZERO)).unwrap());
    assert_eq!(free(&limit), 1);
    let values = sys::values(named.set(), LIMIT_SIZE).unwrap();
    assert!(holder::words().all(|word| values[usize::from(word)] == 1), "no word changed");
    let mut none: Vec<_> = holder::words().map(|word| Operation::add(word, -1, Undo::No)).collect();
    sys::operate(named.set(), &mut none).unwrap();
    let info = limit.info().unwrap();
    assert_eq!((info.holders, info.unnamed), (Some(vec![]), Some(2)));
    // From here on there is room again: the named permit goes back last.
    assert!(limit.try_acquire().unwrap());
    assert_eq!(word(&named).unwrap().1, CLAIMED + 1);
    for left in [1, 1] {
        limit.release().unwrap();
        assert_eq!(word(&named).unwrap().1, CLAIMED + left);
    }
    limit.release().unwrap();
    assert_eq!((word(&named), free(&limit)), (None, 3));
}

#[test]
fn a_word_that_came_free_during_a_wait_without_one_goes_with_the_last_permit() {
    let named = Named::new();
    let limit = named.create(0);
    let others = |by| {
        let mut words: Vec<_> = holder::words().map(|word| Operation::add(word, by, Undo::No)).collect();
        sys::operate(named.set(), &mut words).unwrap();
    };
    others(1);
    thread::scope(|scope| {
        let waits = scope.spawn(|| limit.acquire(Some(Duration::from_secs(20))).unwrap());
        await_waiters(&limit, 1);
        others(-1);
        // This wait takes a word, and ends while the other one goes on.
        assert!(!limit.acquire(Some(Duration::from_millis(1))).unwrap());
        assert!(resize::grow(named.set(), 0, 1).unwrap());
        assert!(waits.join().unwrap());
    });
    limit.release().unwrap();
    assert_eq!((word(&named), free(&limit)), (None, 1));
}

#[test]
fn pairs_leave_no_drift_in_the_undo_records() {
    let named = Named::new();
    let limit = named.create(1);
    // Far more than 32,767, where an undo record that grew would be refused.
    for _ in 0..70_000 {
        assert!(limit.try_acquire().unwrap());
        limit.release().unwrap();
    }
    assert_eq!((word(&named), free(&limit)), (None, 1));
}

#[test]
fn an_earlier_image_s_permits_go_back_unless_they_were_handed_on() {
    let named = Named::new();
    named.create(9);
    let set = named.set();
    // As an earlier image of this process left it: the words have this pid.
    let [one, two, three] = [0, 1, 2].map(|at| holder::words().start + at);
    let mut left = [
        Operation::add(COUNTER, -6, Undo::Yes),
        Operation::add(one, (CLAIMED + 2).cast_signed(), Undo::Yes),
        Operation::add(two, (HANDED_ON + CLAIMED + 4).cast_signed(), Undo::Yes),
        Operation::add(three, CLAIMED.cast_signed(), Undo::Yes),
    ];
    sys::operate(set, &mut left).unwrap();
    let limit = named.open();
    assert_eq!(word(&named), Some((two, HANDED_ON + CLAIMED + 4)));
    let info = limit.info().unwrap();
    let pid = std::process::id().cast_signed();
    assert_eq!((info.free, info.holders), (5, Some(vec![Holding { pid, permits: 4 }])));
    // What this image takes stands beside it, and is no earlier image's.
    assert!(limit.try_acquire().unwrap());
    inherited::give_back(set);
    assert_eq!(free(&limit), 4);
    assert_eq!(limit.info().unwrap().holders, Some(vec![Holding { pid, permits: 5 }]));
    limit.release().unwrap();
    assert_eq!(free(&limit), 5);
}

#[test]
fn what_is_handed_on_is_marked_until_that_is_taken_back() {
    let named = Named::new();
    let limit = named.create(2);
    assert!(!limit.hand_on(true).unwrap(), "it holds nothing");
    assert!(limit.try_acquire().unwrap());
    for _ in 0..2 {
        assert!(limit.hand_on(true).unwrap());
        assert_eq!(word(&named).unwrap().1, HANDED_ON + CLAIMED + 1);
    }
    assert_eq!(limit.info().unwrap().holders.unwrap()[0].permits, 1);
    assert!(limit.hand_on(false).unwrap());
    assert_eq!(word(&named).unwrap().1, CLAIMED + 1);
    limit.release().unwrap();
    assert_eq!((word(&named), free(&limit)), (None, 2));
}

fn record(set: SetId) -> (u16, u16) {
    (sys::value_at(set, PERMITS_AT).unwrap(), sys::value(set).unwrap())
}

#[test]
fn the_record_grows_only_from_the_number_that_it_has() {
    let named = Named::new();
    named.create(0);
    let set = named.set();
    for (from, to, grown) in [(1, 5, false), (0, 4, true), (0, 5, false), (3, 5, false), (4, 32_767, true)] {
        assert_eq!(resize::grow(set, from, to).unwrap(), grown, "{from} {to}");
    }
    assert_eq!(record(set), (32_767, 32_767));
}

#[test]
fn a_step_takes_one_free_permit_and_lowers_the_record_with_it() {
    let named = Named::new();
    let limit = named.create(3);
    let set = named.set();
    assert!(limit.try_acquire().unwrap());
    for (to, left) in [(2, (2, 1)), (0, (1, 0))] {
        assert!(resize::try_step(set, to).unwrap().is_some());
        assert_eq!(record(set), left);
    }
    assert_eq!(resize::try_step(set, 0).unwrap(), None, "none is free");
    // The number is reached: nothing is taken.
    for to in [1, 5] {
        assert!(resize::try_step(set, to).unwrap().is_some());
        assert_eq!(record(set), (1, 0));
    }
    limit.release().unwrap();
    assert_eq!(record(set), (1, 1));
}

#[test]
fn a_step_that_waits_ends_when_another_one_reaches_the_number() {
    let named = Named::new();
    let limit = named.create(2);
    let set = named.set();
    assert!(limit.try_acquire().unwrap() && limit.try_acquire().unwrap());
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| resize::await_step(set, 1).unwrap())).collect();
        while sys::waiters(set).unwrap() < 3 {
            thread::yield_now();
        }
        limit.release().unwrap();
        // One had the permit; the two others find that there is nothing left to do.
        let tokens: Vec<_> = waiting.into_iter().map(|waits| waits.join().unwrap()).collect();
        for token in &tokens[1..] {
            assert!(tokens.iter().filter(|other| *other == token).count() <= 2);
        }
    });
    assert_eq!(record(set), (1, 0));
    limit.release().unwrap();
    assert_eq!(record(set), (1, 1));
}

#[test]
fn a_full_counter_takes_no_permit_back() {
    let named = Named::new();
    let limit = named.create(32_767);
    assert!(limit.try_acquire().unwrap());
    // A peer in another language posts what it did not take.
    sys::give(named.set(), 1, Undo::No).unwrap();
    assert_eq!(limit.release().unwrap_err().errno(), Some(OsCode::ERANGE));
    assert_eq!((limit.held(), word(&named).unwrap().1), (1, CLAIMED + 1));
    sys::try_take(named.set(), Undo::No).unwrap();
    limit.release().unwrap();
    assert_eq!((free(&limit), word(&named)), (32_767, None));
}

#[test]
fn a_removed_limit_is_removed_for_everybody() {
    let named = Named::new();
    let (one, two) = (named.create(1), named.open());
    assert!(one.try_acquire().unwrap());
    counter_set::remove(named.set(), &named.id().set_name()).unwrap();
    one.release().unwrap();
    assert_eq!(one.held(), 0);
    assert_eq!(two.try_acquire().unwrap_err().errno(), Some(OsCode::EIDRM));
    assert_eq!(two.permits().unwrap_err().errno(), Some(OsCode::EIDRM));
    two.unlink().unwrap();
}
