//! The layout of a lock's set.
//!
//! | semaphore | holds |
//! |---|---|
//! | 0 | the gate: 1 if it is open |
//! | 1, 2, 3... | the record: [`LOCK_MARK`], the name's length and the name, as in a semaphore's set |
//! | `count` | [`EVERYBODY`] minus the number of shared holders; 0 under an exclusive holder |
//! | then eight for each of the slots | the requests of one process for the lock, for queries |
//!
//! A process has a slot while it uses the lock. When it dies, the kernel undoes everything that it wrote there:
//!
//! | of a slot | holds |
//! |---|---|
//! | first | 0: free; 1: taken; 2: its process holds the lock exclusively; 3: its process has shut the gate; [`LEAVING`]: its process removes the set |
//! | second | the number of shared locks that its process holds |
//! | third | the number of waiters of its process, as [`Pending::packed`] |
//! | two | the identity of the process's image ([`image::identity`](crate::sys::image::identity)), least significant word first |
//! | three | the time when the first waiter there asked: microseconds since the host started, least significant first |

use crate::error::{Code, Error, OsCode};
use crate::lock::MAX_LOCK_NAME_BYTES;
use crate::record::{self, LENGTH_AT, LOCK_MARK, MARK_AT, NAME_AT};
use crate::sys::image;
use crate::sys::system_v::semaphore::SemaphoreLimits;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::Request;

/// Index of the gate.
pub(super) const GATE: u16 = 0;

/// The most shared holders of a lock: SEMVMX of semop(2).
pub(super) const EVERYBODY: i16 = i16::MAX;

/// The most processes that have a slot, and so a known pid; further ones are only counted.
const SLOTS: usize = 64;

/// Semaphores of a slot.
pub(super) const PER_SLOT: usize = 8;

/// The value of a slot's first semaphore while its process uses the lock.
pub(super) const TAKEN: i16 = 1;

/// The value while its process holds the lock exclusively.
pub(super) const ALONE: i16 = 2;

/// The value while its process has shut the gate and waits for the others to leave.
pub(super) const GATE_SHUT: i16 = 3;

/// The value while its process removes the set.
pub(super) const LEAVING: i16 = 4;

/// The positions in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) count: u16,
    pub(super) slots: u16,
}

/// The part of a set that one process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Index of its first semaphore.
    at: u16,
}

impl Slot {
    /// The slot whose first index this is.
    pub(super) fn at(claim: u16) -> Self {
        Self { at: claim }
    }

    pub(super) fn claim(self) -> u16 {
        self.at
    }

    pub(super) fn shared(self) -> u16 {
        self.at + 1
    }

    pub(super) fn pending(self) -> u16 {
        self.at + 2
    }

    /// Indices of the words with the identity of the image that took it.
    pub(super) fn image(self) -> std::ops::Range<u16> {
        self.at + 3..self.at + 5
    }

    /// Indices of the words with the time when the first waiter asked.
    pub(super) fn oldest(self) -> std::ops::Range<u16> {
        self.at + 5..self.at + 8
    }

    /// All of its indices.
    pub(super) fn words(self) -> std::ops::Range<u16> {
        self.claim()..self.oldest().end
    }

    /// Writes the identity of this image, or removes it (-1). Zeros are left out: to add 0 would mean to wait for 0.
    pub(super) fn sign(self, by: i16) -> impl Iterator<Item = Operation> {
        let words = self.image().zip(words_of(u64::from(image::identity())));
        words
            .filter(|(_, word)| *word != 0)
            .map(move |(at, word)| Operation::add(at, by * narrow(word), Undo::Yes))
    }
}

impl Layout {
    /// The layout of a new set, within the limits of the host.
    pub(super) fn for_new(name: &str) -> Self {
        let without_slots = record::set_size(name) + 1;
        let room = SemaphoreLimits::of_host()
            .map_or(SLOTS, |limits| limits.per_set.saturating_sub(without_slots) / PER_SLOT);
        Self::with(name, room.min(SLOTS))
    }

    /// The layout of an existing set; `None` if a lock of this name cannot have this size.
    pub(super) fn of(name: &str, size: usize) -> Option<Self> {
        let for_slots = size.checked_sub(record::set_size(name) + 1)?;
        for_slots.is_multiple_of(PER_SLOT).then(|| Self::with(name, for_slots / PER_SLOT))
    }

    /// The size of the set of the longest name.
    pub(super) fn largest() -> usize {
        usize::from(NAME_AT) + record::words_of(MAX_LOCK_NAME_BYTES) + 1 + SLOTS * PER_SLOT
    }

    fn with(name: &str, slots: usize) -> Self {
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        Self { count: narrow(record::set_size(name)), slots: narrow(slots) }
    }

    pub(super) fn size(self) -> usize {
        usize::from(self.count) + 1 + usize::from(self.slots) * PER_SLOT
    }

    pub(super) fn slots(self) -> impl Iterator<Item = Slot> {
        #[allow(clippy::cast_possible_truncation, reason = "it is 8")]
        const STEP: u16 = PER_SLOT as u16;
        (0..self.slots).map(move |slot| Slot { at: self.count + 1 + slot * STEP })
    }
}

/// Gives a new set its record, its open gate and its count; false if another process was quicker.
///
/// One atomic semop, of which exactly one succeeds: no process ever sees half a lock.
pub(super) fn initialise(set: SetId, layout: Layout, name: &str) -> std::result::Result<bool, OsCode> {
    let mut operations = vec![
        Operation::is_zero(MARK_AT),
        Operation::add(MARK_AT, narrow(LOCK_MARK), Undo::No),
        Operation::add(GATE, 1, Undo::No),
        Operation::add(layout.count, EVERYBODY, Undo::No),
    ];
    let length = u16::try_from(name.len()).map_err(|_| OsCode::EINVAL)?;
    let words = std::iter::once((LENGTH_AT, length)).chain((NAME_AT..).zip(record::pack(name)));
    // To add 0 would mean to wait for 0.
    let words = words.filter(|(_, value)| *value != 0);
    operations.extend(words.map(|(at, value)| Operation::add(at, narrow(value), Undo::No)));
    match sys::operate(set, &mut operations) {
        Ok(()) => Ok(true),
        Err(OsCode::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Bits of a word: a semaphore's value is at most 32,767.
const WORD_BITS: u32 = 15;

/// A number of 45 bits as words, least significant first; higher bits are dropped.
pub(super) fn words_of(number: u64) -> [u16; 3] {
    [0, 1, 2].map(|place| (number >> (place * WORD_BITS) & 0x7fff) as u16)
}

/// A semaphore's value, which is at most 32,767.
pub(super) fn narrow(value: u16) -> i16 {
    i16::try_from(value).unwrap_or(i16::MAX)
}

/// The error on a host whose sets are too small for the record of a lock.
pub(super) fn too_small(name: &str) -> Error {
    let (size, operations) = (record::set_size(name) + 1, record::set_size(name) + 3);
    let error =
        Error::new(Code::NotSupported, format!("this host's sets are too small for the lock '{name}'"));
    error.with_hint(format!(
        "kernel.sem has to allow {size} semaphores a set (SEMMSL, its first number) and {operations} operations a call \
         (SEMOPM, its third); a shorter name needs fewer"
    ))
}

/// The numbers of waiters of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) shared: usize,
    pub(super) exclusive: usize,
}

impl Pending {
    const SHARED_MAX: usize = 255;
    const EXCLUSIVE_MAX: usize = 127;

    /// Both numbers in the 15 bits of a semaphore; larger numbers are capped.
    pub(super) fn packed(self) -> i16 {
        let (shared, exclusive) =
            (self.shared.min(Self::SHARED_MAX), self.exclusive.min(Self::EXCLUSIVE_MAX));
        i16::try_from(shared + exclusive * (Self::SHARED_MAX + 1)).unwrap_or(i16::MAX)
    }

    pub(super) fn unpacked(value: u16) -> Self {
        let value = usize::from(value);
        Self { shared: value % (Self::SHARED_MAX + 1), exclusive: value / (Self::SHARED_MAX + 1) }
    }
}

/// The values of a lock's set.
pub(super) struct Values {
    values: sys::Values,
    layout: Layout,
}

impl Values {
    pub(super) fn new(values: sys::Values, layout: Layout) -> Self {
        Self { values, layout }
    }

    pub(super) fn read(set: SetId, layout: Layout) -> std::result::Result<Self, OsCode> {
        sys::values(set, layout.size()).map(|values| Self::new(values, layout))
    }

    pub(super) fn at(&self, index: u16) -> u16 {
        self.values.get(usize::from(index)).copied().unwrap_or_default()
    }

    /// The number in these words.
    pub(super) fn number(&self, words: std::ops::Range<u16>) -> u64 {
        words.rev().fold(0, |number, at| number << WORD_BITS | u64::from(self.at(at)))
    }

    /// The slots that are taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = Slot> {
        self.layout.slots().filter(|slot| self.at(slot.claim()) != 0)
    }

    /// The slots that are free.
    pub(super) fn free(&self) -> impl Iterator<Item = Slot> {
        self.layout.slots().filter(|slot| self.at(slot.claim()) == 0)
    }

    /// The number of shared holders.
    pub(super) fn shared(&self) -> u16 {
        match self.at(self.layout.count) {
            0 => 0,
            count => EVERYBODY.cast_unsigned().saturating_sub(count),
        }
    }

    /// Whether the lock is held exclusively.
    pub(super) fn exclusive(&self) -> bool {
        self.at(self.layout.count) == 0
    }

    /// Whether no process uses the lock.
    pub(super) fn unused(&self) -> bool {
        self.is_free_for(Request::Exclusive) && self.taken().next().is_none()
    }

    /// Whether no process has the lock, or shut its gate, so that this request would not be granted.
    pub(super) fn is_free_for(&self, request: Request) -> bool {
        let wanted = if request == Request::Shared { 1 } else { EVERYBODY.cast_unsigned() };
        self.at(GATE) == 1 && self.at(self.layout.count) >= wanted
    }

    /// Whether a process is about to remove the set.
    pub(super) fn is_leaving(&self) -> bool {
        self.taken().any(|slot| self.at(slot.claim()) >= LEAVING.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_found_again_by_its_size() {
        for name in ["", "a", "a name/with any text", &"é".repeat(125)] {
            let layout = Layout::with(name, 64);
            assert_eq!(Layout::of(name, layout.size()), Some(layout), "{name}");
            assert_eq!(Layout::of(name, layout.size() - 1), None);
            assert_eq!(Layout::of(name, record::set_size(name) + 1), Some(Layout::with(name, 0)));
        }
        assert_eq!(Layout::of("a", 2), None);
    }

    #[test]
    fn slots_do_not_overlap_and_end_with_the_set() {
        let layout = Layout::with("a", 3);
        let indices: Vec<_> = layout.slots().flat_map(Slot::words).collect();
        let first = layout.count + 1;
        assert_eq!(indices, (first..first + 24).collect::<Vec<_>>());
        assert_eq!(layout.size(), usize::from(first + 24));
    }

    #[test]
    fn the_numbers_of_waiters_fit_into_a_semaphore() {
        let few = Pending { shared: 3, exclusive: 2 };
        assert_eq!(Pending::unpacked(few.packed().cast_unsigned()), few);
        let many = Pending { shared: 1000, exclusive: 1000 };
        assert_eq!(many.packed(), i16::MAX);
        assert_eq!(Pending::unpacked(32_767), Pending { shared: 255, exclusive: 127 });
    }
}
