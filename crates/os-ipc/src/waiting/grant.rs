//! A taken unit, on its way to its waiter.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

use super::queue::Queue;
use super::source::{Request, Token};

/// The holder of permits: one handle on a semaphore.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    permits: AtomicUsize,
    /// The token of the last permit.
    token: AtomicI32,
    /// The time when the holder last joined a list, by the clock of the host.
    asked: AtomicU64,
}

impl Holder {
    /// Adds a permit.
    pub(crate) fn add(&self, token: Token) {
        self.token.store(token.0, Ordering::Relaxed);
        self.permits.fetch_add(1, Ordering::Relaxed);
    }

    /// Removes a permit; false if the holder has no permit.
    pub(crate) fn remove(&self) -> bool {
        let less = |permits: usize| permits.checked_sub(1);
        self.permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// The token of the last permit.
    pub(crate) fn token(&self) -> Token {
        Token(self.token.load(Ordering::Relaxed))
    }

    /// The holder joins a list at this time.
    pub(crate) fn asks(&self, time: u64) {
        self.asked.store(time, Ordering::Relaxed);
    }

    /// The time when the holder last joined a list; 0 for never.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The number of permits that the holder has.
    pub(crate) fn permits(&self) -> usize {
        self.permits.load(Ordering::Relaxed)
    }
}

/// A unit that this process took and that its waiter does not have yet.
///
/// A grant that is dropped goes to the next waiter of its queue, or back to the kernel: no unit is lost on the way.
pub struct Grant {
    queue: Arc<Queue>,
    holder: Arc<Holder>,
    request: Request,
    token: Token,
    handed_over: bool,
}

impl Grant {
    /// A unit that was just taken from the counter of `queue`, for `holder`.
    pub(super) fn new(queue: Arc<Queue>, holder: Arc<Holder>, request: Request, token: Token) -> Self {
        Self { queue, holder, request, token, handed_over: false }
    }

    /// Gives the unit to the waiter: as a permit or for good, as the waiter asked.
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

    /// Ends the guard: the unit belongs to the caller again.
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
