//! While spinning is forbidden, no party spins. The only test of its program: the switch is for the whole process.

mod common;

use common::{Named, Party, backends};
use os_ipc::{Delivery, Executors, Wait, Work, is_spinning, set_spinning, set_spinning_by_default};

/// More short waits than a party needs before it may spin.
const MANY: usize = 200;

const EVENT_LOOP: Executors = Executors { pool: false, event_loop: true };

#[test]
fn no_wait_is_left_to_an_event_loop_while_spinning_is_forbidden() {
    set_spinning_by_default(false);
    assert!(!is_spinning());
    for backend in backends() {
        let named = Named::new(backend);
        let semaphore = named.create(0);
        let party = Party::new();
        for _ in 0..MANY {
            let Wait::Pending(_, work) = semaphore.start_wait(&party.mailbox, EVENT_LOOP).unwrap() else {
                panic!("expected a pending wait");
            };
            assert!(!matches!(work, Work::Poll(_)), "{backend:?}");
            semaphore.post(1).unwrap();
            for (_, delivery) in party.collect_all(1) {
                match delivery {
                    Delivery::Granted(unit) => unit.hand_over(),
                    Delivery::Failed(error) => panic!("{error}"),
                }
            }
        }
    }
    set_spinning(true);
    set_spinning_by_default(false);
    assert!(is_spinning(), "the program's own decision stays");
}
