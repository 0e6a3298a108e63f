//! A look for a unit by the thread of an event loop: a thread of the tests here.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{LIMIT, Named, Party, backends, units, until_blocked};
use os_ipc::{Backend, Delivery, Errno, Glance, Lanes, Semaphore, TicketId, Wait, Work};

const EVENT_LOOP: Lanes = Lanes { pool: false, event_loop: true };
const MOMENT: Duration = Duration::from_millis(1);

/// What has such looks.
fn system_v() -> impl Iterator<Item = Backend> {
    backends().filter(|backend| *backend == Backend::SystemV)
}

/// Has short waits until the next one is worth a look, and starts that.
fn glance(semaphore: &Semaphore, party: &Party) -> (TicketId, Glance) {
    let start = Instant::now();
    loop {
        match semaphore.start_wait(&party.mailbox, EVENT_LOOP).unwrap() {
            Wait::Pending(ticket, Work::Glance(glance)) => return (ticket, glance),
            Wait::Pending(..) => {
                semaphore.post(1).unwrap();
                receive(party);
            }
            Wait::Done => panic!("a unit was there"),
        }
        assert!(start.elapsed() < LIMIT, "no wait was short");
    }
}

fn receive(party: &Party) {
    for (_, delivery) in party.collect_all(1) {
        match delivery {
            Delivery::Granted(unit) => unit.hand_over(),
            Delivery::Failed(error) => panic!("{error}"),
        }
    }
}

/// Runs the look, and `act` once it is in the kernel.
fn during(glance: Glance, semaphore: &Semaphore, act: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            until_blocked(semaphore);
            act();
        });
        glance.run(LIMIT);
    });
}

#[test]
fn a_unit_that_comes_during_the_look_is_delivered() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let (_, glance) = glance(&semaphore, &party);
        during(glance, &semaphore, || {
            semaphore.post(1).unwrap();
        });
        receive(&party);
        assert_eq!((semaphore.info().unwrap().pending, units(&semaphore)), (0, 0));
    }
}

#[test]
fn a_wait_that_was_looked_for_in_vain_or_not_at_all_goes_on() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        for run in [true, false] {
            let (_, glance) = glance(&semaphore, &party);
            assert_eq!(semaphore.info().unwrap().waiters, Some(0), "nobody is in the kernel yet");
            if run {
                glance.run(MOMENT);
            } else {
                drop(glance);
            }
            until_blocked(&semaphore);
            semaphore.post(1).unwrap();
            receive(&party);
        }
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn whoever_does_not_look_does_not_wait_for_who_does() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party, other) = (named.create(0), Party::new(), Party::new());
        let (_, planned) = glance(&semaphore, &party);
        assert!(matches!(
            semaphore.start_acquire(&other.mailbox, Lanes::OWN).unwrap(),
            Wait::Pending(_, Work::Nothing)
        ));
        until_blocked(&semaphore);
        semaphore.post(2).unwrap();
        receive(&party);
        receive(&other);
        // When the event loop comes to it, there is nothing left to do.
        planned.run(LIMIT);
        assert_eq!((units(&semaphore), semaphore.permits()), (0, 1));
        semaphore.release().unwrap();
    }
}

#[test]
fn a_blocking_wait_of_the_thread_that_was_to_look_leaves_that_to_another() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let (_, planned) = glance(&semaphore, &party);
        assert!(!semaphore.wait(Some(MOMENT)).unwrap());
        until_blocked(&semaphore);
        semaphore.post(1).unwrap();
        receive(&party);
        drop(planned);
    }
}

#[test]
fn what_the_look_won_for_who_is_gone_goes_back_as_it_was_taken() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let (_, glance) = glance(&semaphore, &party);
        during(glance, &semaphore, || {
            party.mailbox.close();
            semaphore.post(1).unwrap();
        });
        assert_eq!((units(&semaphore), semaphore.permits()), (1, 0));
    }
}

#[test]
fn what_the_look_won_for_a_signal_becomes_a_permit_for_who_waits_for_one() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party, other) = (named.create(0), Party::new(), Party::new());
        let (ticket, glance) = glance(&semaphore, &party);
        during(glance, &semaphore, || {
            // Behind it, and then in its place.
            let next = semaphore.start_acquire(&other.mailbox, Lanes::OWN).unwrap();
            assert!(matches!(next, Wait::Pending(_, Work::Nothing)));
            semaphore.cancel(ticket, &party.mailbox);
            semaphore.post(1).unwrap();
        });
        receive(&other);
        assert_eq!((units(&semaphore), semaphore.permits()), (0, 1));
        // With an undo record of its own: released, it leaves none.
        semaphore.release().unwrap();
        assert_eq!(units(&semaphore), 1);
    }
}

#[test]
fn a_cancelled_wait_is_not_looked_for() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let (ticket, glance) = glance(&semaphore, &party);
        semaphore.cancel(ticket, &party.mailbox);
        semaphore.post(1).unwrap();
        glance.run(LIMIT);
        assert_eq!((units(&semaphore), semaphore.info().unwrap().pending), (1, 0));
    }
}

#[test]
fn a_removal_during_the_look_ends_the_wait() {
    for backend in system_v() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let (_, glance) = glance(&semaphore, &party);
        during(glance, &semaphore, || {
            semaphore.unlink().unwrap();
        });
        match party.collect_all(1).remove(0).1 {
            Delivery::Failed(error) => assert_eq!(error.errno(), Some(Errno::EIDRM)),
            Delivery::Granted(_) => panic!("a unit out of nothing"),
        }
    }
}
