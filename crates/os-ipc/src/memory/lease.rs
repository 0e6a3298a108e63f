//! Pointers into the mapped range that outlive the [`SharedMemory`](super::SharedMemory) they came from.

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys::mapping::Mapping;
use crate::sys::module;

/// A mapped range, and what its leases agreed on.
pub(super) struct Lent {
    mapping: Mapping,
    terms: Mutex<Terms>,
}

/// The range is vacated when it is withdrawn and has no shared lease.
#[derive(Default)]
struct Terms {
    shared_leases: usize,
    withdrawn: bool,
}

/// Keeps the range of a [`SharedMemory`](super::SharedMemory) mapped after that was dropped: for pointers in other hands.
pub struct Lease(Arc<Lent>);

/// Keeps the memory itself in the range: for pointers in other hands that cannot be taken back.
///
/// It may end on any thread.
pub struct SharedLease(Arc<Lent>);

impl Lent {
    pub(super) fn new(mapping: Mapping) -> Self {
        Self { mapping, terms: Mutex::default() }
    }

    /// From now on the range shows zeros, or from the end of the last shared lease on.
    pub(super) fn withdraw(&self) {
        let mut terms = self.terms();
        terms.withdrawn = true;
        self.vacate_if_due(&terms);
    }

    fn vacate_if_due(&self, terms: &Terms) {
        if terms.withdrawn && terms.shared_leases == 0 {
            // If this fails (a segment of huge pages with a size that is no multiple), the leases keep the object.
            let _ = self.mapping.vacate();
        }
    }

    fn terms(&self) -> MutexGuard<'_, Terms> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Lent {
    type Target = Mapping;

    fn deref(&self) -> &Mapping {
        &self.mapping
    }
}

impl Lease {
    /// The 32-bit word at `position`, a multiple of 4, of writable memory.
    pub(crate) fn word(&self, position: usize) -> &AtomicU32 {
        self.0.word(position)
    }

    /// The 64-bit word at `position`, a multiple of 8, of writable memory.
    pub(crate) fn long(&self, position: usize) -> &AtomicU64 {
        self.0.long(position)
    }

    /// The lease may end late, in a finalizer of another thread: the code of this library stays loaded for it.
    pub(super) fn on(lent: &Arc<Lent>) -> Self {
        module::pin();
        Self(Arc::clone(lent))
    }

    /// The start of the range.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.0.start()
    }

    /// The length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.length()
    }

    /// Takes the memory away and keeps its range mapped until the process ends. The range shows zeros once no shared lease
    /// is left.
    pub fn withdraw_for_ever(self) {
        self.0.withdraw();
        std::mem::forget(self);
    }
}

impl SharedLease {
    /// The code of this library stays loaded, as for a [`Lease`].
    pub(super) fn on(lent: &Arc<Lent>) -> Self {
        module::pin();
        lent.terms().shared_leases += 1;
        Self(Arc::clone(lent))
    }

    /// The start of the range.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.0.start()
    }

    /// The length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.length()
    }
}

impl Drop for SharedLease {
    fn drop(&mut self) {
        let mut terms = self.0.terms();
        terms.shared_leases -= 1;
        self.0.vacate_if_due(&terms);
    }
}
