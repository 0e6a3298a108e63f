//! The accesses to mapped memory. Each of them stays within the range.

use std::cell::Cell;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU32, AtomicU64};

use super::Mapping;
use crate::sys::copy;

impl Mapping {
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(crate) fn length(&self) -> usize {
        self.length.get()
    }

    /// Copies `target.len()` bytes from `position` on.
    pub(crate) fn load(&self, position: usize, target: &[Cell<u8>]) {
        let shared = self.at(position, target.len());
        // SAFETY: `at` checked the range; `target` is writable through its cells.
        unsafe { copy::load(shared, target.as_ptr().cast::<u8>().cast_mut(), target.len()) };
    }

    /// The byte at `position`.
    pub(crate) fn byte(&self, position: usize) -> u8 {
        let byte = Cell::new(0);
        self.load(position, slice::from_ref(&byte));
        byte.get()
    }

    /// Copies `source` to `position`.
    pub(crate) fn store(&self, position: usize, source: &[u8]) {
        let shared = self.writable_at(position, source.len());
        // SAFETY: `writable_at` checked the range; nothing else can write to `source` meanwhile.
        unsafe { copy::store(source.as_ptr(), shared, source.len()) };
    }

    /// Does what [`store`](Self::store) does, from memory that this thread reaches in other ways too, even this range.
    pub(crate) fn store_cells(&self, position: usize, source: &[Cell<u8>]) {
        let shared = self.writable_at(position, source.len());
        // SAFETY: `writable_at` checked the range.
        unsafe { copy::store(source.as_ptr().cast(), shared, source.len()) };
    }

    /// The 32-bit word at `position`, which is a multiple of 4. Other processes change it by atomic operations only.
    ///
    /// In a range that is mapped for reading, it is only read.
    #[allow(clippy::cast_ptr_alignment, reason = "the position is checked, and the range starts at a page")]
    pub(crate) fn word(&self, position: usize) -> &AtomicU32 {
        assert!(position.is_multiple_of(4), "an unaligned word");
        let word = self.at(position, 4).cast::<u32>();
        // SAFETY: `at` checked the range, which starts at a page, so the word is aligned; it stays mapped as long
        // as `self`. An `AtomicU32` may change at any moment.
        unsafe { AtomicU32::from_ptr(word) }
    }

    /// The 64-bit word at `position`, which is a multiple of 8.
    #[allow(clippy::cast_ptr_alignment, reason = "as for `word`")]
    pub(crate) fn long(&self, position: usize) -> &AtomicU64 {
        assert!(position.is_multiple_of(8), "an unaligned word");
        let word = self.at(position, 8).cast::<u64>();
        // SAFETY: as for `word`.
        unsafe { AtomicU64::from_ptr(word) }
    }

    /// Fills the whole range with zeros.
    pub(crate) fn clear(&self) {
        let shared = self.writable_at(0, self.length.get());
        // SAFETY: `writable_at` checked the range.
        unsafe { shared.write_bytes(0, self.length.get()) };
    }

    fn writable_at(&self, position: usize, length: usize) -> *mut u8 {
        assert!(self.writable, "a store to memory that was mapped for reading");
        self.at(position, length)
    }

    fn at(&self, position: usize, length: usize) -> *mut u8 {
        let end = position.checked_add(length);
        assert!(end.is_some_and(|end| end <= self.length.get()), "a copy beyond the mapped range");
        // SAFETY: `position` is within the range.
        unsafe { self.start.add(position) }.as_ptr()
    }
}
