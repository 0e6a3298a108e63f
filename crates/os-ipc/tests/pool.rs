//! Waits on threads of libuv's pool, here threads of the tests: never more than our share of the pool.

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use common::{Named, Party, backends, units, until_blocked};
use os_ipc::{Delivery, Executors, PoolWork, Semaphore, Wait, Work, leave_pool_queue, set_pool_size};

/// Serialises the tests: the whole program has one pool.
fn pool_of(threads: usize) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_pool_size(threads);
    alone
}

fn start(semaphore: &Semaphore, party: &Party) -> Option<PoolWork> {
    match semaphore.start_wait(&party.mailbox, Executors::POOL).unwrap() {
        Wait::Pending(_, Work::Pool(work)) => Some(work),
        Wait::Pending(..) => None,
        Wait::Done => panic!("expected a pending wait"),
    }
}

fn receive(party: &Party) {
    for (_, delivery) in party.collect() {
        match delivery {
            Delivery::Granted(unit) => unit.hand_over(),
            Delivery::Failed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn one_of_four_threads_is_ours() {
    for (threads, ours) in [(0, 0), (3, 0), (4, 1), (7, 1), (8, 2), (64, 16)] {
        let _alone = pool_of(threads);
        let names: Vec<_> = (0..20).flat_map(|_| backends().map(Named::new)).collect();
        let semaphores: Vec<_> = names.iter().map(|named| named.create(0)).collect();
        let party = Party::new();
        let works: Vec<_> = semaphores.iter().filter_map(|semaphore| start(semaphore, &party)).collect();
        assert_eq!(works.len(), ours, "of {threads}");
        for semaphore in &semaphores {
            semaphore.cancel_all(&party.mailbox);
        }
        drop(works);
    }
}

#[test]
fn a_pool_thread_drives_until_the_list_is_empty() {
    let _alone = pool_of(4);
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let work = start(&semaphore, &party).unwrap();
        assert!(start(&semaphore, &party).is_none(), "the queue has a driver already");
        thread::scope(|scope| {
            let served = scope.spawn(|| work.run());
            semaphore.post(1).unwrap();
            receive(&party);
            semaphore.post(1).unwrap();
            receive(&party);
            served.join().unwrap();
        });
        assert_eq!(units(&semaphore), 0);
        // The place in the pool is free again.
        drop(start(&semaphore, &party).unwrap());
        semaphore.cancel_all(&party.mailbox);
    }
}

#[test]
fn a_cancelled_wait_interrupts_the_pool_thread() {
    let _alone = pool_of(4);
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let work = start(&semaphore, &party).unwrap();
        thread::scope(|scope| {
            let served = scope.spawn(|| work.run());
            until_blocked(&semaphore);
            semaphore.cancel_all(&party.mailbox);
            served.join().unwrap();
        });
    }
}

#[test]
fn an_unreferenced_handle_leaves_the_pool_and_waits_on() {
    let _alone = pool_of(4);
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let work = start(&semaphore, &party).unwrap();
        thread::scope(|scope| {
            let served = scope.spawn(|| work.run());
            until_blocked(&semaphore);
            semaphore.allow_pool(false);
            served.join().unwrap();
        });
        semaphore.post(1).unwrap();
        receive(&party);
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn work_that_queues_too_long_moves_to_a_thread_of_ours() {
    let _alone = pool_of(4);
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        let late = start(&semaphore, &party).unwrap();
        semaphore.post(1).unwrap();
        assert!(party.mailbox.collect().delivered.is_empty());
        leave_pool_queue();
        receive(&party);
        // The late work finds nothing to do.
        late.run();
        assert_eq!(units(&semaphore), 0);
    }
}

#[test]
fn dropped_work_is_done_by_another_thread() {
    let _alone = pool_of(4);
    for backend in backends() {
        let named = Named::new(backend);
        let (semaphore, party) = (named.create(0), Party::new());
        drop(start(&semaphore, &party).unwrap());
        semaphore.post(1).unwrap();
        receive(&party);
        assert_eq!(units(&semaphore), 0);
    }
}
