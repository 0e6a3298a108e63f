//! The ledger in every order of the steps of several processes: `npm run test:loom`.
//!
//! A process is a thread here, its guard a mutex, a hint or a death a note on a board. The checker (loom) tries every order of the
//! accesses and finds every sleep that nothing ends.

use std::sync::Arc;

use super::layout::Content;
use super::{Guarded, Kind, Layout, Ledger, Pace, Place, SlotNumber, Step};
use crate::sync::{AtomicU32, AtomicU64, Condvar, Mutex, MutexGuard, thread};

/// The words of a few slots.
struct Words {
    words: Vec<AtomicU32>,
    longs: Vec<AtomicU64>,
}

const SLOTS: u32 = 2;

impl Place for Words {
    fn word(&self, at: usize) -> &AtomicU32 {
        &self.words[at / 4]
    }

    fn long(&self, at: usize) -> &AtomicU64 {
        &self.longs[at / 8]
    }
}

/// What processes are told: hints, and deaths of those that they watch.
#[derive(Default)]
struct Board {
    hinted: [bool; 4],
    dead: [bool; 4],
}

struct World {
    ledger: Ledger<Words>,
    guard: Mutex<()>,
    board: Mutex<Board>,
    news: Condvar,
}

impl World {
    fn new(permits: u32) -> Arc<Self> {
        let layout = Layout::of_slots(SLOTS);
        // The checker tracks each word, so only those that exist are made.
        let place = Words {
            words: (0..layout.size() / 4).map(|_| AtomicU32::new(0)).collect(),
            longs: (0..layout.size() / 8).map(|_| AtomicU64::new(0)).collect(),
        };
        layout.write(&place, &Content { kind: Kind::Limit, name: "", total: permits, boot: 0, space: 0 });
        Arc::new(Self {
            ledger: Ledger::new(place, layout),
            guard: Mutex::new(()),
            board: Mutex::new(Board::default()),
            news: Condvar::new(),
        })
    }

    fn guarded(&self, own: u64) -> Guarded<'_, Words, MutexGuard<'_, ()>> {
        self.ledger.guarded(self.guard.lock().unwrap(), own)
    }

    /// A newcomer is announced before it may act.
    fn enter(&self, id: u64) -> SlotNumber {
        let slot = self.guarded(id).claim(id, SLOTS).unwrap();
        self.hint_others();
        slot
    }

    fn hint_others(&self) {
        let mut woken = Vec::new();
        self.ledger.to_wake(0, |id| woken.push(id));
        if !woken.is_empty() {
            let mut board = self.board.lock().unwrap();
            for id in woken {
                board.hinted[usize::try_from(id).unwrap()] = true;
            }
            self.news.notify_all();
        }
    }

    /// The process is gone, wherever it was.
    fn die(&self, id: u64) {
        self.board.lock().unwrap().dead[usize::try_from(id).unwrap()] = true;
        self.news.notify_all();
    }

    fn take(&self, slot: SlotNumber) -> bool {
        let taken = self.ledger.may_have(slot) && self.guarded(1).grant(slot, Pace::InTurn).unwrap();
        if taken {
            self.hint_others();
        }
        taken
    }

    fn give_back(&self, slot: SlotNumber) {
        assert!(self.ledger.give_back(slot));
        self.hint_others();
    }

    /// Sleeps until it has what `take` takes.
    fn wait(&self, id: u64, slot: SlotNumber, take: impl Fn() -> bool) {
        let me = usize::try_from(id).unwrap();
        loop {
            self.ledger.join(slot);
            if take() {
                return;
            }
            let mut watched = Vec::new();
            self.ledger.to_watch(slot, |peer| watched.push(peer));
            let mut board = self.board.lock().unwrap();
            let dead = loop {
                let dead = watched.iter().find(|peer| board.dead[usize::try_from(**peer).unwrap()]);
                if std::mem::take(&mut board.hinted[me]) || dead.is_some() {
                    break dead.copied();
                }
                board = self.news.wait(board).unwrap();
            };
            drop(board);
            if let Some(dead) = dead {
                self.guarded(id).empty(|entry| entry.id == dead);
                self.hint_others();
            }
        }
    }
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut checker = loom::model::Builder::new();
    // Two switches of a running thread find what two threads can do to each other; more take hours.
    checker.preemption_bound = checker.preemption_bound.or(Some(2));
    checker.max_branches = 20_000;
    checker.check(model);
}

#[test]
fn a_waiter_gets_what_is_given_back_at_any_moment() {
    check(|| {
        let world = World::new(1);
        let (first, second) = (world.enter(1), world.enter(2));
        assert!(world.take(first));
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.wait(2, second, || world.take(second)))
        };
        world.give_back(first);
        other.join().unwrap();
        assert_eq!((world.ledger.value(), world.ledger.held(second)), (0, 1));
    });
}

#[test]
fn a_waiter_sees_what_a_newcomer_changed_before_it_died_without_a_hint() {
    check(|| {
        let world = World::new(0);
        let waiter = world.enter(1);
        let newcomer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.enter(2);
                assert_eq!(world.guarded(2).grow(0, 1), Ok(true));
                world.die(2);
            })
        };
        world.wait(1, waiter, || world.take(waiter));
        newcomer.join().unwrap();
        assert_eq!((world.ledger.value(), world.ledger.held(waiter)), (0, 1));
    });
}

#[test]
fn a_waiter_gets_what_a_process_gave_back_before_it_died_without_a_hint() {
    check(|| {
        let world = World::new(1);
        let (first, second) = (world.enter(1), world.enter(2));
        assert!(world.take(first));
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.wait(2, second, || world.take(second)))
        };
        // Killed between the change and the hint.
        assert!(world.ledger.give_back(first));
        world.die(1);
        other.join().unwrap();
        assert_eq!(world.ledger.held(second), 1);
    });
}

#[test]
fn a_shrinking_and_a_waiter_share_what_is_given_back() {
    check(|| {
        let world = World::new(2);
        let (first, second) = (world.enter(1), world.enter(2));
        assert!(world.take(first) && world.take(first));
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.wait(2, second, || {
                    world.guarded(2).shrink(second, 1, Pace::InTurn).unwrap() != Step::None
                });
            })
        };
        world.give_back(first);
        other.join().unwrap();
        assert_eq!((world.ledger.total(), world.ledger.value(), world.ledger.held(first)), (1, 0, 1));
    });
}
