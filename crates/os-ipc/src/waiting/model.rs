//! The hand-over of units, in every order of the threads of a program: `npm run test:loom`.
//!
//! The code under test is the code that ships. Only its locks (`crate::sync`), its threads (`sys/thread/model.rs`) and
//! the kernel (`sys/interrupt/signal_model.rs`) are replaced: the checker (loom) decides which thread goes next, tries
//! every decision, and finds every deadlock. Each test ends with an account: a unit that was given is with a waiter or
//! back in the kernel.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::OsCode;

use super::blocking::block_in_queue;
use super::executors::{Executors, leave_pool, set_pool_size};
use super::grant::Holder;
use super::mailbox::{Arrived, Delivery, Mailbox};
use super::poll::Poll;
use super::queue::{Queue, Wait, Waiter, Work};
use super::source::{Counter, Locking, Request, Token};
use super::state::WaiterId;
use super::watched::Watched;
use crate::error::{Error, Result};
use crate::sync::{Condvar, Mutex, pause, thread};
use crate::sys::death::{self, ProcessId};
use crate::sys::interrupt::{Interrupt, signal as kernel};
use crate::sys::thread as threads;
use crate::sys::wake;

/// The kernel's counter.
struct KernelCounter;

impl Counter for KernelCounter {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        match kernel::try_take() {
            Ok(taken) => Ok(taken.then(Token::default)),
            Err(errno) => Err(self.failure("take a unit from", errno)),
        }
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        match kernel::take() {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        kernel::give()
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(act, "semop", "", errno)
    }
}

/// A lock: an exclusive request takes both units of the kernel, a shared one takes one.
#[derive(Clone)]
struct KernelLock {
    /// Whether its kernel object exists: a driver opens it.
    opened: Arc<Mutex<bool>>,
}

impl KernelLock {
    const ALL: u32 = 2;

    fn new() -> Self {
        Self { opened: Arc::new(Mutex::new(false)) }
    }

    fn units(request: Request) -> u32 {
        if request == Request::Shared { 1 } else { Self::ALL }
    }
}

impl Counter for KernelLock {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        match kernel::try_take_several(Self::units(request)) {
            Ok(taken) => Ok(taken.then(Token::default)),
            Err(errno) => Err(self.failure("take", errno)),
        }
    }

    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        *self.opened.lock().unwrap() = true;
        match kernel::take_several(Self::units(request)) {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn give_back(&self, request: Request, _: Token) -> std::result::Result<(), OsCode> {
        kernel::give_several(Self::units(request))
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(act, "semop", "", errno)
    }
}

impl Locking for KernelLock {
    fn join(&self) {}

    fn part(&self) {}

    fn close_unused(&self, driven: bool) -> bool {
        if !driven {
            *self.opened.lock().unwrap() = false;
        }
        !driven
    }

    fn listed(&self, _: Request, _: bool, _: Option<u64>) {}

    fn end_process(&self) {}

    fn rest(&self) {}
}

/// A source in memory that other processes share: every process that the hub watches holds a unit of it.
struct SharedCounter {
    units: Mutex<u32>,
    /// A process that dies, as long as it holds its unit.
    peer: Mutex<Option<ProcessId>>,
}

/// The number of the process that dies.
const PEER: ProcessId = ProcessId(7 << 32 | 1);

impl SharedCounter {
    const KEY: u64 = 5;

    fn new(peer: Option<ProcessId>) -> Arc<Self> {
        Arc::new(Self { units: Mutex::new(0), peer: Mutex::new(peer) })
    }

    fn units(&self) -> u32 {
        *self.units.lock().unwrap()
    }

    /// Another process gives a unit, and then sends its hint.
    fn give(&self) {
        *self.units.lock().unwrap() += 1;
        wake::hint(Path::new("/"), ProcessId::own(), Self::KEY);
    }
}

impl Watched for Arc<SharedCounter> {
    fn key(&self) -> u64 {
        SharedCounter::KEY
    }

    fn inboxes(&self) -> &Path {
        Path::new("/")
    }

    fn take_in_turn(&self, request: Request) -> Result<Option<Token>> {
        self.try_take(request)
    }

    fn peers(&self, out: &mut Vec<ProcessId>) {
        out.extend(*self.peer.lock().unwrap());
    }

    fn died(&self, id: ProcessId) {
        let mut peer = self.peer.lock().unwrap();
        if *peer == Some(id) {
            *peer = None;
            *self.units.lock().unwrap() += 1;
        }
    }

    fn parted(&self) {}
}

impl Counter for Arc<SharedCounter> {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        let mut units = self.units.lock().unwrap();
        let Some(left) = units.checked_sub(1) else { return Ok(None) };
        *units = left;
        Ok(Some(Token::default()))
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        unreachable!("no thread waits inside a watched source")
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        self.give();
        Ok(())
    }

    fn watched(&self) -> Option<&dyn Watched> {
        Some(self)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(act, "take", "", errno)
    }
}

/// One JavaScript environment with one handle.
#[derive(Clone)]
struct Party {
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    mailbox: Arc<Mailbox>,
    /// Whether the party was told that its mailbox is not empty.
    told: Arc<(Mutex<bool>, Condvar)>,
    executors: Executors,
}

/// The outcomes that a party found in its mailbox.
#[derive(Debug, Default, PartialEq, Eq)]
struct Post {
    granted: u32,
    failed: u32,
}

impl Party {
    fn new(queue: &Arc<Queue>, executors: Executors) -> Self {
        let told = Arc::new((Mutex::new(false), Condvar::new()));
        let tell = {
            let told = Arc::clone(&told);
            move || {
                *told.0.lock().unwrap() = true;
                told.1.notify_one();
            }
        };
        Self {
            queue: Arc::clone(queue),
            holder: Arc::default(),
            mailbox: Arc::new(Mailbox::new(tell)),
            told,
            executors,
        }
    }

    /// The same party, waiting for another queue.
    fn at(&self, queue: &Arc<Queue>, executors: Executors) -> Self {
        Self { queue: Arc::clone(queue), executors, ..self.clone() }
    }

    /// Waits for a permit; `None` if one was there at once. The work for a pool thread runs on a new thread.
    fn wait(&self) -> Option<WaiterId> {
        self.wait_for(Request::Permit)
    }

    fn wait_for(&self, request: Request) -> Option<WaiterId> {
        let waiter = Waiter {
            request,
            holder: Arc::clone(&self.holder),
            mailbox: Arc::clone(&self.mailbox),
            executors: self.executors,
        };
        match self.queue.wait(waiter).unwrap() {
            Wait::Done => None,
            Wait::Pending(id, work) => {
                match work {
                    Work::Nothing => {}
                    Work::Pool(work) => threads::run(move || work.run()).unwrap(),
                    Work::Poll(poll) => run(poll),
                }
                Some(id)
            }
        }
    }

    /// Waits for a permit, and does not run the poll yet.
    fn without_a_poll(&self) -> Poll {
        let waiter = Waiter {
            request: Request::Permit,
            holder: Arc::clone(&self.holder),
            mailbox: Arc::clone(&self.mailbox),
            executors: self.executors,
        };
        let Wait::Pending(_, Work::Poll(poll)) = self.queue.wait(waiter).unwrap() else {
            panic!("expected a poll")
        };
        poll
    }

    fn cancel(&self, id: WaiterId) {
        self.queue.withdraw(id, &self.mailbox);
    }

    /// Empties the mailbox, as JavaScript does.
    fn collect(&self) -> Post {
        let Arrived { delivered, planned } = self.mailbox.collect();
        planned.into_iter().for_each(run);
        let mut post = Post::default();
        for delivery in delivered.into_values() {
            match delivery {
                Delivery::Granted(unit) => {
                    unit.hand_over();
                    post.granted += 1;
                }
                Delivery::Failed(_) => post.failed += 1,
            }
        }
        post
    }

    /// Empties the mailbox each time that the party is told, until there are outcomes.
    fn collect_some(&self) -> Post {
        loop {
            let mut told = self.told.0.lock().unwrap();
            while !std::mem::take(&mut *told) {
                told = self.told.1.wait(told).unwrap();
            }
            drop(told);
            let post = self.collect();
            if post != Post::default() {
                return post;
            }
        }
    }
}

/// Polls as an event loop does, on a new thread, and then leaves the waiters to another driver.
fn run(poll: Poll) {
    let polls = move || {
        for _ in 0..2 {
            if !poll.try_all() {
                return;
            }
            pause(Duration::ZERO);
        }
    };
    threads::run(polls).unwrap();
}

/// The thread of an event loop, and no thread of libuv's pool.
const EVENT_LOOP: Executors = Executors { pool: false, event_loop: true };

/// Runs `program` in every order; `preemptions` bounds how often a thread is stopped where it could go on.
fn in_every_order(preemptions: usize, program: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(preemptions));
    model.max_branches = 100_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        program();
    });
    println!("{} orders", orders.load(Ordering::Relaxed));
}

fn queue() -> Arc<Queue> {
    Queue::of_units(KernelCounter)
}

fn permits(parties: &[&Party]) -> u32 {
    parties.iter().map(|party| u32::try_from(party.holder.permits()).unwrap()).sum()
}

/// Waits until every thread has ended: then no driver serves the queue, and every unit has its place.
fn rest(queue: &Queue) {
    threads::join_all();
    assert!(queue.is_at_rest());
}

#[test]
fn a_post_reaches_a_wait_that_starts_meanwhile() {
    a_post_reaches_the_wait(Executors::THREAD, 3);
}

#[test]
fn a_post_that_meets_a_poll_reaches_the_wait() {
    a_post_reaches_the_wait(EVENT_LOOP, 2);
}

fn a_post_reaches_the_wait(executors: Executors, preemptions: usize) {
    in_every_order(preemptions, move || {
        let queue = queue();
        let party = Party::new(&queue, executors);
        let poster = thread::spawn(|| kernel::give().unwrap());
        if party.wait().is_some() {
            assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        }
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_post_that_meets_a_cancel_is_with_the_waiter_or_in_the_kernel() {
    a_cancel_loses_no_unit(Executors::THREAD, 3);
}

#[test]
fn a_post_that_meets_a_cancel_and_a_poll_is_with_the_waiter_or_in_the_kernel() {
    a_cancel_loses_no_unit(EVENT_LOOP, 2);
}

fn a_cancel_loses_no_unit(executors: Executors, preemptions: usize) {
    in_every_order(preemptions, move || {
        let queue = queue();
        let party = Party::new(&queue, executors);
        let poster = thread::spawn(|| kernel::give().unwrap());
        if let Some(id) = party.wait() {
            party.cancel(id);
            assert_eq!(party.collect(), Post::default(), "nothing arrives after a cancel");
        }
        poster.join().unwrap();
        rest(&queue);
        assert_eq!(permits(&[&party]) + kernel::units(), 1);
    });
}

#[test]
fn a_unit_of_a_cancelled_waiter_goes_to_the_next() {
    in_every_order(2, || {
        let queue = queue();
        let (first, second) = (Party::new(&queue, Executors::THREAD), Party::new(&queue, Executors::THREAD));
        let (one, two) = (first.wait(), second.wait());
        assert!(one.is_some() && two.is_some());
        let poster = thread::spawn(|| kernel::give().unwrap());
        first.cancel(one.unwrap());
        assert_eq!(second.collect_some(), Post { granted: 1, failed: 0 });
        assert_eq!(first.collect(), Post::default());
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&first, &second]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_mailbox_that_closes_during_a_delivery_keeps_nothing() {
    in_every_order(2, || {
        let queue = queue();
        let (worker, other) = (Party::new(&queue, Executors::THREAD), Party::new(&queue, Executors::THREAD));
        assert!(worker.wait().is_some() && other.wait().is_some());
        let poster = thread::spawn(|| kernel::give().unwrap());
        // A cleanup hook of a worker does this.
        worker.mailbox.close();
        worker.queue.withdraw_all(&worker.holder, &worker.mailbox);
        assert_eq!(other.collect_some(), Post { granted: 1, failed: 0 });
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&worker, &other]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_removal_fails_every_wait_once() {
    a_removal_fails_the_wait(Executors::THREAD);
}

#[test]
fn a_removal_fails_a_polled_wait() {
    a_removal_fails_the_wait(EVENT_LOOP);
}

fn a_removal_fails_the_wait(executors: Executors) {
    in_every_order(2, move || {
        let queue = queue();
        let party = Party::new(&queue, executors);
        assert!(party.wait().is_some());
        let remover = thread::spawn(kernel::remove);
        assert_eq!(party.collect_some(), Post { granted: 0, failed: 1 });
        remover.join().unwrap();
        rest(&queue);
    });
}

#[test]
fn a_driver_that_misses_its_signal_is_signalled_again() {
    // The signal of the cancel has no effect before the driver is in the kernel: only the repeated signal interrupts
    // the driver, and without it this test would be a deadlock.
    in_every_order(3, || {
        let queue = queue();
        let party = Party::new(&queue, Executors::THREAD);
        let id = party.wait().unwrap();
        party.cancel(id);
        rest(&queue);
        assert_eq!(kernel::units(), 0);
    });
}

#[test]
fn a_wait_after_a_cancel_finds_the_old_driver_or_a_new_one() {
    in_every_order(1, || {
        let queue = queue();
        let party = Party::new(&queue, Executors::THREAD);
        let id = party.wait().unwrap();
        party.cancel(id);
        assert!(party.wait().is_some());
        kernel::give().unwrap();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_unit_given_after_a_cancel_is_there_for_a_try() {
    in_every_order(3, || {
        let queue = queue();
        let party = Party::new(&queue, Executors::THREAD);
        let id = party.wait().unwrap();
        party.cancel(id);
        kernel::give().unwrap();
        // The interrupted driver may take the unit first, and gives it back.
        assert!(queue.try_take(Request::Permit, &party.holder).unwrap());
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn leaving_the_pool_moves_the_wait_and_loses_no_post() {
    in_every_order(1, || {
        set_pool_size(4);
        let queue = queue();
        let party = Party::new(&queue, Executors::POOL);
        assert!(party.wait().is_some());
        // The handler of `process.on('exit')` does this; the wait goes on with a thread of our own.
        leave_pool();
        kernel::give().unwrap();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_wait_that_loses_its_ref_leaves_the_pool() {
    in_every_order(1, || {
        set_pool_size(4);
        let queue = queue();
        let party = Party::new(&queue, Executors::POOL);
        assert!(party.wait().is_some());
        queue.allow_pool(&party.holder, false);
        kernel::give().unwrap();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn dropped_pool_work_is_done_by_a_thread() {
    in_every_order(2, || {
        set_pool_size(4);
        let queue = queue();
        let party = Party::new(&queue, Executors::POOL);
        let waiter = Waiter {
            request: Request::Permit,
            holder: Arc::clone(&party.holder),
            mailbox: Arc::clone(&party.mailbox),
            executors: Executors::POOL,
        };
        let Wait::Pending(_, Work::Pool(work)) = queue.wait(waiter).unwrap() else {
            panic!("expected a place in the pool")
        };
        let poster = thread::spawn(|| kernel::give().unwrap());
        drop(work);
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_driver_that_leaves_its_place_to_the_event_loop_leaves_no_unit_behind() {
    in_every_order(1, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_poll();
        assert!(party.wait().is_some());
        let poster = thread::spawn(|| kernel::give_several(2).unwrap());
        // The thread that drives now delivers one unit, and leaves the other to a poll of the event loop.
        drop(first);
        let mut granted = 0;
        while granted < 2 {
            granted += party.collect_some().granted;
        }
        poster.join().unwrap();
        party.collect();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (2, 0));
    });
}

#[test]
fn a_unit_of_another_queue_is_told_while_a_poll_is_planned() {
    in_every_order(2, || {
        let (queue, other) = (queue(), queue());
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_poll();
        assert!(party.wait().is_some());
        assert!(party.at(&other, Executors::THREAD).wait().is_some());
        drop(first);
        kernel::give_several(3).unwrap();
        let mut granted = 0;
        while granted < 3 {
            granted += party.collect_some().granted;
        }
        party.collect();
        rest(&queue);
        rest(&other);
        assert_eq!((permits(&[&party]), kernel::units()), (3, 0));
    });
}

#[test]
fn a_mailbox_that_closes_while_a_poll_is_planned_keeps_nothing() {
    in_every_order(2, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_poll();
        assert!(party.wait().is_some());
        let poster = thread::spawn(|| kernel::give().unwrap());
        drop(first);
        party.mailbox.close();
        party.queue.withdraw_all(&party.holder, &party.mailbox);
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (0, 1));
    });
}

#[test]
fn a_waiter_that_joins_while_a_poll_is_planned_is_served() {
    in_every_order(1, || {
        let queue = queue();
        let (main, worker) = (Party::new(&queue, EVENT_LOOP), Party::new(&queue, Executors::THREAD));
        let (one, two) = (main.wait(), worker.wait());
        assert!(one.is_some() && two.is_some());
        main.cancel(one.unwrap());
        kernel::give().unwrap();
        assert_eq!(worker.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&main, &worker]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_poll_that_never_runs_is_replaced_by_a_thread() {
    in_every_order(2, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let poll = party.without_a_poll();
        let poster = thread::spawn(|| kernel::give().unwrap());
        // `waitSync` does this first, on the thread that was to poll.
        queue.before_blocking();
        drop(poll);
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_lock_that_is_closed_while_its_driver_begins_stays_closed() {
    in_every_order(2, || {
        let lock = KernelLock::new();
        let queue = Queue::of_lock(lock.clone());
        let party = Party::new(&queue, Executors::THREAD);
        let id = party.wait_for(Request::Exclusive).unwrap();
        party.cancel(id);
        // If not, the caller tries again.
        let closed = queue.close_unused();
        rest(&queue);
        assert!(!closed || !*lock.opened.lock().unwrap());
    });
}

#[test]
fn a_reader_gets_the_lock_when_the_writer_before_it_gives_up() {
    // The driver waits in the kernel for the whole lock, which no process gives back: an interrupt has to bring it
    // back, so that it takes a part.
    in_every_order(1, || {
        kernel::give_several(1).unwrap();
        let queue = Queue::of_lock(KernelLock::new());
        let (writer, reader) = (Party::new(&queue, Executors::THREAD), Party::new(&queue, Executors::THREAD));
        let id = writer.wait_for(Request::Exclusive).unwrap();
        assert!(reader.wait_for(Request::Shared).is_some());
        writer.cancel(id);
        assert_eq!(reader.collect_some(), Post { granted: 1, failed: 0 });
        assert_eq!(writer.collect(), Post::default());
        rest(&queue);
        assert_eq!((permits(&[&reader]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_grant_for_a_writer_that_gave_up_does_not_go_to_a_reader() {
    in_every_order(1, || {
        kernel::give_several(1).unwrap();
        let queue = Queue::of_lock(KernelLock::new());
        let (writer, reader) = (Party::new(&queue, Executors::THREAD), Party::new(&queue, Executors::THREAD));
        let id = writer.wait_for(Request::Exclusive).unwrap();
        assert!(reader.wait_for(Request::Shared).is_some());
        // The other reader gives its part back while the writer gives up.
        let leaver = thread::spawn(|| kernel::give_several(1).unwrap());
        writer.cancel(id);
        assert_eq!(reader.collect_some(), Post { granted: 1, failed: 0 });
        leaver.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&reader]), kernel::units()), (1, 1));
    });
}

#[test]
fn a_unit_of_another_process_reaches_a_watched_wait() {
    a_hint_reaches_the_wait(Executors::THREAD, 2);
}

#[test]
fn a_unit_of_another_process_that_meets_a_poll_reaches_a_watched_wait() {
    a_hint_reaches_the_wait(EVENT_LOOP, 2);
}

fn a_hint_reaches_the_wait(executors: Executors, preemptions: usize) {
    in_every_order(preemptions, move || {
        let source = SharedCounter::new(None);
        let queue = Queue::of_units(Arc::clone(&source));
        let party = Party::new(&queue, executors);
        let giver = thread::spawn({
            let source = Arc::clone(&source);
            move || source.give()
        });
        if party.wait().is_some() {
            assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        }
        giver.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), source.units()), (1, 0));
    });
}

#[test]
fn a_hint_that_meets_a_cancel_leaves_the_unit_with_the_waiter_or_the_source() {
    in_every_order(2, || {
        let source = SharedCounter::new(None);
        let queue = Queue::of_units(Arc::clone(&source));
        let party = Party::new(&queue, Executors::THREAD);
        let giver = thread::spawn({
            let source = Arc::clone(&source);
            move || source.give()
        });
        if let Some(id) = party.wait() {
            party.cancel(id);
            assert_eq!(party.collect(), Post::default(), "nothing arrives after a cancel");
        }
        giver.join().unwrap();
        rest(&queue);
        assert_eq!(permits(&[&party]) + source.units(), 1);
    });
}

#[test]
fn the_unit_of_a_process_that_dies_meanwhile_reaches_a_watched_wait() {
    in_every_order(2, || {
        let source = SharedCounter::new(Some(PEER));
        let queue = Queue::of_units(Arc::clone(&source));
        let party = Party::new(&queue, Executors::THREAD);
        let killer = thread::spawn(|| death::kill(PEER));
        assert!(party.wait().is_some());
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        killer.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), source.units()), (1, 0));
    });
}

#[test]
fn a_wait_that_joins_while_the_hub_ends_is_served() {
    in_every_order(2, || {
        let source = SharedCounter::new(None);
        let queue = Queue::of_units(Arc::clone(&source));
        let party = Party::new(&queue, Executors::THREAD);
        let id = party.wait().unwrap();
        party.cancel(id);
        // The thread of the hub is about to end, or has ended.
        assert!(party.wait().is_some());
        source.give();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), source.units()), (1, 0));
    });
}

#[test]
fn a_unit_of_a_cancelled_watched_waiter_goes_to_the_next() {
    in_every_order(2, || {
        let source = SharedCounter::new(None);
        let queue = Queue::of_units(Arc::clone(&source));
        let (first, second) = (Party::new(&queue, Executors::THREAD), Party::new(&queue, Executors::THREAD));
        let (one, two) = (first.wait(), second.wait());
        assert!(one.is_some() && two.is_some());
        let giver = thread::spawn({
            let source = Arc::clone(&source);
            move || source.give()
        });
        first.cancel(one.unwrap());
        assert_eq!(second.collect_some(), Post { granted: 1, failed: 0 });
        assert_eq!(first.collect(), Post::default());
        giver.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&first, &second]), source.units()), (1, 0));
    });
}

#[test]
fn a_blocking_wait_that_serves_the_hub_leaves_another_wait_to_a_thread() {
    in_every_order(1, || {
        let source = SharedCounter::new(None);
        let queue = Queue::of_units(Arc::clone(&source));
        let party = Party::new(&queue, Executors::THREAD);
        let blocked = thread::spawn({
            let (queue, holder) = (Arc::clone(&queue), Arc::clone(&party.holder));
            move || assert!(block_in_queue(&queue, Request::Permit, &holder, None).unwrap())
        });
        let waits = party.wait().is_some();
        source.give();
        source.give();
        if waits {
            assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        }
        blocked.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), source.units()), (2, 0));
    });
}
