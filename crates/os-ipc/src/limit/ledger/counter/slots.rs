//! The slots of a ledger: this process claims one, and empties those of the dead.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Hold, LedgerCounter};
use crate::error::{Code, Error, Result};
use crate::ledger::{Entry, SlotNumber};
use crate::limit::ledger::opening::{self, failed};
use crate::sys::death::{self, ProcessId};
use crate::sys::in_use::InUse;
use crate::sys::wake;
use crate::waiting::Watched;

impl LedgerCounter {
    /// The slot of this process, claimed if it has none; `None` while another process has the guard.
    ///
    /// The head of the line hears of it before this process may take anything: from then on it watches this process.
    pub(super) fn claim(&self, hold: &mut Hold) -> Result<Option<SlotNumber>> {
        if let Some(slot) = self.slot() {
            return Ok(Some(slot));
        }
        hold.in_use.get_or_insert_with(|| InUse::enter(self.number_in_use()));
        loop {
            let Some(guarded) = self.guarded()? else { return Ok(None) };
            if let Some(slot) = guarded.claim(self.own.0, hold.room) {
                drop(guarded);
                self.slot.store(slot.number(), Ordering::Relaxed);
                self.wake_others();
                return Ok(Some(slot));
            }
            drop(guarded);
            match self.empty_dead(|_| true) {
                Some(true) => {}
                Some(false) => self.make_room(hold)?,
                None => return Ok(None),
            }
        }
    }

    /// Gives memory to more slots.
    fn make_room(&self, hold: &mut Hold) -> Result<()> {
        /// Slots more than there are, for the processes to come: about a page.
        const MORE: u32 = 64;
        let layout = self.ledger.layout();
        if hold.room >= layout.slots() {
            let what = format!("{} processes use {:#}, and no more can", layout.slots(), self.name);
            return Err(Error::new(Code::NoSlot, what).with_limit(u64::from(layout.slots())));
        }
        let room = (self.ledger.high() + MORE).min(layout.slots());
        let allocated = self.ledger.place().allocate(layout.size_up_to(room));
        allocated.map_err(|failure| opening::no_room(failed("use", &self.name, failure), 0))?;
        hold.room = room;
        Ok(())
    }

    /// Gives back what dead processes hold, as far as `which` asks about them. False if there were none, and `None` if another
    /// process or thread has the guard.
    pub(super) fn empty_dead(&self, which: impl Fn(&Entry) -> bool) -> Option<bool> {
        let dead: Vec<_> = self
            .ledger
            .entries()
            .filter(|entry| entry.id != self.own.0 && which(entry))
            .map(|entry| entry.id)
            .filter(|id| death::is_dead(ProcessId(*id)))
            .collect();
        if dead.is_empty() {
            return Some(false);
        }
        let emptied = self.empty(|entry| dead.contains(&entry.id));
        for id in dead {
            wake::remove(self.inboxes(), ProcessId(id));
        }
        emptied
    }

    /// Gives back what some slots hold. False if there were none, and `None` if another process or thread has the guard.
    pub(in crate::limit::ledger) fn empty(&self, which: impl FnMut(&Entry) -> bool) -> Option<bool> {
        let guarded = self.guarded_within(Duration::from_millis(1)).ok().flatten()?;
        let any = guarded.empty(which);
        drop(guarded);
        if any {
            self.wake_others();
        }
        Some(any)
    }
}
