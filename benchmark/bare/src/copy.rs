//! The C library's memcpy between a segment and memory of our own.

use std::ptr;

use crate::ipc::{BYTES, map, own, unlink};
use crate::{Done, Work};

pub fn at_offset(read: bool, offset: usize, object: &str) -> (Work, Box<dyn FnOnce()>) {
    let shared = map(object, BYTES);
    let private = own(offset, BYTES);
    // A first copy, so that both hold the same bytes and all pages are there.
    unsafe {
        ptr::copy_nonoverlapping(private, shared, BYTES);
        ptr::write_bytes(if read { private } else { shared }, 0, BYTES);
    }
    let name = object.to_owned();
    let work = move |count| {
        for _ in 0..count {
            let (from, to) = if read { (shared, private) } else { (private, shared) };
            unsafe { libc::memcpy(std::hint::black_box(to).cast(), from.cast(), BYTES) };
        }
        let arrived = Some((if read { private } else { shared }).cast_const());
        Done { arrived, ..Done::of(count, count * BYTES as u64) }
    };
    (Box::new(work), Box::new(move || unlink(&name)))
}
