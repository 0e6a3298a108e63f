//! The place where the outcome of a waiter arrives.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::grant::{Grant, Holder};
use super::poll::Poll;
use super::spin::{Spin, SpinBudget};
use super::state::WaiterId;
use crate::error::Error;
use crate::sync::{Mutex, MutexGuard};

/// The outcome of a wait.
pub enum Delivery {
    /// The wait has a unit; dropping the grant passes the unit on.
    Granted(Grant),
    /// The wait failed.
    Failed(Error),
}

/// The outcomes that one waiting party (a JavaScript environment, a blocked thread) has not collected yet.
pub struct Mailbox {
    inside: Mutex<Inside>,
}

/// The outcomes and polls that arrived since the party last collected.
#[derive(Default)]
pub struct Arrived {
    /// Outcomes, in the order of the waiters.
    pub delivered: BTreeMap<WaiterId, Delivery>,
    /// Queues whose driver left its place to the event loop of the party.
    pub planned: Vec<Poll>,
}

struct Inside {
    arrived: Arrived,
    budget: SpinBudget,
    /// Tells the party that the mailbox is not empty; `None` once the party is gone.
    wake: Option<Box<dyn Fn() + Send>>,
}

impl Mailbox {
    /// A mailbox that calls `wake`, from any thread, when it was empty and gets something.
    pub fn new(wake: impl Fn() + Send + 'static) -> Self {
        Self {
            inside: Mutex::new(Inside {
                arrived: Arrived::default(),
                budget: SpinBudget::default(),
                wake: Some(Box::new(wake)),
            }),
        }
    }

    /// A wait of the party begins. True if the wait is likely to be short, so that the party may spin.
    pub(super) fn expect(&self) -> bool {
        let mut inside = self.lock();
        inside.budget.begin();
        inside.budget.is_quick()
    }

    pub(super) fn is_quick(&self) -> bool {
        self.lock().budget.is_quick()
    }

    /// The party begins to spin.
    pub fn spin(&self) -> Spin {
        Spin::begin()
    }

    /// The party spun; `found` says whether something came in time.
    pub fn spun(&self, spin: &Spin, found: bool) {
        self.lock().budget.spun(spin, found);
    }

    /// Spins for at most 5 us until `condition` holds, if the last waits of the party were short; whether it holds.
    ///
    /// Then the party needs no wait: no process has to wake it, and it needs no turn of its event loop.
    pub fn spin_briefly(&self, condition: impl Fn() -> bool) -> bool {
        if !self.is_quick() {
            return false;
        }
        let spin = self.spin();
        let found = loop {
            if condition() {
                break true;
            }
            if !spin.goes_on_briefly() {
                break false;
            }
        };
        self.lock().budget.spun_briefly(&spin, found);
        found
    }

    /// Delivers an outcome; returns it if the party is gone.
    pub(super) fn deliver(&self, waiter: WaiterId, delivery: Delivery) -> Result<(), Delivery> {
        let mut inside = self.lock();
        if !inside.tell() {
            return Err(delivery);
        }
        inside.arrived.delivered.insert(waiter, delivery);
        inside.budget.arrive();
        Ok(())
    }

    /// Leaves a queue to the event loop of the party; returns the poll if the party is gone.
    pub(super) fn plan(&self, poll: Poll) -> Result<(), Poll> {
        let mut inside = self.lock();
        if !inside.tell() {
            return Err(poll);
        }
        inside.arrived.planned.push(poll);
        Ok(())
    }

    /// Takes everything out at once: a delivery into a mailbox that is not empty wakes no thread.
    pub fn collect(&self) -> Arrived {
        std::mem::take(&mut self.lock().arrived)
    }

    /// Takes out the outcome of one waiter.
    pub(super) fn withdraw(&self, waiter: WaiterId) -> Option<Delivery> {
        self.lock().arrived.delivered.remove(&waiter)
    }

    /// Takes out the units that arrived for one handle.
    pub(super) fn withdraw_all(&self, holder: &Arc<Holder>) -> Vec<Delivery> {
        let delivered = &mut self.lock().arrived.delivered;
        let theirs = |delivery: &Delivery| match delivery {
            Delivery::Granted(grant) => grant.is_for(holder),
            Delivery::Failed(_) => false,
        };
        let waiters: Vec<_> =
            delivered.iter().filter(|(_, delivery)| theirs(delivery)).map(|(id, _)| *id).collect();
        waiters.into_iter().filter_map(|waiter| delivered.remove(&waiter)).collect()
    }

    /// The party is gone: the mailbox refuses deliveries, and its units go on to the next waiters.
    pub fn close(&self) {
        let (arrived, wake) = {
            let mut inside = self.lock();
            (std::mem::take(&mut inside.arrived), inside.wake.take())
        };
        drop(wake);
        drop(arrived);
    }

    /// The content is whole even after a panic of a thread here: every change is one call.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Tells the party about a delivery if the mailbox is empty; false if the party is gone.
    ///
    /// The caller holds the lock: after `close` returns, no thread calls `wake` any more.
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The last waits of the party were short.
    fn hurry(mailbox: &Mailbox) {
        while !mailbox.is_quick() {
            mailbox.expect();
            mailbox.lock().budget.arrive();
        }
    }

    #[test]
    fn only_a_party_whose_waits_were_short_spins_briefly() {
        let mailbox = Mailbox::new(|| ());
        assert!(!mailbox.spin_briefly(|| panic!("it spun")));
        hurry(&mailbox);
        assert!(mailbox.spin_briefly(|| true));
    }

    #[test]
    fn a_brief_spin_ends() {
        let mailbox = Mailbox::new(|| ());
        hurry(&mailbox);
        assert!(!mailbox.spin_briefly(|| false));
    }
}
