//! A process that is about to exit: its waits leave the pool for good. The only test of its program, for that reason.

mod common;

use std::thread;

use common::{Named, Party, backends, units, until_blocked};
use os_ipc::{Delivery, Executors, PoolWork, Semaphore, Wait, Work, leave_pool, set_pool_size};

#[test]
fn every_wait_leaves_the_pool_and_goes_on_elsewhere() {
    set_pool_size(16);
    let names: Vec<_> = backends().map(Named::new).collect();
    let semaphores: Vec<_> = names.iter().map(|named| named.create(0)).collect();
    let party = Party::new();
    let start = |semaphore: &Semaphore| -> Option<PoolWork> {
        match semaphore.start_wait(&party.mailbox, Executors::POOL).unwrap() {
            Wait::Pending(_, Work::Pool(work)) => Some(work),
            Wait::Pending(..) => None,
            Wait::Done => panic!("expected a pending wait"),
        }
    };
    let works: Vec<_> = semaphores.iter().map(|semaphore| start(semaphore).unwrap()).collect();
    thread::scope(|scope| {
        let served: Vec<_> = works.into_iter().map(|work| scope.spawn(|| work.run())).collect();
        for semaphore in &semaphores {
            until_blocked(semaphore);
        }
        leave_pool();
        for thread in served {
            thread.join().unwrap();
        }
    });
    // They still wait, and no new wait gets a place in the pool.
    assert!(semaphores.iter().all(|semaphore| semaphore.info().unwrap().pending == 1));
    assert!(semaphores.iter().all(|semaphore| start(semaphore).is_none()));
    for semaphore in &semaphores {
        semaphore.post(2).unwrap();
    }
    for (_, delivery) in party.collect_all(2 * semaphores.len()) {
        match delivery {
            Delivery::Granted(unit) => unit.hand_over(),
            Delivery::Failed(error) => panic!("{error}"),
        }
    }
    assert!(semaphores.iter().all(|semaphore| units(semaphore) == 0));
}
