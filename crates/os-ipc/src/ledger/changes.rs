//! The changes of a ledger. Each is one store; where several follow each other, every state between them is valid.

use super::layout::{HANDED_ON, Layout, permits};
use super::line::Pace;
use super::{Ledger, Place, Retired, SlotNumber};

/// A ledger whose guard this process has: no other process takes, shrinks or empties slots meanwhile.
///
/// Other processes still give back, post and draw tickets: these changes only make more units free.
pub(crate) struct Guarded<'a, P: Place, G> {
    ledger: &'a Ledger<P>,
    /// Seconds since 1970, for the slots that get something; 0 where the time is not kept.
    now: u32,
    /// Ends the guard when it is dropped, after the holder's name was erased.
    _guard: G,
}

/// The outcome of a step towards a smaller number of permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A free permit was taken away.
    Taken,
    /// The number is reached: nothing was done.
    Reached,
    /// No permit is free for this process.
    None,
}

impl<P: Place> Ledger<P> {
    /// The ledger under its guard. `own` is the identity of this process, which other processes name if it stops here.
    pub(crate) fn guarded<G>(&self, guard: G, own: u64) -> Guarded<'_, P, G> {
        Layout::set_guard_holder(&self.place, own);
        Guarded { ledger: self, now: 0, _guard: guard }
    }

    /// The owner of a slot gives back one permit: `held--`. False if the slot has none.
    ///
    /// It needs no guard, since only the owner writes the word and more becomes free.
    pub(crate) fn give_back(&self, slot: SlotNumber) -> bool {
        self.slot(slot).change_held(|held| (permits(held) > 0).then(|| held - 1))
    }

    /// Adds units: `total++`. False if there would be more than `most`.
    pub(crate) fn post(&self, units: u32, most: u32) -> bool {
        let more = |total: u32| total.checked_add(units).filter(|total| *total <= most);
        Layout::change_total(&self.place, more)
    }

    /// Marks the permits of a slot as meant for the program that its process becomes, or takes the mark away.
    pub(crate) fn hand_on(&self, slot: SlotNumber, handed_on: bool) {
        let mark = |held: u32| Some(if handed_on { held | HANDED_ON } else { held & !HANDED_ON });
        self.slot(slot).change_held(mark);
    }

    /// The permits of a slot.
    pub(crate) fn held(&self, slot: SlotNumber) -> u32 {
        permits(self.slot(slot).held())
    }

    /// The owner of a slot without permits leaves it: first its place in the line, then the slot.
    pub(crate) fn leave(&self, slot: SlotNumber) {
        // The next owner of the slot hands nothing on yet.
        self.hand_on(slot, false);
        let slot = self.slot(slot);
        slot.set_ticket(0);
        slot.set_id(0);
    }

    /// Marks the ledger as removed. It needs no guard: the mark never goes away.
    pub(crate) fn retire(&self) {
        Layout::retire(&self.place);
    }
}

impl<P: Place, G> Guarded<'_, P, G> {
    /// Keeps the time of what is taken: seconds since 1970.
    pub(crate) fn at(mut self, now: u32) -> Self {
        self.now = now;
        self
    }

    /// Takes a free slot among the first `room` for the process `id`; `None` if there is none.
    ///
    /// A process that dies after the first of the two stores leaves a free slot.
    pub(crate) fn claim(&self, id: u64, room: u32) -> Option<SlotNumber> {
        let ledger = self.ledger;
        let high = ledger.high();
        let free = ledger.slots().find(|slot| ledger.slot(*slot).id() == 0);
        let slot = match free {
            Some(slot) => slot,
            None if high < room.min(ledger.layout.slots()) => {
                Layout::set_high(&ledger.place, high + 1);
                SlotNumber(high)
            }
            None => return None,
        };
        ledger.slot(slot).set_id(id);
        Some(slot)
    }

    /// Takes one permit for a slot, if its process may have it now: `held++`, then `ticket = 0`.
    pub(crate) fn grant(&self, slot: SlotNumber, pace: Pace) -> Result<bool, Retired> {
        if !self.may_take(slot, pace)? {
            return Ok(false);
        }
        let words = self.ledger.slot(slot);
        if self.now != 0 {
            words.set_taken(self.now);
        }
        // Another program may have written the largest number.
        let more = |held: u32| (permits(held) < permits(u32::MAX)).then(|| held + 1);
        if !words.change_held(more) {
            return Ok(false);
        }
        words.set_ticket(0);
        Ok(true)
    }

    #[cfg_attr(not(windows), allow(dead_code, reason = "only semaphores of Windows are ledgers"))]
    /// Takes one unit for good: a grant, then `held--`, then `total--`. A process that dies in between gives it back.
    pub(crate) fn consume(&self, slot: SlotNumber, pace: Pace) -> Result<bool, Retired> {
        if !self.grant(slot, pace)? {
            return Ok(false);
        }
        self.disown(slot);
        Ok(true)
    }

    #[cfg_attr(not(windows), allow(dead_code, reason = "only semaphores of Windows are ledgers"))]
    /// Turns a unit of a slot into one that was taken for good: `held--`, then `total--`.
    pub(crate) fn disown(&self, slot: SlotNumber) {
        if self.ledger.give_back(slot) {
            Layout::change_total(&self.ledger.place, |total| total.checked_sub(1));
        }
    }

    /// Takes one free permit away, while there are more than `to`: `total--`, then `ticket = 0`.
    pub(crate) fn shrink(&self, slot: SlotNumber, to: u32, pace: Pace) -> Result<Step, Retired> {
        let ledger = self.ledger;
        if ledger.total() <= to {
            return if ledger.is_retired() { Err(Retired) } else { Ok(Step::Reached) };
        }
        if !self.may_take(slot, pace)? {
            return Ok(Step::None);
        }
        Layout::change_total(&ledger.place, |total| total.checked_sub(1));
        ledger.slot(slot).set_ticket(0);
        Ok(Step::Taken)
    }

    /// Takes away what another program added: there are never more than `most`.
    ///
    /// Steps from a number without a bound would take minutes.
    pub(crate) fn bound(&self, most: u32) {
        Layout::change_total(&self.ledger.place, |total| (total > most).then_some(most));
    }

    /// Raises the number of permits; false when it is not `from` any more.
    pub(crate) fn grow(&self, from: u32, to: u32) -> Result<bool, Retired> {
        if self.ledger.is_retired() {
            return Err(Retired);
        }
        let raise = |total: u32| (total == from).then_some(to);
        Ok(Layout::change_total(&self.ledger.place, raise))
    }

    /// Empties the slots of a process: its permits come back, **then** it leaves the line, **then** the slots are free.
    /// False if it had none.
    ///
    /// In another order a newcomer could get a slot that still holds the permits of a dead process.
    pub(crate) fn empty(&self, mut which: impl FnMut(&super::Entry) -> bool) -> bool {
        let mut any = false;
        for entry in self.ledger.entries().filter(|entry| which(entry)) {
            let words = self.ledger.slot(entry.slot);
            words.change_held(|_| Some(0));
            words.set_ticket(0);
            words.set_id(0);
            any = true;
        }
        any
    }

    /// Whether something is free for a slot: more than the processes before it in the line wait for.
    fn may_take(&self, slot: SlotNumber, pace: Pace) -> Result<bool, Retired> {
        if self.ledger.is_retired() {
            return Err(Retired);
        }
        Ok(match pace {
            Pace::InTurn => self.ledger.may_have(slot),
            Pace::Passing => self.ledger.is_any_free(),
        })
    }
}

impl<P: Place, G> Drop for Guarded<'_, P, G> {
    fn drop(&mut self) {
        Layout::set_guard_holder(&self.ledger.place, 0);
    }
}
