//! Crash-safe counting in shared memory, for kernels that undo nothing.
//!
//! Each process writes what it holds into a slot of its own, beside its identity. The value of the counter is
//! `total - sum(held)`, and is never stored: the permits of a dead process come back when another process empties its
//! slot. Every change is one store of one word, so a process can be killed between any two instructions, and the
//! ledger stays valid.
//!
//! | file | holds |
//! |---|---|
//! | `layout` | where each word is |
//! | `changes` | the changes of the counter, each under the guard or by the slot's owner alone |
//! | `file` | the words of a mapped file |
//! | `line` | the tickets: which process is served next, and which processes have to be woken |
//!
//! Nothing here makes a system call. The words are those of a mapped file, or in tests of plain memory.

mod changes;
mod file;
mod layout;
mod line;
#[cfg(all(loom, test))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

pub(crate) use changes::{Guarded, Step};
pub(crate) use layout::{Content, Flaw, Kind, Layout, Place, SLOTS};
pub(crate) use line::Pace;

use layout::Slot;

/// A ledger: its words, and how many slots there are.
pub(crate) struct Ledger<P> {
    place: P,
    layout: Layout,
}

/// The number of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotNumber(u32);

impl SlotNumber {
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The slot of a number that [`number`](Self::number) returned.
    pub(crate) fn of(number: u32) -> Self {
        Self(number)
    }
}

/// A slot that a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) slot: SlotNumber,
    /// The identity of the process, never 0.
    pub(crate) id: u64,
    /// Its permits.
    pub(crate) held: u32,
    /// Its permits are for the program that the process becomes.
    pub(crate) handed_on: bool,
    /// Its place in the line; 0 while it does not wait.
    pub(crate) ticket: u64,
}

/// The ledger was removed: its counter does not exist any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retired;

impl<P: Place> Ledger<P> {
    /// The ledger in a place whose header was checked.
    pub(crate) fn new(place: P, layout: Layout) -> Self {
        Self { place, layout }
    }

    pub(crate) fn place(&self) -> &P {
        &self.place
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    fn slot(&self, number: SlotNumber) -> Slot<'_> {
        Layout::slot(&self.place, number.0)
    }

    /// The numbers of the slots that were ever in use.
    fn slots(&self) -> impl Iterator<Item = SlotNumber> + '_ {
        (0..self.layout.high(&self.place)).map(SlotNumber)
    }

    /// The slots that processes have. Without the guard, each of them may change meanwhile.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.slots().filter_map(|slot| {
            let words = self.slot(slot);
            let id = words.id();
            let held = words.held();
            (id != 0).then(|| Entry {
                slot,
                id,
                held: layout::permits(held),
                handed_on: held & layout::HANDED_ON != 0,
                ticket: words.ticket(),
            })
        })
    }

    /// How many units or permits there are, held ones included.
    pub(crate) fn total(&self) -> u32 {
        Layout::total(&self.place)
    }

    /// What is free: below 0 only in a ledger that another program wrote to.
    pub(crate) fn value(&self) -> i64 {
        let held: i64 = self.slots().map(|slot| i64::from(layout::permits(self.slot(slot).held()))).sum();
        i64::from(self.total()) - held
    }

    /// When a permit was taken last: seconds since 1970; `None` if none was.
    pub(crate) fn taken(&self) -> Option<u32> {
        self.slots().map(|slot| self.slot(slot).taken()).max().filter(|seconds| *seconds != 0)
    }

    /// Whether it was removed.
    pub(crate) fn is_retired(&self) -> bool {
        !Layout::is_live(&self.place)
    }

    /// The process that changes the ledger now, for messages; 0 for none.
    pub(crate) fn guard_holder(&self) -> u64 {
        Layout::guard_holder(&self.place)
    }

    /// How many slots were ever in use.
    pub(crate) fn high(&self) -> u32 {
        self.layout.high(&self.place)
    }
}
