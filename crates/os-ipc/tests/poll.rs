//! Polls by the thread of an event loop: here, a thread of the tests.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{LIMIT, Named, Party, backends, units, until};
use os_ipc::{Backend, Delivery, Executors, OsCode, Poll, Semaphore, Wait, WaiterId, Work};

const EVENT_LOOP: Executors = Executors { pool: false, event_loop: true };
const MOMENT: Duration = Duration::from_millis(1);

/// Starts a wait; returns it with the work for the caller.
fn start(semaphore: &Semaphore, party: &Party, executors: Executors) -> (WaiterId, Work) {
    match semaphore.start_wait(&party.mailbox, executors).unwrap() {
        Wait::Pending(waiter, work) => (waiter, work),
        Wait::Done => panic!("expected a pending wait"),
    }
}

/// Makes short waits until the next one is polled for, and returns its poll.
fn poll(semaphore: &Semaphore, party: &Party) -> (WaiterId, Poll) {
    let begin = Instant::now();
    loop {
        let (waiter, work) = start(semaphore, party, EVENT_LOOP);
        if let Work::Poll(poll) = work {
            return (waiter, poll);
        }
        semaphore.post(1).unwrap();
        receive(party, 1);
        assert!(begin.elapsed() < LIMIT, "no wait was short");
    }
}

fn receive(party: &Party, count: usize) {
    for (_, delivery) in party.collect_all(count) {
        hand_over(delivery);
    }
}

fn hand_over(delivery: Delivery) {
    match delivery {
        Delivery::Granted(unit) => unit.hand_over(),
        Delivery::Failed(error) => panic!("{error}"),
    }
}

/// A semaphore without units, and a party that waits for them.
fn scene(backend: Backend) -> (Named, Semaphore, Party) {
    let named = Named::new(backend);
    let semaphore = named.create(0);
    (named, semaphore, Party::new())
}

#[test]
fn a_unit_that_comes_while_a_loop_polls_is_delivered() {
    for backend in backends() {
        let (named, semaphore, party) = scene(backend);
        let (_, poll) = poll(&semaphore, &party);
        let poster = thread::spawn(move || {
            thread::sleep(MOMENT);
            named.open().post(1).unwrap();
            named
        });
        let begin = Instant::now();
        while poll.try_all() {
            assert!(begin.elapsed() < LIMIT, "no unit came");
        }
        receive(&party, 1);
        let _named = poster.join().unwrap();
        assert_eq!((semaphore.info().unwrap().pending, units(&semaphore)), (0, 0));
    }
}

#[test]
fn a_wait_goes_on_after_a_failed_poll_or_none() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        for polls in [0, 1, 10] {
            let (_, poll) = poll(&semaphore, &party);
            for _ in 0..polls {
                assert!(poll.try_all());
            }
            drop(poll);
            semaphore.post(1).unwrap();
            receive(&party, 1);
        }
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_poll_takes_for_all_waiters() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let (_, poll) = poll(&semaphore, &party);
        for _ in 0..9 {
            assert!(matches!(start(&semaphore, &party, EVENT_LOOP).1, Work::Nothing));
        }
        semaphore.post(5).unwrap();
        assert!(poll.try_all(), "five waiters remain");
        receive(&party, 5);
        semaphore.post(6).unwrap();
        assert!(!poll.try_all(), "no waiter remains");
        receive(&party, 5);
        assert_eq!(units(&semaphore), 1);
    }
}

#[test]
fn a_poll_takes_a_bounded_batch() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let (_, poll) = poll(&semaphore, &party);
        for _ in 1..1_000 {
            let _ = start(&semaphore, &party, EVENT_LOOP);
        }
        semaphore.post(1_000).unwrap();
        assert!(poll.try_all());
        let taken = 1_000 - units(&semaphore);
        assert!(taken > 0 && taken < 200, "{taken}");
        while poll.try_all() {}
        receive(&party, 1_000);
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_driver_leaves_its_place_to_an_event_loop_whose_waits_are_short() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let mut planned = None;
        // Two waits are pending at any time, so that one remains when the thread has delivered.
        drop(start(&semaphore, &party, EVENT_LOOP).1);
        until("a driver leaves its place", || {
            drop(start(&semaphore, &party, EVENT_LOOP).1);
            semaphore.post(1).unwrap();
            until("a unit came", || {
                let mut arrived = party.mailbox.collect();
                planned = planned.take().or_else(|| arrived.planned.pop());
                let some = !arrived.delivered.is_empty();
                arrived.delivered.into_values().for_each(hand_over);
                some
            });
            thread::sleep(MOMENT);
            planned = planned.take().or_else(|| party.mailbox.collect().planned.pop());
            planned.is_some()
        });
        let planned = planned.unwrap();
        semaphore.post(1).unwrap();
        assert!(!planned.try_all());
        receive(&party, 1);
        assert_eq!((semaphore.info().unwrap().pending, units(&semaphore)), (0, 0));
    }
}

#[test]
fn a_waiter_that_cannot_be_polled_for_does_not_wait_for_a_poll() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let other = Party::new();
        let (_, planned) = poll(&semaphore, &party);
        let next = semaphore.start_wait(&other.mailbox, Executors::THREAD).unwrap();
        assert!(matches!(next, Wait::Pending(_, Work::Nothing)));
        semaphore.post(2).unwrap();
        receive(&party, 1);
        receive(&other, 1);
        // When the event loop comes to the poll, nothing is left to do.
        assert!(!planned.try_all());
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_blocking_wait_of_the_polling_thread_leaves_the_poll_to_another() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let (_, planned) = poll(&semaphore, &party);
        assert!(!semaphore.wait(Some(MOMENT)).unwrap());
        semaphore.post(1).unwrap();
        receive(&party, 1);
        assert!(!planned.try_all());
    }
}

#[test]
fn a_read_does_not_count_units_that_a_poll_is_about_to_take() {
    for backend in backends().filter(|backend| backend.has_value()) {
        let (_named, semaphore, party) = scene(backend);
        let (_, planned) = poll(&semaphore, &party);
        semaphore.post(2).unwrap();
        assert_eq!(semaphore.value().unwrap(), 1);
        let info = semaphore.info().unwrap();
        assert_eq!((info.value, info.pending), (Some(1), 0));
        receive(&party, 1);
        assert!(!planned.try_all());
    }
}

#[test]
fn a_unit_polled_for_a_closed_mailbox_goes_back() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let (_, poll) = poll(&semaphore, &party);
        party.mailbox.close();
        semaphore.post(1).unwrap();
        assert!(!poll.try_all());
        assert_eq!(units(&semaphore), 1);
    }
}

#[test]
fn what_a_look_won_for_one_that_is_cancelled_goes_to_the_next() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let other = Party::new();
        let (waiter, poll) = poll(&semaphore, &party);
        semaphore.post(1).unwrap();
        assert!(!poll.try_all());
        // On its way to the first waiter, the unit goes to the other one.
        assert!(matches!(
            semaphore.start_wait(&other.mailbox, Executors::THREAD).unwrap(),
            Wait::Pending(..)
        ));
        semaphore.cancel(waiter, &party.mailbox);
        receive(&other, 1);
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_cancelled_wait_is_not_polled_for() {
    for backend in backends() {
        let (_named, semaphore, party) = scene(backend);
        let (waiter, poll) = poll(&semaphore, &party);
        semaphore.cancel(waiter, &party.mailbox);
        semaphore.post(1).unwrap();
        assert!(!poll.try_all());
        assert_eq!((units(&semaphore), semaphore.info().unwrap().pending), (1, 0));
    }
}

#[test]
fn a_poll_of_a_removed_set_ends_the_waits() {
    for backend in backends().filter(|backend| *backend == Backend::SystemV) {
        let (_named, semaphore, party) = scene(backend);
        let (_, poll) = poll(&semaphore, &party);
        semaphore.unlink().unwrap();
        assert!(!poll.try_all());
        match party.collect_all(1).remove(0).1 {
            Delivery::Failed(error) => assert_eq!(error.errno(), Some(OsCode::EIDRM)),
            Delivery::Granted(_) => panic!("a removed set granted a unit"),
        }
    }
}
