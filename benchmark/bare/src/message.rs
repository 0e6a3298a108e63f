//! 146,000 bytes to another process: a segment, a semaphore that says it is full, one that says it was read.

use std::ptr;

use crate::ipc::{BYTES, end, fork, map, own, remove_set, semop, set, unlink};
use crate::{Done, Work};

pub fn between_processes(object: &str) -> (Work, Box<dyn FnOnce()>) {
    let set = set(object, 2);
    let shared = map(object, BYTES);
    let data = own(0, BYTES);
    let target = own(0, BYTES);
    unsafe { ptr::write_bytes(target, 0, BYTES) };
    let child = fork(|| {
        loop {
            semop(set, 0, -1, 0);
            unsafe { ptr::copy_nonoverlapping(shared, target, BYTES) };
            std::hint::black_box(target);
            semop(set, 1, 1, 0);
        }
    });
    let name = object.to_owned();
    let work = move |count| {
        for _ in 0..count {
            unsafe { ptr::copy_nonoverlapping(data, shared, BYTES) };
            semop(set, 0, 1, 0);
            semop(set, 1, -1, 0);
        }
        Done { arrived: Some(target.cast_const()), ..Done::of(count, count * BYTES as u64) }
    };
    let cleanup = move || {
        end(child);
        remove_set(set);
        unlink(&name);
    };
    (Box::new(work), Box::new(cleanup))
}
