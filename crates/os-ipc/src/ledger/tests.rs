//! The algorithm over plain memory: every order of the operations of several processes, and a death after every store.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use proptest::prelude::*;

use super::layout::Content;
use super::{Entry, Flaw, Guarded, Kind, Layout, Ledger, Pace, Place, Retired, SlotNumber, Step};
use crate::sync::{AtomicU32, AtomicU64};

/// Memory of the process.
struct Plain {
    words: Vec<AtomicU32>,
    longs: Vec<AtomicU64>,
}

impl Place for Plain {
    fn word(&self, at: usize) -> &AtomicU32 {
        assert_eq!(at % 4, 0);
        &self.words[at / 4]
    }

    fn long(&self, at: usize) -> &AtomicU64 {
        assert_eq!(at % 8, 0);
        &self.longs[at / 8]
    }
}

const SLOTS: u32 = 6;

/// A ledger, and the guard of all its processes.
struct World {
    ledger: Ledger<Plain>,
    guard: Mutex<()>,
}

impl World {
    fn new(total: u32) -> Self {
        let layout = Layout::of_slots(SLOTS);
        let place = Plain {
            words: (0..layout.size() / 4).map(|_| AtomicU32::new(0)).collect(),
            longs: (0..layout.size() / 8).map(|_| AtomicU64::new(0)).collect(),
        };
        layout.write(&place, &Content { kind: Kind::Limit, name: "/jobs", total, boot: 7, space: 9 });
        Self { ledger: Ledger::new(place, layout), guard: Mutex::new(()) }
    }

    fn guarded(&self, own: u64) -> Guarded<'_, Plain, MutexGuard<'_, ()>> {
        self.ledger.guarded(self.guard.lock().unwrap_or_else(PoisonError::into_inner), own)
    }

    fn claim(&self, id: u64) -> SlotNumber {
        self.guarded(id).claim(id, SLOTS).unwrap()
    }

    fn take(&self, slot: SlotNumber) -> bool {
        self.guarded(1).grant(slot, Pace::InTurn).unwrap()
    }

    fn woken(&self) -> Vec<u64> {
        self.woken_after_passing(0)
    }

    fn woken_after_passing(&self, passed: u64) -> Vec<u64> {
        let mut woken = Vec::new();
        self.ledger.to_wake(passed, |id| woken.push(id));
        woken
    }

    fn watched(&self, slot: SlotNumber) -> Vec<u64> {
        let mut watched = Vec::new();
        self.ledger.to_watch(slot, |id| watched.push(id));
        watched
    }

    fn reap(&self, id: u64) -> bool {
        self.guarded(99).empty(|entry| entry.id == id)
    }
}

thread_local! {
    /// How many stores the process may make before it is killed; `None` for all.
    static STORES_LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The panic that stands for `kill -9`.
struct Killed;

pub(super) fn stored() {
    if let Some(left) = STORES_LEFT.get() {
        STORES_LEFT.set(Some(left.wrapping_sub(1)));
        if left == 1 {
            STORES_LEFT.set(None);
            resume_unwind(Box::new(Killed));
        }
    }
}

/// Runs `act` in a process that is killed after so many stores; `None` if it was.
fn killed_after<T>(stores: Option<usize>, act: impl FnOnce() -> T) -> Option<T> {
    STORES_LEFT.set(stores);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    STORES_LEFT.set(None);
    match outcome {
        Ok(done) => Some(done),
        Err(panic) if panic.is::<Killed>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

#[test]
fn a_header_is_read_as_it_was_written() {
    let world = World::new(3);
    let (place, layout) = (world.ledger.place(), Layout::of_slots(SLOTS));
    assert_eq!(Layout::check(place, layout.size(), Kind::Limit), Ok(layout));
    assert_eq!(Layout::check(place, layout.size(), Kind::Semaphore), Err(Flaw::WrongKind));
    assert_eq!(Layout::check(place, layout.size() + 24, Kind::Limit), Err(Flaw::Foreign));
    assert_eq!(Layout::name(place).as_deref(), Some("/jobs"));
    assert_eq!(Layout::origin(place), (7, 9));
    assert_eq!((world.ledger.total(), world.ledger.value(), world.ledger.high()), (3, 3, 0));
    assert!(!world.ledger.is_retired());
}

#[test]
fn no_process_passes_those_before_it_in_the_line() {
    let world = World::new(1);
    let [a, b, c] = [1, 2, 3].map(|id| world.claim(id));
    assert!(world.take(a));
    world.ledger.join(b);
    world.ledger.join(c);
    assert!(!world.take(b) && !world.take(c));
    assert!(world.ledger.give_back(a));
    assert_eq!(world.woken(), [2]);
    assert!(!world.take(a) && !world.take(c));
    assert!(world.take(b));
    assert_eq!(world.ledger.ticket(b), 0);
    assert_eq!(world.woken(), [3]);
    assert_eq!(world.ledger.others_waiting(Some(c)), 0);
    assert_eq!(world.ledger.others_waiting(Some(b)), 1);
}

#[test]
fn as_many_waiters_wake_as_there_are_free_permits() {
    let world = World::new(2);
    let [a, b, c, d] = [1, 2, 3, 4].map(|id| world.claim(id));
    assert!(world.take(a) && world.take(a));
    for slot in [d, b, c] {
        world.ledger.join(slot);
    }
    world.ledger.give_back(a);
    world.ledger.give_back(a);
    assert_eq!(world.woken(), [4, 2]);
    assert!(world.take(b));
    assert!(world.take(d));
    assert!(!world.take(c));
}

#[test]
fn the_waiter_behind_one_that_was_passed_wakes_with_it() {
    let world = World::new(1);
    let [a, b, c, d] = [1, 2, 3, 4].map(|id| world.claim(id));
    assert!(world.take(a));
    for slot in [b, c, d] {
        world.ledger.join(slot);
    }
    let passed = world.ledger.ticket(b);
    assert_eq!(world.woken_after_passing(passed), [2], "nothing is free");
    world.ledger.give_back(a);
    assert_eq!(world.woken_after_passing(passed), [2, 3]);
    assert_eq!(world.woken_after_passing(world.ledger.ticket(c)), [2, 4], "two were passed");
}

#[test]
fn a_slot_that_is_left_hands_nothing_on() {
    let world = World::new(1);
    let a = world.claim(1);
    assert!(world.take(a));
    world.ledger.hand_on(a, true);
    assert!(world.ledger.give_back(a));
    world.ledger.leave(a);
    let next = world.claim(2);
    assert!(world.take(next));
    assert!(world.ledger.entries().all(|entry| !entry.handed_on));
}

#[test]
fn a_stopped_waiter_is_passed() {
    let world = World::new(1);
    let [a, b] = [1, 2].map(|id| world.claim(id));
    world.ledger.join(a);
    world.ledger.join(b);
    assert!(!world.take(b));
    assert_eq!(world.guarded(2).grant(b, Pace::Passing), Ok(true));
    assert!(!world.take(a));
    assert_eq!(world.guarded(1).grant(a, Pace::Passing), Ok(false));
}

#[test]
fn the_head_of_the_line_watches_all_and_others_the_one_before_them() {
    let world = World::new(0);
    let [a, b, c, d] = [1, 2, 3, 4].map(|id| world.claim(id));
    world.ledger.join(c);
    world.ledger.join(b);
    world.ledger.join(d);
    assert_eq!(world.watched(c), [1, 2, 4]);
    assert_eq!(world.watched(b), [3]);
    assert_eq!(world.watched(d), [2]);
    assert_eq!(world.watched(a), [4]);
    // The last one has to look again when the one before it leaves.
    assert_eq!(world.ledger.behind(world.ledger.ticket(b)), Some(4));
    assert_eq!(world.ledger.behind(world.ledger.ticket(d)), None);
    assert_eq!(world.ledger.head().map(|entry| entry.id), Some(3));
}

#[test]
fn the_slot_of_a_dead_process_is_used_again() {
    let world = World::new(2);
    let slots: Vec<_> = (1..=u64::from(SLOTS)).map(|id| world.claim(id)).collect();
    assert!(world.take(slots[3]) && world.take(slots[3]));
    world.ledger.join(slots[3]);
    assert_eq!(world.guarded(7).claim(7, SLOTS), None);
    assert!(world.reap(4));
    assert!(!world.reap(4));
    assert_eq!(world.claim(7), slots[3]);
    assert_eq!((world.ledger.value(), world.ledger.held(slots[3])), (2, 0));
    assert_eq!(world.ledger.ticket(slots[3]), 0);
}

#[test]
fn a_claim_stays_within_the_room_that_the_file_has() {
    let world = World::new(1);
    assert!(world.guarded(1).claim(1, 0).is_none());
    assert!(world.guarded(1).claim(1, 1).is_some());
    assert!(world.guarded(2).claim(2, 1).is_none());
    assert_eq!(world.ledger.high(), 1);
}

#[test]
fn a_limit_shrinks_by_its_free_permits_and_grows_at_once() {
    let world = World::new(3);
    let [a, b] = [1, 2].map(|id| world.claim(id));
    assert!(world.take(a));
    let shrink = |to| world.guarded(2).shrink(b, to, Pace::InTurn);
    assert_eq!([shrink(0), shrink(0), shrink(0)], [Ok(Step::Taken), Ok(Step::Taken), Ok(Step::None)]);
    assert_eq!(shrink(1), Ok(Step::Reached));
    world.ledger.join(b);
    world.ledger.give_back(a);
    assert!(!world.take(a));
    assert_eq!(shrink(0), Ok(Step::Taken));
    assert_eq!(world.ledger.ticket(b), 0);
    assert_eq!(world.guarded(1).grow(1, 5), Ok(false));
    assert_eq!(world.guarded(1).grow(0, 5), Ok(true));
    assert!(world.take(a));
    assert_eq!((world.ledger.total(), world.ledger.value()), (5, 4));
}

#[test]
fn a_unit_is_taken_for_good() {
    let world = World::new(1);
    let a = world.claim(1);
    assert_eq!(world.guarded(1).consume(a, Pace::InTurn), Ok(true));
    assert_eq!(world.guarded(1).consume(a, Pace::InTurn), Ok(false));
    assert_eq!((world.ledger.total(), world.ledger.held(a)), (0, 0));
    assert!(world.ledger.post(2, 2));
    assert!(!world.ledger.post(1, 2));
    assert_eq!(world.ledger.value(), 2);
}

#[test]
fn a_removed_ledger_gives_nothing() {
    let world = World::new(1);
    let a = world.claim(1);
    world.ledger.retire();
    assert!(world.ledger.is_retired());
    assert_eq!(world.guarded(1).grant(a, Pace::InTurn), Err(Retired));
    assert_eq!(world.guarded(1).shrink(a, 0, Pace::InTurn), Err(Retired));
    assert_eq!(world.guarded(1).shrink(a, 1, Pace::InTurn), Err(Retired));
    assert_eq!(world.guarded(1).grow(1, 2), Err(Retired));
}

#[test]
fn the_mark_of_permits_that_are_handed_on_is_no_permit() {
    let world = World::new(2);
    let a = world.claim(1);
    assert!(world.take(a));
    world.ledger.hand_on(a, true);
    assert!(world.take(a));
    assert_eq!((world.ledger.value(), world.ledger.held(a)), (0, 2));
    assert!(world.ledger.entries().all(|entry| entry.handed_on));
    world.ledger.hand_on(a, false);
    assert!(world.ledger.give_back(a) && world.ledger.give_back(a) && !world.ledger.give_back(a));
    assert!(
        world
            .ledger
            .entries()
            .all(|entry| entry == Entry { id: 1, held: 0, ticket: 0, handed_on: false, slot: a })
    );
}

#[test]
fn the_guard_names_its_holder() {
    let world = World::new(1);
    let guarded = world.guarded(42);
    assert_eq!(world.ledger.guard_holder(), 42);
    drop(guarded);
    assert_eq!(world.ledger.guard_holder(), 0);
}

/// What one of several processes does next.
#[derive(Clone, Copy, Debug)]
enum Act {
    Take,
    Pass,
    GiveBack,
    Join,
    Part,
    Shrink(u32),
    Grow(u32),
    Leave,
    Reap,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Take),
        1 => Just(Act::Pass),
        5 => Just(Act::GiveBack),
        3 => Just(Act::Join),
        1 => Just(Act::Part),
        1 => (0..4_u32).prop_map(Act::Shrink),
        1 => (0..4_u32).prop_map(Act::Grow),
        1 => Just(Act::Leave),
        2 => Just(Act::Reap),
    ]
}

/// A process of the test.
#[derive(Default)]
struct Process {
    id: u64,
    slot: Option<SlotNumber>,
    /// How many permits its own calls say that it has.
    permits: u32,
}

/// The ids of dead processes are known to all.
struct Processes {
    world: World,
    living: Vec<Process>,
    dead: Vec<u64>,
    next_id: u64,
}

impl Processes {
    fn act(&mut self, who: usize, act: Act, kill_after: Option<usize>) {
        let (world, dead) = (&self.world, &self.dead);
        let process = &mut self.living[who];
        let done = killed_after(kill_after, || step(world, process, dead, act));
        if done.is_none() {
            self.dead.push(process.id);
            self.next_id += 1;
            self.living[who] = Process { id: self.next_id, ..Process::default() };
        }
    }

    /// More processes inside than permits, or a permit that is lost once the dead are reaped.
    fn check(&self) {
        let inside: u32 = self.living.iter().map(|process| process.permits).sum();
        assert!(inside <= self.world.ledger.total(), "more are inside than there are permits");
        assert!(self.world.ledger.value() >= 0);
    }

    fn check_after_reaping(&mut self) {
        for id in &self.dead {
            self.world.reap(*id);
        }
        let inside: u32 = self.living.iter().map(|process| process.permits).sum();
        assert_eq!(self.world.ledger.value(), i64::from(self.world.ledger.total() - inside));
        for process in &self.living {
            let of_process = self.world.ledger.entries().filter(|entry| entry.id == process.id);
            assert_eq!(of_process.map(|entry| entry.held).sum::<u32>(), process.permits);
        }
    }
}

fn reap_all(world: &World, dead: &[u64]) {
    for id in dead {
        world.reap(*id);
    }
}

fn step(world: &World, process: &mut Process, dead: &[u64], act: Act) {
    let ledger = &world.ledger;
    if process.slot.is_none() {
        process.slot = world.guarded(process.id).claim(process.id, SLOTS);
    }
    let Some(slot) = process.slot else {
        reap_all(world, dead);
        return;
    };
    match act {
        Act::Take | Act::Pass => {
            let pace = if matches!(act, Act::Pass) { Pace::Passing } else { Pace::InTurn };
            let before = ledger.value();
            let taken = world.guarded(process.id).grant(slot, pace).unwrap();
            assert!(!taken || before > 0);
            process.permits += u32::from(taken);
        }
        Act::GiveBack => {
            // The process is not inside any more when it begins to give back.
            let had = process.permits;
            process.permits = had.saturating_sub(1);
            assert_eq!(ledger.give_back(slot), had > 0);
        }
        Act::Join => ledger.join(slot),
        Act::Part => {
            ledger.part(slot);
        }
        Act::Shrink(to) => {
            world.guarded(process.id).shrink(slot, to, Pace::InTurn).unwrap();
        }
        Act::Grow(to) if to > ledger.total() => {
            world.guarded(process.id).grow(ledger.total(), to).unwrap();
        }
        Act::Leave if process.permits == 0 => {
            ledger.leave(slot);
            process.slot = None;
        }
        Act::Reap => reap_all(world, dead),
        Act::Grow(_) | Act::Leave => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_death_after_any_store_loses_no_permit(
        permits in 0..4_u32,
        steps in prop::collection::vec((0..4_usize, acts(), prop::option::weighted(0.2, 1..5_usize)), 1..80),
    ) {
        let living = (1..=4).map(|id| Process { id, ..Process::default() }).collect();
        let mut processes = Processes { world: World::new(permits), living, dead: Vec::new(), next_id: 4 };
        for (who, act, kill_after) in steps {
            processes.act(who, act, kill_after);
            processes.check();
        }
        processes.check_after_reaping();
    }
}
