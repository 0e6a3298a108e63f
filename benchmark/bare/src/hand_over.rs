//! A unit to another process and back.

use crate::ipc::{end, fork, remove_set, semop, set};
use crate::{Done, Work};

pub fn between_processes(object: &str) -> (Work, Box<dyn FnOnce()>) {
    let set = set(object, 2);
    let child = fork(|| {
        loop {
            semop(set, 0, -1, 0);
            semop(set, 1, 1, 0);
        }
    });
    let work = move |count| {
        for _ in 0..count {
            semop(set, 0, 1, 0);
            semop(set, 1, -1, 0);
        }
        Done::times(count)
    };
    let cleanup = move || {
        end(child);
        remove_set(set);
    };
    (Box::new(work), Box::new(cleanup))
}
