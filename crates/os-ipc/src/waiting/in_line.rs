//! A wait of the calling thread, as one ticket among the others.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::counter::Hold;
use super::lanes::Lanes;
use super::mailbox::{Delivery, Mailbox};
use super::queue::{Queue, Ticket, Wait};
use super::unit::Holder;
use crate::error::Result;
use crate::sync::{Condvar, Mutex};

/// Takes a unit for good, and blocks until one is there; false when the deadline is over first.
///
/// This is the timed wait of a kernel that has none: the thread sleeps on a condition variable, which has a clock.
pub(crate) fn wait_in_line(queue: &Queue, holder: &Arc<Holder>, deadline: Option<Instant>) -> Result<bool> {
    let arrived = Arc::new((Mutex::new(false), Condvar::new()));
    let wake = {
        let arrived = Arc::clone(&arrived);
        move || {
            *arrived.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            arrived.1.notify_one();
        }
    };
    let mailbox = Arc::new(Mailbox::new(wake));
    let ticket = Ticket {
        hold: Hold::Loose,
        holder: Arc::clone(holder),
        mailbox: Arc::clone(&mailbox),
        lanes: Lanes::OWN,
    };
    let ticket = match queue.wait(ticket)? {
        Wait::Done => return Ok(true),
        Wait::Pending(ticket, _) => ticket,
    };
    let mut here = arrived.0.lock().unwrap_or_else(PoisonError::into_inner);
    while !*here {
        here = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => arrived.1.wait(here).unwrap_or_else(PoisonError::into_inner),
            Some(left) if left.is_zero() => break,
            Some(left) => arrived.1.wait_timeout(here, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
    drop(here);
    let outcome = mailbox.collect().delivered.pop_first();
    if outcome.is_none() {
        queue.cancel(ticket, &mailbox);
    }
    match outcome {
        None => Ok(false),
        Some((_, Delivery::Failed(error))) => Err(error),
        Some((_, Delivery::Granted(unit))) => {
            unit.hand_over();
            Ok(true)
        }
    }
}
