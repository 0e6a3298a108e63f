//! The hand-over of units, in every order in which the threads of a program can meet: `npm run test:loom`.
//!
//! What runs is the code that ships. Replaced are its locks (`crate::sync`), its threads (`threads_model.rs`) and the
//! kernel (`sys/thread_model.rs`), so that the checker (loom) decides who goes next, tries all there is to decide, and
//! finds every deadlock. Each test ends with an account: what was given is with its waiters or back in the kernel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;

use super::counter::{Counter, Hold, Origin};
use super::glance::Glance;
use super::lanes::{Lanes, leave_pool, set_pool_size};
use super::mailbox::{Arrived, Delivery, Mailbox};
use super::queue::{Queue, Ticket, TicketId, Wait, Work};
use super::threads;
use super::unit::Holder;
use crate::error::{Error, Result};
use crate::sync::{Condvar, Mutex, pause, thread};
use crate::sys::interrupt as kernel;

/// The kernel's counter.
struct KernelCounter;

impl Counter for KernelCounter {
    fn try_take(&self, _: Hold) -> Result<Option<Origin>> {
        match kernel::try_take() {
            Ok(taken) => Ok(taken.then(Origin::default)),
            Err(errno) => Err(self.failure("take a unit from", errno)),
        }
    }

    fn take(&self, _: Hold) -> Result<Option<Origin>> {
        match kernel::take() {
            Ok(()) => Ok(Some(Origin::default())),
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn may_be_tried(&self) -> bool {
        true
    }

    fn give_back(&self, _: Hold, _: Origin) -> std::result::Result<(), Errno> {
        kernel::give()
    }

    fn disown(&self, _: Origin) -> std::result::Result<(), Errno> {
        Ok(())
    }

    fn failure(&self, act: &str, errno: Errno) -> Error {
        Error::system(act, "semop", "", errno)
    }
}

/// A lock: who wants it alone takes all of the kernel's two units.
struct KernelLock;

impl KernelLock {
    const ALL: u32 = 2;

    fn units(hold: Hold) -> u32 {
        if hold == Hold::Shared { 1 } else { Self::ALL }
    }
}

impl Counter for KernelLock {
    fn try_take(&self, hold: Hold) -> Result<Option<Origin>> {
        match kernel::try_take_several(Self::units(hold)) {
            Ok(taken) => Ok(taken.then(Origin::default)),
            Err(errno) => Err(self.failure("take", errno)),
        }
    }

    fn take(&self, hold: Hold) -> Result<Option<Origin>> {
        match kernel::take_several(Self::units(hold)) {
            Ok(()) => Ok(Some(Origin::default())),
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn give_back(&self, hold: Hold, _: Origin) -> std::result::Result<(), Errno> {
        kernel::give_several(Self::units(hold))
    }

    fn disown(&self, _: Origin) -> std::result::Result<(), Errno> {
        Ok(())
    }

    fn failure(&self, act: &str, errno: Errno) -> Error {
        Error::system(act, "semop", "", errno)
    }
}

/// One JavaScript environment with one handle.
#[derive(Clone)]
struct Party {
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    mailbox: Arc<Mailbox>,
    /// Whether it was told that something is in there.
    told: Arc<(Mutex<bool>, Condvar)>,
    lanes: Lanes,
}

/// What a party found in its mailbox.
#[derive(Debug, Default, PartialEq, Eq)]
struct Post {
    granted: u32,
    failed: u32,
}

impl Party {
    fn new(queue: &Arc<Queue>, lanes: Lanes) -> Self {
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
            lanes,
        }
    }

    /// The same party, as it waits for what another queue has.
    fn at(&self, queue: &Arc<Queue>, lanes: Lanes) -> Self {
        Self { queue: Arc::clone(queue), lanes, ..self.clone() }
    }

    /// Waits for a permit; `None` when it was there at once. A pool thread's work runs on a thread of its own.
    fn wait(&self) -> Option<TicketId> {
        self.wait_for(Hold::Owned)
    }

    fn wait_for(&self, hold: Hold) -> Option<TicketId> {
        let ticket = Ticket {
            hold,
            holder: Arc::clone(&self.holder),
            mailbox: Arc::clone(&self.mailbox),
            lanes: self.lanes,
        };
        match self.queue.wait(ticket).unwrap() {
            Wait::Done => None,
            Wait::Pending(ticket, work) => {
                match work {
                    Work::Nothing => {}
                    Work::Pool(work) => threads::run(move || work.run()).unwrap(),
                    Work::Glance(glance) => look(glance),
                }
                Some(ticket)
            }
        }
    }

    /// Waits for a permit, and does not look for it yet.
    fn without_a_look(&self) -> Glance {
        let ticket = Ticket {
            hold: Hold::Owned,
            holder: Arc::clone(&self.holder),
            mailbox: Arc::clone(&self.mailbox),
            lanes: self.lanes,
        };
        let Wait::Pending(_, Work::Glance(glance)) = self.queue.wait(ticket).unwrap() else {
            panic!("a glance")
        };
        glance
    }

    fn cancel(&self, ticket: TicketId) {
        self.queue.cancel(ticket, &self.mailbox);
    }

    /// Empties the mailbox, as JavaScript does.
    fn collect(&self) -> Post {
        let Arrived { delivered, planned } = self.mailbox.collect();
        planned.into_iter().for_each(look);
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

    /// Empties it whenever it is told to, until something was in it.
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

/// Looks as an event loop does, on a thread of its own, and then leaves what still waits to another.
fn look(glance: Glance) {
    let looks = move || {
        for _ in 0..2 {
            if !glance.look() {
                return;
            }
            pause(Duration::ZERO);
        }
    };
    threads::run(looks).unwrap();
}

/// The thread of an event loop, and no other of libuv's.
const EVENT_LOOP: Lanes = Lanes { pool: false, event_loop: true };

/// Runs `program` in every order; `preemptions` bounds how often a thread is stopped where it need not be.
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
    Queue::new(KernelCounter)
}

fn permits(parties: &[&Party]) -> u32 {
    parties.iter().map(|party| u32::try_from(party.holder.permits()).unwrap()).sum()
}

/// Waits until every thread has ended: then nobody serves the queue, and every unit is somewhere.
fn rest(queue: &Queue) {
    threads::join_all();
    assert!(queue.is_at_rest());
}

#[test]
fn a_post_reaches_a_wait_that_starts_meanwhile() {
    a_post_reaches_the_wait(Lanes::OWN, 3);
}

#[test]
fn a_post_that_meets_a_glance_reaches_the_wait() {
    a_post_reaches_the_wait(EVENT_LOOP, 2);
}

fn a_post_reaches_the_wait(lanes: Lanes, preemptions: usize) {
    in_every_order(preemptions, move || {
        let queue = queue();
        let party = Party::new(&queue, lanes);
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
    a_cancel_loses_no_unit(Lanes::OWN, 3);
}

#[test]
fn a_post_that_meets_a_cancel_and_a_glance_is_with_the_waiter_or_in_the_kernel() {
    a_cancel_loses_no_unit(EVENT_LOOP, 2);
}

fn a_cancel_loses_no_unit(lanes: Lanes, preemptions: usize) {
    in_every_order(preemptions, move || {
        let queue = queue();
        let party = Party::new(&queue, lanes);
        let poster = thread::spawn(|| kernel::give().unwrap());
        if let Some(ticket) = party.wait() {
            party.cancel(ticket);
            assert_eq!(party.collect(), Post::default(), "nothing arrives after a cancel");
        }
        poster.join().unwrap();
        rest(&queue);
        assert_eq!(permits(&[&party]) + kernel::units(), 1);
    });
}

#[test]
fn a_unit_whose_waiter_gave_up_goes_to_the_next() {
    in_every_order(2, || {
        let queue = queue();
        let (first, second) = (Party::new(&queue, Lanes::OWN), Party::new(&queue, Lanes::OWN));
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
        let (worker, other) = (Party::new(&queue, Lanes::OWN), Party::new(&queue, Lanes::OWN));
        assert!(worker.wait().is_some() && other.wait().is_some());
        let poster = thread::spawn(|| kernel::give().unwrap());
        // What the cleanup hook of a worker does.
        worker.mailbox.close();
        worker.queue.cancel_all(&worker.holder, &worker.mailbox);
        assert_eq!(other.collect_some(), Post { granted: 1, failed: 0 });
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&worker, &other]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_removal_fails_every_wait_once() {
    a_removal_fails_the_wait(Lanes::OWN);
}

#[test]
fn a_removal_fails_a_wait_that_is_glanced_for() {
    a_removal_fails_the_wait(EVENT_LOOP);
}

fn a_removal_fails_the_wait(lanes: Lanes) {
    in_every_order(2, move || {
        let queue = queue();
        let party = Party::new(&queue, lanes);
        assert!(party.wait().is_some());
        let remover = thread::spawn(kernel::remove);
        assert_eq!(party.collect_some(), Post { granted: 0, failed: 1 });
        remover.join().unwrap();
        rest(&queue);
    });
}

#[test]
fn a_server_that_misses_its_signal_is_called_again() {
    // The signal of the cancel can come before the server is in the kernel, where it does nothing: only the nudger's
    // next one gets it out, and without it this test would be a deadlock.
    in_every_order(3, || {
        let queue = queue();
        let party = Party::new(&queue, Lanes::OWN);
        let ticket = party.wait().unwrap();
        party.cancel(ticket);
        rest(&queue);
        assert_eq!(kernel::units(), 0);
    });
}

#[test]
fn a_wait_after_a_cancel_finds_the_old_server_or_a_new_one() {
    in_every_order(1, || {
        let queue = queue();
        let party = Party::new(&queue, Lanes::OWN);
        let ticket = party.wait().unwrap();
        party.cancel(ticket);
        assert!(party.wait().is_some());
        kernel::give().unwrap();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_unit_given_after_a_cancel_is_there_for_who_tries() {
    in_every_order(3, || {
        let queue = queue();
        let party = Party::new(&queue, Lanes::OWN);
        let ticket = party.wait().unwrap();
        party.cancel(ticket);
        kernel::give().unwrap();
        // The server that was called away may take it first, and gives it back.
        assert!(queue.try_take(Hold::Owned, &party.holder).unwrap());
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn leaving_the_pool_moves_the_wait_and_loses_no_post() {
    in_every_order(1, || {
        set_pool_size(4);
        let queue = queue();
        let party = Party::new(&queue, Lanes::POOL);
        assert!(party.wait().is_some());
        // What `process.on('exit')` does; the wait goes on, on a thread of ours.
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
        let party = Party::new(&queue, Lanes::POOL);
        assert!(party.wait().is_some());
        queue.allow_pool(&party.holder, false);
        kernel::give().unwrap();
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn pool_work_that_is_dropped_is_done_by_a_thread_of_ours() {
    in_every_order(2, || {
        set_pool_size(4);
        let queue = queue();
        let party = Party::new(&queue, Lanes::POOL);
        let ticket = Ticket {
            hold: Hold::Owned,
            holder: Arc::clone(&party.holder),
            mailbox: Arc::clone(&party.mailbox),
            lanes: Lanes::POOL,
        };
        let Wait::Pending(_, Work::Pool(work)) = queue.wait(ticket).unwrap() else {
            panic!("a place in the pool")
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
fn a_thread_that_leaves_its_place_to_the_event_loop_leaves_no_unit_behind() {
    in_every_order(1, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_look();
        assert!(party.wait().is_some());
        let poster = thread::spawn(|| kernel::give_several(2).unwrap());
        // The thread that serves now delivers one, and has the event loop look for the other.
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
fn a_unit_that_arrives_beside_a_queue_that_is_left_to_the_event_loop_is_told() {
    in_every_order(2, || {
        let (queue, other) = (queue(), queue());
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_look();
        assert!(party.wait().is_some());
        assert!(party.at(&other, Lanes::OWN).wait().is_some());
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
fn a_mailbox_that_closes_when_a_queue_is_left_to_its_event_loop_keeps_nothing() {
    in_every_order(2, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let first = party.without_a_look();
        assert!(party.wait().is_some());
        let poster = thread::spawn(|| kernel::give().unwrap());
        drop(first);
        party.mailbox.close();
        party.queue.cancel_all(&party.holder, &party.mailbox);
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (0, 1));
    });
}

#[test]
fn whoever_comes_while_a_glance_is_planned_is_served() {
    in_every_order(1, || {
        let queue = queue();
        let (main, worker) = (Party::new(&queue, EVENT_LOOP), Party::new(&queue, Lanes::OWN));
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
fn a_glance_that_is_never_run_is_replaced_by_a_thread_of_ours() {
    in_every_order(2, || {
        let queue = queue();
        let party = Party::new(&queue, EVENT_LOOP);
        let glance = party.without_a_look();
        let poster = thread::spawn(|| kernel::give().unwrap());
        // What `waitSync` does first, on the thread that was to look.
        queue.before_blocking();
        drop(glance);
        assert_eq!(party.collect_some(), Post { granted: 1, failed: 0 });
        poster.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&party]), kernel::units()), (1, 0));
    });
}

#[test]
fn a_reader_gets_in_when_the_writer_before_it_gives_up() {
    // The server is in the kernel for all of the lock, which nobody is going to give: it has to be called out, to take
    // a part.
    in_every_order(1, || {
        kernel::give_several(1).unwrap();
        let queue = Queue::new(KernelLock);
        let (writer, reader) = (Party::new(&queue, Lanes::OWN), Party::new(&queue, Lanes::OWN));
        let ticket = writer.wait_for(Hold::Exclusive).unwrap();
        assert!(reader.wait_for(Hold::Shared).is_some());
        writer.cancel(ticket);
        assert_eq!(reader.collect_some(), Post { granted: 1, failed: 0 });
        assert_eq!(writer.collect(), Post::default());
        rest(&queue);
        assert_eq!((permits(&[&reader]), kernel::units()), (1, 0));
    });
}

#[test]
fn what_was_won_for_a_writer_that_gave_up_is_not_given_to_a_reader() {
    in_every_order(1, || {
        kernel::give_several(1).unwrap();
        let queue = Queue::new(KernelLock);
        let (writer, reader) = (Party::new(&queue, Lanes::OWN), Party::new(&queue, Lanes::OWN));
        let ticket = writer.wait_for(Hold::Exclusive).unwrap();
        assert!(reader.wait_for(Hold::Shared).is_some());
        // Whoever shares it leaves while the writer gives up.
        let leaver = thread::spawn(|| kernel::give_several(1).unwrap());
        writer.cancel(ticket);
        assert_eq!(reader.collect_some(), Post { granted: 1, failed: 0 });
        leaver.join().unwrap();
        rest(&queue);
        assert_eq!((permits(&[&reader]), kernel::units()), (1, 1));
    });
}
