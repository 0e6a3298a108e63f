//! A wait of the calling thread, as one waiter of the list.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::executors::Executors;
use super::grant::Holder;
use super::hub::{self, Host};
use super::mailbox::{Delivery, Mailbox};
use super::queue::{Queue, Wait, Waiter};
use super::source::Request;
use crate::error::Result;
use crate::sync::{Condvar, Mutex};

/// Takes for the request, and blocks until it has it; false if the deadline comes first. A permit is with the holder then.
///
/// This is the timed wait for kernels without one, and the wait for a source that no call waits for: the thread sleeps on
/// a condition variable, which has a clock.
pub(crate) fn block_in_queue(
    queue: &Queue,
    request: Request,
    holder: &Arc<Holder>,
    deadline: Option<Instant>,
) -> Result<bool> {
    // Where the hub has no thread, this one serves it: it is woken itself then, and not by another thread.
    let mut host = if queue.counter().watched().is_some() { Host::begin() } else { None };
    let hosts = host.is_some();
    let arrived = Arc::new((Mutex::new(false), Condvar::new()));
    let wake = {
        let arrived = Arc::clone(&arrived);
        move || {
            *arrived.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            if hosts {
                hub::rouse();
            } else {
                arrived.1.notify_one();
            }
        }
    };
    let mailbox = Arc::new(Mailbox::new(wake));
    let waiter = Waiter {
        request,
        holder: Arc::clone(holder),
        mailbox: Arc::clone(&mailbox),
        executors: Executors::THREAD,
    };
    let waiter = match queue.wait(waiter)? {
        Wait::Done => return Ok(true),
        Wait::Pending(waiter, _) => waiter,
    };
    let is_here = || *arrived.0.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut host {
        Some(host) => host.serve_until(deadline, is_here),
        None => sleep_until(deadline, &arrived),
    }
    let outcome = mailbox.collect().delivered.pop_first();
    if outcome.is_none() {
        queue.cancel(waiter, &mailbox);
    }
    drop(host);
    match outcome {
        None => Ok(false),
        Some((_, Delivery::Failed(error))) => Err(error),
        Some((_, Delivery::Granted(grant))) => {
            grant.hand_over();
            Ok(true)
        }
    }
}

/// Sleeps until the flag is set, or until the deadline.
fn sleep_until(deadline: Option<Instant>, flag: &(Mutex<bool>, Condvar)) {
    let mut here = flag.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*here {
        here = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => flag.1.wait(here).unwrap_or_else(PoisonError::into_inner),
            Some(left) if left.is_zero() => return,
            Some(left) => flag.1.wait_timeout(here, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}
