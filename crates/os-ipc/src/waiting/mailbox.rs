//! Where a waiter's outcome arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::glance::Glance;
use super::look::Look;
use super::pace::Pace;
use super::queue::TicketId;
use super::unit::{Holder, Unit};
use crate::error::Error;
use crate::sync::{Mutex, MutexGuard};

/// The outcome of a wait.
pub enum Delivery {
    /// It has a unit; dropping it gives the unit away again.
    Granted(Unit),
    /// It failed.
    Failed(Error),
}

/// The outcomes that one waiting party (a JavaScript environment, a blocked thread) has not looked at yet.
pub struct Mailbox {
    inside: Mutex<Inside>,
}

/// What arrived since the party looked last.
#[derive(Default)]
pub struct Arrived {
    /// Outcomes, in the order of the tickets.
    pub delivered: BTreeMap<TicketId, Delivery>,
    /// Queues whose server left its place to the party's event loop.
    pub planned: Vec<Glance>,
}

struct Inside {
    arrived: Arrived,
    pace: Pace,
    /// Tells the party that something is here; `None` once it is gone.
    wake: Option<Box<dyn Fn() + Send>>,
}

impl Mailbox {
    /// A mailbox whose party is told by `wake`, from any thread, when it was empty and is not any more.
    pub fn new(wake: impl Fn() + Send + 'static) -> Self {
        Self {
            inside: Mutex::new(Inside {
                arrived: Arrived::default(),
                pace: Pace::default(),
                wake: Some(Box::new(wake)),
            }),
        }
    }

    /// A wait of the party begins. True where it is likely to be short, and worth a look by the party itself.
    pub(super) fn expect(&self) -> bool {
        let mut inside = self.lock();
        inside.pace.begin();
        inside.pace.is_quick()
    }

    pub(super) fn is_quick(&self) -> bool {
        self.lock().pace.is_quick()
    }

    /// The party begins to look.
    pub fn look(&self) -> Look {
        Look::begin(&mut self.lock().pace)
    }

    /// The party looked, and something came in time, or not.
    pub fn looked(&self, look: &Look, found: bool) {
        self.lock().pace.looked(look, found);
    }

    /// Puts an outcome in; gives it back when the party is gone.
    pub(super) fn deliver(&self, ticket: TicketId, delivery: Delivery) -> Result<(), Delivery> {
        let mut inside = self.lock();
        if !inside.tell() {
            return Err(delivery);
        }
        inside.arrived.delivered.insert(ticket, delivery);
        inside.pace.arrive();
        Ok(())
    }

    /// Leaves a queue to the party's event loop; gives it back when the party is gone.
    pub(super) fn plan(&self, glance: Glance) -> Result<(), Glance> {
        let mut inside = self.lock();
        if !inside.tell() {
            return Err(glance);
        }
        inside.arrived.planned.push(glance);
        Ok(())
    }

    /// Takes out everything, at once: who finds something left in here wakes nobody.
    pub fn collect(&self) -> Arrived {
        std::mem::take(&mut self.lock().arrived)
    }

    /// Takes out what arrived for one ticket.
    pub(super) fn withdraw(&self, ticket: TicketId) -> Option<Delivery> {
        self.lock().arrived.delivered.remove(&ticket)
    }

    /// Takes out the units that arrived for one handle.
    pub(super) fn withdraw_all(&self, holder: &Arc<Holder>) -> Vec<Delivery> {
        let delivered = &mut self.lock().arrived.delivered;
        let theirs = |delivery: &Delivery| match delivery {
            Delivery::Granted(unit) => unit.is_for(holder),
            Delivery::Failed(_) => false,
        };
        let tickets: Vec<_> =
            delivered.iter().filter(|(_, delivery)| theirs(delivery)).map(|(id, _)| *id).collect();
        tickets.into_iter().filter_map(|ticket| delivered.remove(&ticket)).collect()
    }

    /// The party is gone: nothing is delivered any more, and the units that nobody collected go on.
    pub fn close(&self) {
        let (arrived, wake) = {
            let mut inside = self.lock();
            (std::mem::take(&mut inside.arrived), inside.wake.take())
        };
        drop(wake);
        drop(arrived);
    }

    /// A thread that panicked left nothing half-done here: every change is one call.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Tells the party that something comes, where nothing is here yet; false when it is gone.
    ///
    /// Under the lock: after `close` returns, nobody calls `wake` any more.
    fn tell(&self) -> bool {
        let Some(wake) = &self.wake else { return false };
        if self.arrived.is_empty() {
            wake();
        }
        true
    }
}

impl Arrived {
    fn is_empty(&self) -> bool {
        self.delivered.is_empty() && self.planned.is_empty()
    }
}
