//! The hub over counters in this process, and real processes as their peers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::error::{Error, OsCode};
use crate::sys::interrupt::Interrupt;
use crate::sys::wake;
use crate::waiting::block_in_queue;
use crate::waiting::executors::Executors;
use crate::waiting::mailbox::{Delivery, Mailbox};
use crate::waiting::queue::{Wait, Waiter, Work};
use crate::waiting::source::{Counter, Request, Token};
use crate::waiting::state::WaiterId;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for inboxes that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("os-ipc-hub-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A source that is a number in this process. It holds one unit for each peer, until that dies.
struct Fake {
    key: u64,
    inboxes: PathBuf,
    units: Mutex<usize>,
    peers: Mutex<BTreeSet<ProcessId>>,
    looks: AtomicUsize,
    parted: AtomicUsize,
    again: Mutex<Option<Duration>>,
    panics: AtomicUsize,
    /// The guard is held, so a death cannot be noted.
    held: AtomicBool,
    removed: AtomicBool,
}

impl Fake {
    fn new(folder: &Path) -> Arc<Self> {
        static KEY: AtomicUsize = AtomicUsize::new(1);
        Arc::new(Self {
            key: KEY.fetch_add(1, Ordering::Relaxed) as u64,
            inboxes: folder.to_owned(),
            units: Mutex::new(0),
            peers: Mutex::default(),
            looks: AtomicUsize::new(0),
            parted: AtomicUsize::new(0),
            again: Mutex::new(None),
            panics: AtomicUsize::new(0),
            held: AtomicBool::new(false),
            removed: AtomicBool::new(false),
        })
    }

    fn units(&self) -> usize {
        *self.units.lock().unwrap()
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    /// Adds units as another process does.
    fn post(&self, units: usize) {
        *self.units.lock().unwrap() += units;
        wake::hint(&self.inboxes, ProcessId::own(), self.key);
    }
}

impl Watched for Arc<Fake> {
    fn key(&self) -> u64 {
        self.key
    }

    fn inboxes(&self) -> &Path {
        &self.inboxes
    }

    fn take_in_turn(&self, request: Request) -> Result<Option<Token>> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let less = |panics: usize| panics.checked_sub(1);
        assert!(
            self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err(),
            "this panic is part of the test"
        );
        self.try_take(request)
    }

    fn peers(&self, out: &mut Vec<ProcessId>) {
        out.extend(self.peers.lock().unwrap().iter());
    }

    fn died(&self, id: ProcessId) {
        if !self.held.load(Ordering::SeqCst) && self.peers.lock().unwrap().remove(&id) {
            *self.units.lock().unwrap() += 1;
        }
    }

    fn parted(&self) {
        self.parted.fetch_add(1, Ordering::SeqCst);
    }

    fn look_again(&self) -> Option<Duration> {
        *self.again.lock().unwrap()
    }
}

impl Counter for Arc<Fake> {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        if self.removed.load(Ordering::SeqCst) {
            return Err(self.failure("take a unit from", OsCode::EIDRM));
        }
        let mut units = self.units.lock().unwrap();
        let Some(left) = units.checked_sub(1) else { return Ok(None) };
        *units = left;
        Ok(Some(Token::default()))
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        unreachable!("no thread waits inside a watched source")
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        self.post(1);
        Ok(())
    }

    fn watched(&self) -> Option<&dyn Watched> {
        Some(self)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(act, "take", "a fake", errno)
    }
}

/// A mailbox, and its bell.
struct Party {
    mailbox: Arc<Mailbox>,
    arrival: Receiver<()>,
}

impl Party {
    fn new() -> Self {
        let (arrived, arrival) = channel();
        Self { mailbox: Arc::new(Mailbox::new(move || arrived.send(()).unwrap_or_default())), arrival }
    }

    fn wait(&self, queue: &Queue) -> WaiterId {
        let waiter = Waiter {
            request: Request::Permit,
            holder: Arc::default(),
            mailbox: Arc::clone(&self.mailbox),
            executors: Executors::POOL,
        };
        match queue.wait(waiter).unwrap() {
            Wait::Pending(id, Work::Nothing) => id,
            Wait::Pending(..) => panic!("the hub leaves no work to its caller"),
            Wait::Done => panic!("the counter has no unit at once"),
        }
    }

    /// Collects outcomes until there are so many.
    fn collect(&self, count: usize) -> Vec<(WaiterId, Delivery)> {
        let mut all = Vec::new();
        while all.len() < count {
            self.arrival.recv_timeout(PATIENCE).expect("nothing arrived");
            all.extend(self.mailbox.collect().delivered);
        }
        all
    }
}

fn hand_over(delivered: Vec<(WaiterId, Delivery)>) -> Vec<WaiterId> {
    delivered
        .into_iter()
        .map(|(id, delivery)| match delivery {
            Delivery::Granted(grant) => {
                grant.hand_over();
                id
            }
            Delivery::Failed(error) => panic!("{error}"),
        })
        .collect()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Another process; killed and reaped when this is dropped.
struct Peer(Child);

impl Peer {
    fn start() -> Self {
        Self(Command::new("sleep").arg("100").spawn().unwrap())
    }

    fn id(&self) -> ProcessId {
        ProcessId::of(self.0.id().cast_signed()).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_hint_brings_the_unit_to_the_first_waiter() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let (one, two) = (party.wait(&queue), party.wait(&queue));
    fake.post(1);
    assert_eq!(hand_over(party.collect(1)), [one]);
    assert_eq!((queue.pending(), fake.parted.load(Ordering::SeqCst)), (1, 0));
    fake.post(1);
    assert_eq!(hand_over(party.collect(1)), [two]);
    until("it has parted", || fake.parted.load(Ordering::SeqCst) == 1);
    assert_eq!(fake.units(), 0);
}

#[test]
fn the_last_cancel_parts_and_a_later_unit_stays() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let (one, two) = (party.wait(&queue), party.wait(&queue));
    queue.cancel(one, &party.mailbox);
    assert_eq!(fake.parted.load(Ordering::SeqCst), 0);
    queue.cancel(two, &party.mailbox);
    assert_eq!(fake.parted.load(Ordering::SeqCst), 1);
    fake.post(1);
    assert!(party.mailbox.collect().delivered.is_empty());
    assert_eq!(fake.units(), 1);
}

#[test]
fn the_death_of_a_peer_is_told_and_brings_its_unit() {
    let folder = Folder::new();
    let (fake, peer) = (Fake::new(&folder.0), Peer::start());
    fake.peers.lock().unwrap().insert(peer.id());
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    until("the watch is there", || hub().table.sight(peer.id()) == Some(table::Sight::Watched));
    drop(peer);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_peer_that_died_before_the_wait_is_told() {
    let folder = Folder::new();
    let (fake, peer) = (Fake::new(&folder.0), Peer::start());
    fake.peers.lock().unwrap().insert(peer.id());
    drop(peer);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_death_that_the_source_cannot_note_is_told_again() {
    let folder = Folder::new();
    let (fake, peer) = (Fake::new(&folder.0), Peer::start());
    fake.peers.lock().unwrap().insert(peer.id());
    fake.held.store(true, Ordering::SeqCst);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    drop(peer);
    let looks = fake.looks();
    until("it looks again", || fake.looks() > looks + 3);
    fake.held.store(false, Ordering::SeqCst);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_peer_that_is_announced_by_a_hint_is_watched() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    let peer = Peer::start();
    fake.peers.lock().unwrap().insert(peer.id());
    wake::hint(&folder.0, ProcessId::own(), fake.key);
    until("the watch is there", || hub().table.sight(peer.id()) == Some(table::Sight::Watched));
    drop(peer);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_source_is_looked_at_again_when_it_asks_for_that() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    *fake.again.lock().unwrap() = Some(Duration::from_millis(2));
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    // No hint comes.
    *fake.units.lock().unwrap() += 1;
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn without_an_inbox_the_hub_looks_from_time_to_time() {
    let fake = Fake::new(Path::new("/nonexistent"));
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    let looks = fake.looks();
    until("it looks again", || fake.looks() > looks);
    *fake.units.lock().unwrap() += 1;
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn an_inbox_that_becomes_possible_is_made() {
    let folder = Folder::new();
    let later = folder.0.join("later");
    let fake = Fake::new(&later);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    std::fs::create_dir(&later).unwrap();
    let inbox = crate::sys::wake::path(&later, ProcessId::own());
    until("the inbox is there", || crate::sys::wake::is_inbox(&inbox));
    fake.post(1);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_removed_source_fails_every_waiter_once() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let ids = [party.wait(&queue), party.wait(&queue)];
    fake.removed.store(true, Ordering::SeqCst);
    fake.post(0);
    let failed = party.collect(2);
    assert!(failed.iter().all(|(_, delivery)| matches!(delivery, Delivery::Failed(_))));
    assert_eq!(failed.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
}

#[test]
fn the_thread_ends_a_moment_after_the_last_queue_left() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let party = Party::new();
    let id = party.wait(&queue);
    // Other tests may use the same thread: it ends once none of them does.
    queue.cancel(id, &party.mailbox);
    until("no thread serves", || !hub().running);
    let id = party.wait(&queue);
    fake.post(1);
    assert_eq!(hand_over(party.collect(1)), [id]);
}

#[test]
fn a_blocking_wait_serves_the_other_queues_and_leaves_them_to_a_thread() {
    let folder = Folder::new();
    let (fake, other) = (Fake::new(&folder.0), Fake::new(&folder.0));
    let (queue, other_queue) = (Queue::of_units(Arc::clone(&fake)), Queue::of_units(Arc::clone(&other)));
    until("no thread serves", || !hub().running);
    let (party, holder) = (Party::new(), Arc::default());
    let (one, two) = std::thread::scope(|scope| {
        let blocked = scope.spawn(|| block_in_queue(&queue, Request::Permit, &holder, None).unwrap());
        until("it waits", || queue.pending() == 1);
        let one = party.wait(&other_queue);
        other.post(1);
        assert_eq!(hand_over(party.collect(1)), [one]);
        let two = party.wait(&other_queue);
        fake.post(1);
        assert!(blocked.join().unwrap());
        (one, two)
    });
    assert!(one < two);
    other.post(1);
    assert_eq!(hand_over(party.collect(1)), [two]);
    assert_eq!((holder.permits(), fake.units(), other.units()), (1, 0, 0));
}

#[test]
fn a_panic_of_one_source_does_not_stop_the_others() {
    let folder = Folder::new();
    let (bad, good) = (Fake::new(&folder.0), Fake::new(&folder.0));
    let (bad_queue, good_queue) = (Queue::of_units(Arc::clone(&bad)), Queue::of_units(Arc::clone(&good)));
    let party = Party::new();
    let (one, two) = (party.wait(&bad_queue), party.wait(&good_queue));
    until("both have looked", || hub().table.is_settled());
    bad.panics.store(1, Ordering::SeqCst);
    bad.post(1);
    good.post(1);
    let mut granted = hand_over(party.collect(2));
    granted.sort_unstable();
    assert_eq!(granted, [one, two]);
}

#[test]
fn a_blocking_wait_takes_a_permit_and_leaves_no_waiter_after_its_deadline() {
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let holder = Arc::default();
    let soon = Instant::now() + Duration::from_millis(5);
    assert!(!block_in_queue(&queue, Request::Permit, &holder, Some(soon)).unwrap());
    assert_eq!((queue.pending(), holder.permits()), (0, 0));
    let giver = std::thread::spawn({
        let fake = Arc::clone(&fake);
        move || fake.post(1)
    });
    assert!(block_in_queue(&queue, Request::Permit, &holder, None).unwrap());
    giver.join().unwrap();
    assert_eq!((holder.permits(), fake.units()), (1, 0));
}

#[test]
fn five_thousand_queues_need_one_thread_and_only_the_hinted_one_is_looked_at() {
    const QUEUES: usize = 5_000;
    let folder = Folder::new();
    let fakes: Vec<_> = (0..QUEUES).map(|_| Fake::new(&folder.0)).collect();
    let queues: Vec<_> = fakes.iter().map(|fake| Queue::of_units(Arc::clone(fake))).collect();
    let party = Party::new();
    let mut ids: Vec<_> = queues.iter().map(|queue| party.wait(queue)).collect();
    until("all have looked", || hub().table.is_settled());
    let looks: Vec<_> = fakes.iter().map(|fake| fake.looks()).collect();
    fakes[17].post(1);
    assert_eq!(hand_over(party.collect(1)), [ids.remove(17)]);
    let others = |place: &usize| *place != 17;
    assert!((0..QUEUES).filter(others).all(|place| fakes[place].looks() == looks[place]));
    for place in (0..QUEUES).filter(others) {
        fakes[place].post(1);
    }
    let mut granted = hand_over(party.collect(QUEUES - 1));
    granted.sort_unstable();
    assert_eq!(granted, ids);
    assert!(fakes.iter().all(|fake| fake.units() == 0));
}

#[test]
fn no_unit_is_lost_or_taken_twice_between_cancels_and_hints() {
    const ROUNDS: usize = 400;
    let folder = Folder::new();
    let fake = Fake::new(&folder.0);
    let queue = Queue::of_units(Arc::clone(&fake));
    let holders: Vec<Arc<crate::waiting::Holder>> = (0..4).map(|_| Arc::default()).collect();
    let (posts, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for (number, holder) in holders.iter().enumerate() {
            let (queue, ended) = (&queue, &ended);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let patience = Duration::from_micros(((round * 37 + number * 91) % 300) as u64);
                    let _ = block_in_queue(queue, Request::Permit, holder, Some(Instant::now() + patience));
                }
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        while ended.load(Ordering::SeqCst) < holders.len() {
            fake.post(1);
            posts.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_micros(100));
        }
    });
    let held: usize = holders.iter().map(|holder| holder.permits()).sum();
    assert!(held > 0);
    assert_eq!(held + fake.units(), posts.load(Ordering::SeqCst));
}
