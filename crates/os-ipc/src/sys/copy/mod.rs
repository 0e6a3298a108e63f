//! Copies between shared memory and private memory.
//!
//! Other processes write what we read and read what we write, so there is never a `&[u8]` over it: only raw pointers.
//! A piece of 1, 2, 4 or 8 bytes whose shared address is a multiple of its length is one load or one store; any other
//! piece can be seen half done.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "pieces.rs")]
mod large;
#[cfg(target_arch = "x86_64")]
mod pieces;

use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use large::copy_large;

/// The fewest bytes that are not left to the C library's memcpy: see [`copy_large`].
const LARGE: usize = 2048;

/// Copies out of shared memory.
///
/// # Safety
/// - `shared` is readable and `own` is writable, both for `length` bytes.
pub(super) unsafe fn load(shared: *const u8, own: *mut u8, length: usize) {
    // SAFETY: each arm touches `length` bytes of both, and only where the address suits the atomic type.
    unsafe {
        match length {
            1 => own.write(AtomicU8::from_ptr(shared.cast_mut()).load(Ordering::Relaxed)),
            2 if is_aligned::<AtomicU16>(shared) => {
                own.cast::<u16>().write_unaligned(AtomicU16::from_ptr(word(shared)).load(Ordering::Relaxed));
            }
            4 if is_aligned::<AtomicU32>(shared) => {
                own.cast::<u32>().write_unaligned(AtomicU32::from_ptr(word(shared)).load(Ordering::Relaxed));
            }
            8 if is_aligned::<AtomicU64>(shared) => {
                own.cast::<u64>().write_unaligned(AtomicU64::from_ptr(word(shared)).load(Ordering::Relaxed));
            }
            _ => copy(shared, own, length),
        }
    }
}

/// Copies into shared memory.
///
/// # Safety
/// - `own` is readable and `shared` is writable, both for `length` bytes.
pub(super) unsafe fn store(own: *const u8, shared: *mut u8, length: usize) {
    // SAFETY: as in `load`.
    unsafe {
        match length {
            1 => AtomicU8::from_ptr(shared).store(own.read(), Ordering::Relaxed),
            2 if is_aligned::<AtomicU16>(shared) => {
                AtomicU16::from_ptr(word(shared))
                    .store(own.cast::<u16>().read_unaligned(), Ordering::Relaxed);
            }
            4 if is_aligned::<AtomicU32>(shared) => {
                AtomicU32::from_ptr(word(shared))
                    .store(own.cast::<u32>().read_unaligned(), Ordering::Relaxed);
            }
            8 if is_aligned::<AtomicU64>(shared) => {
                AtomicU64::from_ptr(word(shared))
                    .store(own.cast::<u64>().read_unaligned(), Ordering::Relaxed);
            }
            _ => copy(own, shared, length),
        }
    }
}

/// # Safety
/// - `source` is readable and `target` is writable, both for `length` bytes; they may overlap.
unsafe fn copy(source: *const u8, target: *mut u8, length: usize) {
    let apart = source.addr().abs_diff(target.addr()) >= length;
    // SAFETY: the caller's; the two that want separate ranges get them.
    unsafe {
        if !apart {
            ptr::copy(source, target, length);
        } else if length < LARGE {
            ptr::copy_nonoverlapping(source, target, length);
        } else {
            copy_large(source, target, length);
        }
    }
}

fn is_aligned<Word>(shared: *const u8) -> bool {
    shared.addr().is_multiple_of(align_of::<Word>())
}

/// `shared` as the address of a word; the caller has checked its alignment.
#[allow(clippy::cast_ptr_alignment, reason = "is_aligned was true")]
fn word<Word>(shared: *const u8) -> *mut Word {
    shared.cast_mut().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(length: usize) -> Vec<u8> {
        (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
    }

    #[test]
    fn every_length_and_offset_arrives_and_nothing_around_it_changes() {
        // Miri interprets each byte.
        let (large, offsets): (&[usize], &[usize]) = if cfg!(miri) {
            (&[2049], &[0, 1, 7, 16])
        } else {
            (
                &[2047, 2048, 2049, 4095, 4096, 4097, 146_000],
                &[0, 1, 2, 3, 7, 8, 16, 31, 32, 48, 63, 64, 4080],
            )
        };
        for length in (0..40).chain(large.iter().copied()) {
            for &offset in offsets {
                let source = numbers(length);
                let mut target = vec![255; offset + length + 100];
                // SAFETY: `target` has room for `length` bytes behind `offset`.
                unsafe { load(source.as_ptr(), target.as_mut_ptr().add(offset), length) };
                assert_eq!(&target[offset..offset + length], &source, "{length} at {offset}");
                assert!(target[..offset].iter().chain(&target[offset + length..]).all(|&byte| byte == 255));
                let mut back = vec![255; length + 100];
                // SAFETY: `target` holds `length` bytes behind `offset`, and `back` has room for them.
                unsafe { store(target.as_ptr().add(offset), back.as_mut_ptr(), length) };
                assert_eq!(&back[..length], &source, "{length} at {offset}");
                assert!(back[length..].iter().all(|&byte| byte == 255));
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "20 MB take Miri hours")]
    fn a_copy_larger_than_the_caches_arrives() {
        let source = numbers(20 << 20);
        let mut target = vec![0; (20 << 20) + 7];
        // SAFETY: `target` has room for `source` behind its first 7 bytes.
        unsafe { store(source.as_ptr(), target.as_mut_ptr().add(7), source.len()) };
        assert!(target[7..] == source[..]);
    }

    #[test]
    fn ranges_that_overlap_are_copied_as_if_they_did_not() {
        let length = if cfg!(miri) { 3_000 } else { 20_000 };
        for (from, to) in [(0, 16), (16, 0), (0, length / 4), (length / 4, 0)] {
            let mut bytes = numbers(length + length / 2);
            let mut expected = bytes.clone();
            expected.copy_within(from..from + length, to);
            let start = bytes.as_mut_ptr();
            // SAFETY: both ranges lie within `bytes`.
            unsafe { load(start.add(from), start.add(to), length) };
            assert_eq!(bytes, expected);
        }
    }
}
