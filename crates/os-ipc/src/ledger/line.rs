//! The line: a process that waits has a ticket in its slot, and those with smaller tickets come first.

use std::sync::atomic::Ordering;

use super::{Entry, Layout, Ledger, Place, SlotNumber};
use crate::sync::fence;

/// Whether a process keeps its place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It leaves to the processes before it what they wait for.
    InTurn,
    /// It passes them: they did not take for a while, because they are stopped.
    Passing,
}

impl<P: Place> Ledger<P> {
    /// Joins the line at its end, unless the slot has a place there.
    ///
    /// Whatever is given back after this is seen by this process, or its giver sees the ticket.
    pub(crate) fn join(&self, slot: SlotNumber) {
        let words = self.slot(slot);
        if words.ticket() == 0 {
            words.set_ticket(Layout::draw_ticket(&self.place));
        }
        fence(Ordering::SeqCst);
    }

    /// Leaves the line; false if the slot was not in it.
    pub(crate) fn part(&self, slot: SlotNumber) -> bool {
        let words = self.slot(slot);
        let waited = words.ticket() != 0;
        if waited {
            words.set_ticket(0);
        }
        waited
    }

    /// The place of a slot in the line; 0 if it is not in the line.
    pub(crate) fn ticket(&self, slot: SlotNumber) -> u64 {
        self.slot(slot).ticket()
    }

    /// The process behind a place in the line, which watches the process that has the place.
    ///
    /// When that process leaves the line, this one has to look which process is before it now.
    pub(crate) fn behind(&self, ticket: u64) -> Option<u64> {
        let behind = self.waiting().filter(|entry| entry.ticket > ticket);
        behind.min_by_key(|entry| entry.ticket).map(|entry| entry.id)
    }

    /// The processes before a slot in the line; all that wait, if the slot is not in the line.
    pub(crate) fn before(&self, slot: SlotNumber) -> impl Iterator<Item = Entry> + '_ {
        let own = self.place_in_line(slot);
        self.waiting().filter(move |entry| entry.slot != slot && entry.ticket < own)
    }

    /// Whether more is free than the processes before a slot wait for. Without the guard that may change at once; one that
    /// waits and sees nothing gets a hint then: whoever changes it sees the ticket.
    pub(crate) fn may_have(&self, slot: SlotNumber) -> bool {
        // What another process gave back without the guard is seen, and it sees our ticket.
        fence(Ordering::SeqCst);
        self.value() > i64::try_from(self.before(slot).count()).unwrap_or(i64::MAX)
    }

    /// The same, for one that passes those before it.
    pub(super) fn is_any_free(&self) -> bool {
        fence(Ordering::SeqCst);
        self.value() > 0
    }

    fn place_in_line(&self, slot: SlotNumber) -> u64 {
        match self.slot(slot).ticket() {
            0 => u64::MAX,
            ticket => ticket,
        }
    }

    /// The processes in the line, by slot.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries().filter(|entry| entry.ticket != 0)
    }

    /// How many processes wait, besides the one of this slot.
    pub(crate) fn others_waiting(&self, slot: Option<SlotNumber>) -> u32 {
        let others = self.waiting().filter(|entry| Some(entry.slot) != slot).count();
        u32::try_from(others).unwrap_or(u32::MAX)
    }

    /// The process before all others in the line.
    pub(crate) fn head(&self) -> Option<Entry> {
        self.waiting().min_by_key(|entry| entry.ticket)
    }

    /// The processes that are to look again after a change: the head of the line, and all for which something is free.
    ///
    /// The head looks because it watches all processes: also those that came since. Those with tickets up to `passed` were
    /// stopped when this process passed them: what is free is for those behind.
    pub(crate) fn to_wake(&self, passed: u64, mut wake: impl FnMut(u64)) {
        // A process that joins the line after this sees the change itself.
        fence(Ordering::SeqCst);
        let Some(head) = self.head() else { return };
        wake(head.id);
        let others = if head.ticket <= passed { self.value() } else { self.value() - 1 };
        if others <= 0 {
            return;
        }
        // Not those behind the head: another process can have drawn a smaller ticket, and write it only now.
        let behind = self.waiting().filter(|entry| entry.ticket != head.ticket && entry.ticket > passed);
        let mut waiting: Vec<_> = behind.map(|entry| (entry.ticket, entry.id)).collect();
        waiting.sort_unstable();
        let others = usize::try_from(others).unwrap_or(usize::MAX);
        waiting.iter().take(others).for_each(|(_, id)| wake(*id));
    }

    /// Every process in the line.
    pub(crate) fn all_waiting(&self, mut each: impl FnMut(u64)) {
        self.waiting().for_each(|entry| each(entry.id));
    }

    /// The processes whose death a waiting process has to see: the head of the line watches all, every other waiter the one
    /// before it.
    ///
    /// A process that dies after a change and before it wakes others is therefore seen by a waiter, who looks for them.
    pub(crate) fn to_watch(&self, slot: SlotNumber, mut watch: impl FnMut(u64)) {
        let own = self.slot(slot).id();
        let place = self.place_in_line(slot);
        let before = self.waiting().filter(|entry| entry.slot != slot && entry.ticket < place);
        match before.max_by_key(|entry| entry.ticket) {
            Some(before) => watch(before.id),
            None => self.entries().filter(|entry| entry.id != own).for_each(|entry| watch(entry.id)),
        }
    }
}
