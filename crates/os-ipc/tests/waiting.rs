//! Waits on threads of our own: first come, first served, one thread in the kernel, no unit lost on a cancel.

mod common;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{LIMIT, Named, Party, backends, take_now, units, until, until_blocked};
use os_ipc::{Backend, Delivery, Executors, Mailbox, OsCode, Semaphore, Wait, WaiterId, Work};

/// Starts a wait that is pending.
fn pending(semaphore: &Semaphore, mailbox: &Arc<Mailbox>) -> WaiterId {
    match semaphore.start_wait(mailbox, Executors::THREAD).unwrap() {
        Wait::Pending(ticket, Work::Nothing) => ticket,
        Wait::Pending(..) => panic!("the wait should stay out of the pool"),
        Wait::Done => panic!("expected a pending wait"),
    }
}

/// Takes the deliveries; returns their waiters.
fn take(delivered: Vec<(WaiterId, Delivery)>) -> Vec<WaiterId> {
    delivered
        .into_iter()
        .map(|(ticket, delivery)| {
            match delivery {
                Delivery::Granted(unit) => unit.hand_over(),
                Delivery::Failed(error) => panic!("{error}"),
            }
            ticket
        })
        .collect()
}

#[test]
fn a_free_unit_is_taken_at_once() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(2), Party::new());
        for _ in 0..2 {
            assert!(matches!(semaphore.start_wait(&party.mailbox, Executors::POOL).unwrap(), Wait::Done));
        }
        assert_eq!(units(&semaphore), 0);
        assert!(party.mailbox.collect().delivered.is_empty());
    }
}

#[test]
fn handles_are_served_first_come_first_served() {
    for backend in backends() {
        let named = Named::new(backend);
        let (one, two) = (named.create(0), named.open());
        let party = Party::new();
        let tickets: Vec<_> = (0..20).map(|round| pending([&one, &two][round % 2], &party.mailbox)).collect();
        for ticket in &tickets {
            one.post(1).unwrap();
            assert_eq!(take(party.collect()), [*ticket]);
        }
        assert_eq!(units(&one), 0);
    }
}

#[test]
fn ten_thousand_waits_block_one_thread() {
    const WAITS: usize = 10_000;
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let tickets: Vec<_> = (0..WAITS).map(|_| pending(&semaphore, &party.mailbox)).collect();
        assert_eq!(semaphore.info().unwrap().pending, WAITS);
        until_blocked(&semaphore);
        semaphore.post(u32::try_from(WAITS).unwrap()).unwrap();
        assert_eq!(take(party.collect_all(WAITS)), tickets);
        assert_eq!(units(&semaphore), 0);
        assert_eq!(semaphore.info().unwrap().pending, 0);
    }
}

#[test]
fn a_cancelled_wait_takes_nothing() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let ticket = pending(&semaphore, &party.mailbox);
        semaphore.cancel(ticket, &party.mailbox);
        semaphore.cancel(ticket, &party.mailbox);
        assert_eq!(semaphore.info().unwrap().pending, 0);
        semaphore.post(1).unwrap();
        assert!(take_now(&semaphore), "{backend:?}");
        assert!(party.mailbox.collect().delivered.is_empty());
    }
}

#[test]
fn a_driver_leaves_the_kernel_when_the_list_is_empty() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        for _ in 0..50 {
            let ticket = pending(&semaphore, &party.mailbox);
            until_blocked(&semaphore);
            semaphore.cancel(ticket, &party.mailbox);
            until("the driver has left the kernel", || semaphore.info().unwrap().waiters.unwrap_or(0) == 0);
        }
    }
}

#[test]
fn a_unit_posted_right_after_a_cancellation_is_there() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        for _ in 0..300 {
            let ticket = pending(&semaphore, &party.mailbox);
            thread::yield_now();
            semaphore.cancel(ticket, &party.mailbox);
            semaphore.post(1).unwrap();
            assert!(take_now(&semaphore), "{backend:?}");
        }
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_unit_of_a_cancelled_wait_goes_to_the_next() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, gone, next) = (named.create(0), Party::new(), Party::new());
        let cancelled = pending(&semaphore, &gone.mailbox);
        let waiting = pending(&semaphore, &next.mailbox);
        semaphore.post(1).unwrap();
        // The unit is delivered and not collected: the cancellation passes it on.
        until("the unit is delivered", || semaphore.info().unwrap().pending == 1);
        semaphore.cancel(cancelled, &gone.mailbox);
        assert_eq!(take(next.collect()), [waiting]);
        assert!(gone.mailbox.collect().delivered.is_empty());
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn a_unit_without_a_waiter_goes_back() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let ticket = pending(&semaphore, &party.mailbox);
        semaphore.post(1).unwrap();
        until("the unit is delivered", || semaphore.info().unwrap().pending == 0);
        semaphore.cancel(ticket, &party.mailbox);
        assert_eq!(units(&semaphore), 1);

        // The same for a unit that was collected and dropped.
        assert!(take_now(&semaphore));
        let _ticket = pending(&semaphore, &party.mailbox);
        semaphore.post(1).unwrap();
        until("the unit arrives", || !party.mailbox.collect().delivered.is_empty());
        assert_eq!(units(&semaphore), 1);
    }
}

#[test]
fn a_closed_mailbox_passes_its_units_on_and_gets_no_more() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, gone, next) = (named.create(0), Party::new(), Party::new());
        let _delivered = pending(&semaphore, &gone.mailbox);
        let _in_line = pending(&semaphore, &gone.mailbox);
        let waiting = pending(&semaphore, &next.mailbox);
        semaphore.post(1).unwrap();
        until("the unit is delivered", || semaphore.info().unwrap().pending == 2);
        gone.mailbox.close();
        assert_eq!(take(next.collect()), [waiting]);
        assert!(gone.mailbox.collect().delivered.is_empty());
        assert_eq!(units(&semaphore), 0);
        semaphore.post(1).unwrap();
        assert!(take_now(&semaphore));
    }
}

#[test]
fn cancel_all_ends_only_the_waits_of_its_handle() {
    for backend in backends() {
        let named = Named::new(backend);
        let (one, two, party) = (named.create(0), named.open(), Party::new());
        for _ in 0..10 {
            let _ = pending(&one, &party.mailbox);
        }
        let stays = pending(&two, &party.mailbox);
        let _ = pending(&one, &party.mailbox);
        one.post(1).unwrap();
        until("one unit is delivered", || one.info().unwrap().pending == 11);
        one.cancel_all(&party.mailbox);
        assert_eq!(take(party.collect_all(1)), [stays]);
        assert_eq!((units(&one), one.info().unwrap().pending), (0, 0));
    }
}

#[test]
fn unlink_fails_every_wait_where_the_system_wakes_waiters() {
    if !Backend::SystemV.is_available() {
        return;
    }
    let named = Named::new(Backend::SystemV);
    let (one, two, party) = (named.create(0), named.open(), Party::new());
    for _ in 0..32 {
        let _ = (pending(&one, &party.mailbox), pending(&two, &party.mailbox));
    }
    until_blocked(&one);
    one.unlink().unwrap();
    for (_, delivery) in party.collect_all(64) {
        match delivery {
            Delivery::Failed(error) => assert_eq!(error.errno(), Some(OsCode::EIDRM)),
            Delivery::Granted(_) => panic!("a removed set granted a unit"),
        }
    }
    let error = two.start_wait(&party.mailbox, Executors::THREAD).err().unwrap();
    assert_eq!(error.errno(), Some(OsCode::EIDRM));
}

#[test]
fn blocking_and_pending_waits_share_the_units() {
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        thread::scope(|scope| {
            let blocked: Vec<_> = (0..4).map(|_| scope.spawn(|| semaphore.wait(Some(LIMIT)))).collect();
            for _ in 0..4 {
                let _ = semaphore.start_wait(&party.mailbox, Executors::THREAD).unwrap();
            }
            semaphore.post(8).unwrap();
            for thread in blocked {
                assert!(thread.join().unwrap().unwrap());
            }
        });
        take(party.collect_all(4));
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn cancellations_during_posts_conserve_the_count() {
    const ROUNDS: u32 = 2_000;
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let mut granted = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    semaphore.post(1).unwrap();
                    if round % 3 == 0 {
                        thread::sleep(Duration::from_micros(20));
                    }
                }
            });
            for round in 0..ROUNDS {
                match semaphore.start_wait(&party.mailbox, Executors::THREAD).unwrap() {
                    Wait::Done => granted += 1,
                    Wait::Pending(ticket, _) if round % 2 == 0 => semaphore.cancel(ticket, &party.mailbox),
                    Wait::Pending(..) => {}
                }
                granted += u32::try_from(take(party.mailbox.collect().delivered.into_iter().collect()).len())
                    .unwrap();
            }
        });
        semaphore.cancel_all(&party.mailbox);
        assert_eq!(granted + units(&semaphore), ROUNDS, "{backend:?}");
    }
}
