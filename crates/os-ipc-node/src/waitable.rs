//! What JavaScript waits for by a handle: a semaphore or a limit. Both are waited for in the same way.

use std::sync::Arc;
use std::time::Duration;

use os_ipc::{Executors, Limit, Mailbox, Result, Semaphore, Wait, WaiterId};

/// The timeout of a blocking call, from milliseconds. One that is too long for a Duration is as good as none.
pub(crate) fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX)
}

pub(crate) enum Waitable {
    Semaphore(Semaphore),
    Limit(Limit),
}

impl Waitable {
    /// Takes a unit for good, or a permit; or waits for it.
    pub(crate) fn start(&self, mailbox: &Arc<Mailbox>, executors: Executors) -> Result<Wait> {
        match self {
            Self::Semaphore(semaphore) => semaphore.start_wait(mailbox, executors),
            Self::Limit(limit) => limit.start_acquire(mailbox, executors),
        }
    }

    pub(crate) fn cancel(&self, ticket: WaiterId, mailbox: &Mailbox) {
        match self {
            Self::Semaphore(semaphore) => semaphore.cancel(ticket, mailbox),
            Self::Limit(limit) => limit.cancel(ticket, mailbox),
        }
    }

    pub(crate) fn cancel_all(&self, mailbox: &Mailbox) {
        match self {
            Self::Semaphore(semaphore) => semaphore.cancel_all(mailbox),
            Self::Limit(limit) => limit.cancel_all(mailbox),
        }
    }

    pub(crate) fn withdraw(&self, mailbox: &Mailbox) {
        match self {
            Self::Semaphore(semaphore) => semaphore.withdraw(mailbox),
            Self::Limit(limit) => limit.withdraw(mailbox),
        }
    }

    pub(crate) fn allow_pool(&self, allowed: bool) {
        match self {
            Self::Semaphore(semaphore) => semaphore.allow_pool(allowed),
            Self::Limit(limit) => limit.allow_pool(allowed),
        }
    }

    /// Whether the process would lose something with it.
    pub(crate) fn is_held(&self) -> bool {
        match self {
            Self::Semaphore(_) => false,
            Self::Limit(limit) => limit.held() > 0,
        }
    }

    pub(crate) fn before_exit(&self) {
        match self {
            Self::Semaphore(_) => {}
            Self::Limit(limit) => limit.before_exit(),
        }
    }
}
