//! Locks through the public interface, on every engine of this platform.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use os_ipc::{Delivery, Lock, LockEngine, LockMode, LockName, Mailbox, Wait};

const PATIENCE: Duration = Duration::from_secs(20);

/// An engine, and a unique lock.
struct Place {
    engine: LockEngine,
    name: LockName,
    folder: PathBuf,
}

impl Drop for Place {
    fn drop(&mut self) {
        LockEngine::close_unused();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn on_every_engine(test: impl Fn(&Place)) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("os-ipc-test-public-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(&name);
    let in_folder = LockEngine::in_folder(folder.to_str().unwrap()).unwrap();
    for engine in [LockEngine::of_platform().unwrap(), in_folder] {
        test(&Place { engine, name: LockName::new(&name).unwrap(), folder: folder.clone() });
    }
}

/// A party that asks for locks and receives the outcomes.
struct Party {
    mailbox: Arc<Mailbox>,
    arrival: Receiver<()>,
}

impl Party {
    fn new() -> Self {
        let (arrived, arrival) = channel();
        let wake = move || {
            let _ = arrived.send(());
        };
        Self { mailbox: Arc::new(Mailbox::new(wake)), arrival }
    }

    /// Asks for the lock; true if it is granted at once.
    fn ask(&self, place: &Place, mode: LockMode) -> (Lock, bool) {
        let lock = Lock::new(&place.engine, &place.name, mode, 7);
        let held = matches!(lock.start(&self.mailbox).unwrap(), Wait::Done);
        (lock, held)
    }

    /// Waits for an outcome.
    fn collect(&self) {
        self.arrival.recv_timeout(PATIENCE).unwrap();
        for delivery in self.mailbox.collect().delivered.into_values() {
            match delivery {
                Delivery::Granted(unit) => unit.hand_over(),
                Delivery::Failed(error) => panic!("{error}"),
            }
        }
    }

    fn take(&self, place: &Place, mode: LockMode) -> Lock {
        let (lock, held) = self.ask(place, mode);
        if !held {
            self.collect();
        }
        assert!(lock.is_held());
        lock
    }
}

#[test]
fn a_lock_is_granted_when_the_one_before_it_goes_back() {
    on_every_engine(|place| {
        let party = Party::new();
        let first = party.take(place, LockMode::Exclusive);
        let (second, held) = party.ask(place, LockMode::Exclusive);
        assert!(!held && !second.is_held());
        first.release().unwrap();
        assert!(!first.is_held());
        party.collect();
        assert!(second.is_held());
        // A second release does nothing.
        first.release().unwrap();
        assert!(!Lock::new(&place.engine, &place.name, LockMode::Shared, 0).try_take().unwrap());
    });
}

#[test]
fn a_cancelled_wait_makes_way_for_the_waiters_behind_it() {
    on_every_engine(|place| {
        let (party, other) = (Party::new(), Party::new());
        let _reader = party.take(place, LockMode::Shared);
        let (writer, held) = other.ask(place, LockMode::Exclusive);
        assert!(!held);
        let (late, held) = party.ask(place, LockMode::Shared);
        assert!(!held, "it waits behind the writer");
        writer.cancel(&other.mailbox);
        party.collect();
        assert!(late.is_held() && !writer.is_held());
    });
}

#[test]
fn a_closed_party_gives_back_its_locks_and_its_grants() {
    on_every_engine(|place| {
        let (gone, party) = (Party::new(), Party::new());
        let held = gone.take(place, LockMode::Exclusive);
        let (won, _) = gone.ask(place, LockMode::Exclusive);
        held.release().unwrap();
        // The lock is granted, and the party has not collected it.
        gone.arrival.recv_timeout(PATIENCE).unwrap();
        let (next, at_once) = party.ask(place, LockMode::Exclusive);
        assert!(!at_once);
        gone.mailbox.close();
        won.cancel(&gone.mailbox);
        drop((held, won));
        party.collect();
        assert!(next.is_held());
    });
}

#[test]
fn requests_are_listed_in_their_order() {
    on_every_engine(|place| {
        let party = Party::new();
        let _first = party.take(place, LockMode::Shared);
        let _second = party.take(place, LockMode::Shared);
        let (third, _) = party.ask(place, LockMode::Exclusive);
        let requests = place.engine.requests().unwrap();
        let ours: Vec<_> = requests.iter().filter(|request| request.name == place.name.as_str()).collect();
        let expected = [(LockMode::Shared, true), (LockMode::Shared, true), (LockMode::Exclusive, false)];
        assert_eq!(ours.iter().map(|request| (request.mode, request.held)).collect::<Vec<_>>(), expected);
        let pid = std::process::id().cast_signed();
        assert!(ours.iter().all(|request| request.client == Some(7) && request.pid == Some(pid)));
        third.cancel(&party.mailbox);
    });
}

#[test]
fn many_threads_exclude_each_other() {
    const THREADS: usize = 6;
    /// Few on Windows, where a thread that waits for a locked file tries again only every 10 ms.
    const TURNS: usize = if cfg!(windows) { 10 } else { 150 };
    /// The weight of an exclusive holder: more than all possible shared holders together.
    const ALONE: usize = 1000;
    on_every_engine(|place| {
        let inside = AtomicUsize::new(0);
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let (inside, start) = (&inside, &start);
                scope.spawn(move || {
                    let party = Party::new();
                    start.wait();
                    for turn in 0..TURNS {
                        let alone = (number + turn) % 3 == 0;
                        let mode = if alone { LockMode::Exclusive } else { LockMode::Shared };
                        let lock = party.take(place, mode);
                        let weight = if alone { ALONE } else { 1 };
                        let before = inside.fetch_add(weight, Ordering::SeqCst);
                        assert!(before == 0 || !alone && before < ALONE, "{before} inside");
                        inside.fetch_sub(weight, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(inside.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_name_is_at_most_250_bytes() {
    assert!(LockName::new(&"é".repeat(125)).is_ok());
    assert!(LockName::new("").is_ok());
    let error = LockName::new(&"a".repeat(251)).unwrap_err();
    assert_eq!(error.code().name(), "ERR_INVALID_ARG_VALUE");
}

/// Hands over the grants in the mailbox now; returns their number.
fn collect_now(party: &Party) -> usize {
    let delivered = party.mailbox.collect().delivered;
    let count = delivered.len();
    for delivery in delivered.into_values() {
        match delivery {
            Delivery::Granted(grant) => grant.hand_over(),
            Delivery::Failed(error) => panic!("{error}"),
        }
    }
    count
}

/// Releases the lock, and hands over the grants that this brought; returns their number.
///
/// On Windows a driver polls, and has the gate meanwhile: the grant may come with its next look. Elsewhere it comes later if the
/// driver has no processor: a release waits for it for 1 s.
fn collect_after_release(lock: &Lock, party: &Party, count: usize) -> usize {
    let began = Instant::now();
    lock.release().unwrap();
    let may_be_late = cfg!(windows) || began.elapsed() > Duration::from_millis(900);
    let until = Instant::now() + Duration::from_secs(30);
    let mut collected = collect_now(party);
    while may_be_late && collected < count && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
        collected += collect_now(party);
    }
    collected
}

#[test]
fn a_release_grants_every_compatible_waiter_of_this_process() {
    on_every_engine(|place| {
        for round in 0..20 {
            let party = Party::new();
            // Not at once in each round: the driver of the round before may be on its way out of the kernel.
            let holder = party.take(place, LockMode::Exclusive);
            let readers: Vec<_> = (0..3).map(|_| party.ask(place, LockMode::Shared).0).collect();
            let (writer, _) = party.ask(place, LockMode::Exclusive);
            if round % 2 == 0 {
                // By now the driver is in the kernel.
                thread::sleep(Duration::from_millis(2));
            }
            let granted = collect_after_release(&holder, &party, 3);
            assert_eq!(granted, 3, "{:?}, round {round}", place.engine);
            assert!(readers.iter().all(Lock::is_held));
            let [first, second, last] = &readers[..] else { unreachable!() };
            first.release().unwrap();
            second.release().unwrap();
            let granted = collect_after_release(last, &party, 1);
            assert_eq!(granted, 1, "{:?}, round {round}: the writer", place.engine);
            assert!(writer.is_held());
        }
    });
}

#[test]
fn an_exclusive_lock_goes_straight_to_the_next_writer() {
    on_every_engine(|place| {
        let party = Party::new();
        let (first, _) = party.ask(place, LockMode::Exclusive);
        let writers: Vec<_> = (0..3).map(|_| party.ask(place, LockMode::Exclusive).0).collect();
        let mut holder = &first;
        for writer in &writers {
            assert_eq!(collect_after_release(holder, &party, 1), 1, "{:?}", place.engine);
            assert!(writer.is_held());
            assert!(!Lock::new(&place.engine, &place.name, LockMode::Shared, 7).try_take().unwrap());
            holder = writer;
        }
        holder.release().unwrap();
        assert!(Lock::new(&place.engine, &place.name, LockMode::Exclusive, 7).try_take().unwrap());
    });
}
