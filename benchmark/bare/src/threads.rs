//! Threads that wait in the kernel, and one that gives units and waits until one of them has it.

use std::sync::atomic::Ordering;
use std::thread;

use crate::ipc::{REMOVING, check, remove_set, semop, set};
use crate::{Done, Work};

/// A thread a semaphore; the units go to one after the other.
pub fn one_a_semaphore(count: u16, object: &str) -> (Work, Box<dyn FnOnce()>) {
    served(count, count, object)
}

/// All threads on one semaphore.
pub fn all_on_one(count: u16, object: &str) -> (Work, Box<dyn FnOnce()>) {
    served(count, 1, object)
}

fn served(threads: u16, semaphores: u16, object: &str) -> (Work, Box<dyn FnOnce()>) {
    let sets: Vec<i32> = (0..semaphores).map(|index| set(&format!("{object}-{index}"), 1)).collect();
    let event = check(unsafe { libc::eventfd(0, 0) });
    for index in 0..threads {
        let set = sets[usize::from(index % semaphores)];
        thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || {
                loop {
                    semop(set, 0, -1, 0);
                    let one: u64 = 1;
                    check(unsafe { libc::write(event, (&raw const one).cast(), 8) } as i32);
                }
            })
            .unwrap();
    }
    // Until all of them are in the kernel.
    thread::sleep(std::time::Duration::from_millis(200));
    let theirs = sets.clone();
    let mut next = 0;
    let work = move |count| {
        for _ in 0..count {
            next = (next + 1) % theirs.len();
            semop(theirs[next], 0, 1, 0);
            let mut arrived: u64 = 0;
            check(unsafe { libc::read(event, (&raw mut arrived).cast(), 8) } as i32);
        }
        Done { extras: format!(",\"threads\":{threads}"), ..Done::times(count) }
    };
    let cleanup = move || {
        REMOVING.store(true, Ordering::SeqCst);
        for set in sets {
            remove_set(set);
        }
        std::process::exit(0);
    };
    (Box::new(work), Box::new(cleanup))
}
