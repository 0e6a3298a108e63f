//! Pointers into the mapped range that outlive the [`SharedMemory`](super::SharedMemory) they came from.

use std::ops::Deref;
use std::ptr::NonNull;
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
    farewell: Option<Farewell>,
}

/// The last accesses of a user of the memory, which come before the range shows zeros.
pub(crate) type Farewell = Box<dyn FnOnce(&Mapping) + Send>;

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
        self.take_leave();
        let mut terms = self.terms();
        terms.withdrawn = true;
        self.vacate_if_due(&terms);
    }

    /// Runs the farewell, once. A memory that is withdrawn has had it.
    fn take_leave(&self) {
        let farewell = self.terms().farewell.take();
        if let Some(farewell) = farewell {
            farewell(&self.mapping);
        }
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
    /// Runs `farewell` at [`take_leave`](Self::take_leave), or before that if the memory is withdrawn: Node can run the finalizer
    /// of an `ArrayBuffer` before the hook that ends the environment.
    pub(crate) fn before_withdrawal(&self, farewell: Farewell) {
        self.0.terms().farewell = Some(farewell);
    }

    /// Runs the farewell now, unless it ran before.
    pub(crate) fn take_leave(&self) {
        self.0.take_leave();
    }

    /// The lease may end late, in a finalizer of another thread: the code of this library stays loaded for it.
    pub(super) fn on(lent: &Arc<Lent>) -> Self {
        module::pin();
        Self(Arc::clone(lent))
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.0
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
