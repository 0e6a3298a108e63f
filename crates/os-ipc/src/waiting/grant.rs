//! What was taken, on its way to its waiter.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

use super::queue::Queue;
use super::source::{Request, Token};

/// What waits: one handle on a semaphore, and the permits it has.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    permits: AtomicUsize,
    /// Where the last one came from.
    token: AtomicI32,
    /// When it last joined a list, by the clock of the host.
    asked: AtomicU64,
}

impl Holder {
    /// One more permit.
    pub(crate) fn add(&self, token: Token) {
        self.token.store(token.0, Ordering::Relaxed);
        self.permits.fetch_add(1, Ordering::Relaxed);
    }

    /// One permit less; false when there is none.
    pub(crate) fn remove(&self) -> bool {
        let less = |permits: usize| permits.checked_sub(1);
        self.permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Where its last permit came from.
    pub(crate) fn token(&self) -> Token {
        Token(self.token.load(Ordering::Relaxed))
    }

    /// It joins a list.
    pub(crate) fn asks(&self, time: u64) {
        self.asked.store(time, Ordering::Relaxed);
    }

    /// When it last joined a list; 0 for never.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many permits it has.
    pub(crate) fn permits(&self) -> usize {
        self.permits.load(Ordering::Relaxed)
    }
}

/// A unit that this process took and that its waiter does not have yet.
///
/// Dropped, it goes to the next waiter of its queue, or back to the kernel: it cannot be lost on the way.
pub struct Grant {
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    request: Request,
    token: Token,
    handed_over: bool,
}

impl Grant {
    /// A unit just taken from the counter of `queue`, for `holder`.
    pub(super) fn new(queue: Arc<Queue>, holder: Arc<Holder>, request: Request, token: Token) -> Self {
        Self { queue, holder, request, token, handed_over: false }
    }

    /// The waiter has it: as a permit, or for good, as it asked for.
    pub fn hand_over(mut self) {
        self.handed_over = true;
        let counter = self.queue.counter();
        // The only failure is a set that was removed meanwhile: then there is nothing left to disown.
        match self.request {
            Request::Permit | Request::Shared | Request::Exclusive => {
                self.holder.add(self.token);
            }
            Request::Unit => drop(counter.disown(self.token)),
            Request::Shrink(_) => {}
        }
    }

    /// Ends the guard: the caller has the unit again.
    pub(super) fn disarm(mut self) {
        self.handed_over = true;
    }

    pub(super) fn is_for(&self, holder: &Arc<Holder>) -> bool {
        Arc::ptr_eq(&self.holder, holder)
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if !self.handed_over {
            self.queue.pass_on(self.request, self.token);
        }
    }
}
