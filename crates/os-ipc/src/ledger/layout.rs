//! The layout of a ledger: little-endian words at fixed places, the same on every platform and for every word size.
//!
//! | bytes | word | meaning |
//! |---|---|---|
//! | 0 | u32 `magic` | [`MAGIC`]; written last |
//! | 4 | u32 `version` | [`VERSION`] |
//! | 8 | u32 `nslots` | the number of slots |
//! | 12 | u32 `kind` | [`Kind`] |
//! | 16 | u64 `boot` | which start of the host |
//! | 24 | u64 `space` | which namespaces give the processes their identities; 0 where there is one |
//! | 32 | u32 `state` | [`LIVE`], or removed |
//! | 36 | u32 `total` | units or permits, held ones included |
//! | 40 | u32 `high` | slots that were ever in use: no scan goes beyond |
//! | 44 | u32 `name_length` | bytes of the name |
//! | 48 | u64 `guard` | the process that has the guard, for messages |
//! | 56 | u64 `next_ticket` | the next place in the line |
//! | 64 | `name` | UTF-8, with its slash: [`NAME_BYTES`] |
//! | 320 | slots | 24 bytes each: u64 `id`, u64 `ticket`, u32 `held`, u32 `taken`: the seconds since 1970 of the last grant |
//!
//! A slot stands in one place, so that a ledger with few processes needs one page of memory.

use std::sync::atomic::Ordering;

use crate::sync::{AtomicU32, AtomicU64};

/// "OSIL" in memory: os-ipc, ledger.
const MAGIC: u32 = u32::from_le_bytes(*b"OSIL");
const VERSION: u32 = 1;

/// The slots of a new ledger: so many processes can use it at a time.
pub(crate) const SLOTS: u32 = 1024;

/// The most slots of a ledger that another program made: bounds the size of its file to 1.5 MB.
const SLOTS_MAX: u32 = 65_536;

/// The most bytes of a name with its slash.
const NAME_BYTES: usize = 256;

/// Bytes of the header: the slots stand behind it.
const HEADER: usize = 64 + NAME_BYTES;
const SLOT: usize = 24;

const AT_MAGIC: usize = 0;
const AT_VERSION: usize = 4;
const AT_NSLOTS: usize = 8;
const AT_KIND: usize = 12;
const AT_BOOT: usize = 16;
const AT_SPACE: usize = 24;
const AT_STATE: usize = 32;
const AT_TOTAL: usize = 36;
const AT_HIGH: usize = 40;
const AT_NAME_LENGTH: usize = 44;
const AT_GUARD: usize = 48;
const AT_NEXT_TICKET: usize = 56;
const AT_NAME: usize = 64;

/// The counter exists. Every other state, also the zeros of a truncated file, means that it was removed.
const LIVE: u32 = 1;
const RETIRED: u32 = 2;

/// The bit of `held` that says: the permits are for the program that the process becomes.
pub(super) const HANDED_ON: u32 = 1 << 31;

/// How many permits a `held` word tells of.
pub(super) fn permits(held: u32) -> u32 {
    held & !HANDED_ON
}

/// Words that several processes share. An offset is a multiple of the word's size.
///
/// A process that gives back writes its slot and then reads the tickets; a waiter writes its ticket and then reads what
/// is held. Neither may miss the other, so words are read and written in one order that all agree on.
pub(crate) trait Place {
    fn word(&self, at: usize) -> &AtomicU32;

    fn long(&self, at: usize) -> &AtomicU64;
}

/// What a ledger counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Permits that have an owner.
    Limit = 1,
    /// Units that nobody owns.
    #[allow(dead_code, reason = "no semaphore of this platform is a ledger")]
    Semaphore = 2,
}

impl Kind {
    /// How messages call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Semaphore => "semaphore",
        }
    }
}

/// What is wrong with a file that should be a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Not a ledger, or one of another version.
    Foreign,
    /// A ledger of another kind.
    WrongKind,
}

/// What a new ledger says.
pub(crate) struct Content<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) total: u32,
    pub(crate) boot: u64,
    pub(crate) space: u64,
}

/// How many slots a ledger has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    slots: u32,
}

/// The words of one slot.
pub(super) struct Slot<'a> {
    id: &'a AtomicU64,
    ticket: &'a AtomicU64,
    held: &'a AtomicU32,
    taken: &'a AtomicU32,
}

impl Layout {
    pub(crate) fn of_slots(slots: u32) -> Self {
        Self { slots }
    }

    /// Bytes of a whole ledger.
    pub(crate) fn size(self) -> usize {
        self.size_up_to(self.slots)
    }

    /// Bytes of a ledger up to this many slots.
    pub(crate) fn size_up_to(self, slots: u32) -> usize {
        HEADER + SLOT * slots.min(self.slots) as usize
    }

    pub(crate) fn slots(self) -> u32 {
        self.slots
    }

    /// Writes the header of a new ledger, whose words are all 0; the magic comes last.
    pub(crate) fn write<P: Place>(self, place: &P, content: &Content<'_>) {
        let word = |at, value| place.word(at).store(value, Ordering::SeqCst);
        let long = |at, value| place.long(at).store(value, Ordering::SeqCst);
        word(AT_VERSION, VERSION);
        word(AT_NSLOTS, self.slots);
        word(AT_KIND, content.kind as u32);
        long(AT_BOOT, content.boot);
        long(AT_SPACE, content.space);
        word(AT_TOTAL, content.total);
        long(AT_NEXT_TICKET, 1);
        let name = &content.name.as_bytes()[..content.name.len().min(NAME_BYTES)];
        for (at, bytes) in name.chunks(4).enumerate() {
            let mut four = [0; 4];
            four[..bytes.len()].copy_from_slice(bytes);
            word(AT_NAME + 4 * at, u32::from_le_bytes(four));
        }
        word(AT_NAME_LENGTH, u32::try_from(name.len()).unwrap_or_default());
        word(AT_STATE, LIVE);
        word(AT_MAGIC, MAGIC);
    }

    /// Checks the header of a file with `size` bytes, and says how many slots it has.
    pub(crate) fn check<P: Place>(place: &P, size: usize, kind: Kind) -> Result<Self, Flaw> {
        let word = |at| place.word(at).load(Ordering::SeqCst);
        if size < HEADER || word(AT_MAGIC) != MAGIC || word(AT_VERSION) != VERSION {
            return Err(Flaw::Foreign);
        }
        let layout = Self { slots: word(AT_NSLOTS) };
        if layout.slots == 0 || layout.slots > SLOTS_MAX || layout.size() != size {
            return Err(Flaw::Foreign);
        }
        if word(AT_KIND) != kind as u32 {
            return Err(Flaw::WrongKind);
        }
        Ok(layout)
    }

    /// The name in the header; `None` if it is not UTF-8.
    pub(crate) fn name<P: Place>(place: &P) -> Option<String> {
        let length = place.word(AT_NAME_LENGTH).load(Ordering::SeqCst) as usize;
        let words = (0..NAME_BYTES).step_by(4);
        let mut bytes: Vec<u8> =
            words.flat_map(|at| place.word(AT_NAME + at).load(Ordering::SeqCst).to_le_bytes()).collect();
        bytes.truncate(length);
        String::from_utf8(bytes).ok()
    }

    /// Which start of the host it belongs to, and to which namespaces.
    pub(crate) fn origin<P: Place>(place: &P) -> (u64, u64) {
        let long = |at| place.long(at).load(Ordering::SeqCst);
        (long(AT_BOOT), long(AT_SPACE))
    }

    pub(super) fn is_live<P: Place>(place: &P) -> bool {
        place.word(AT_STATE).load(Ordering::SeqCst) == LIVE
    }

    pub(super) fn retire<P: Place>(place: &P) {
        place.word(AT_STATE).store(RETIRED, Ordering::SeqCst);
        stored();
    }

    pub(super) fn total<P: Place>(place: &P) -> u32 {
        place.word(AT_TOTAL).load(Ordering::SeqCst)
    }

    /// Changes the total, unless `change` refuses.
    pub(super) fn change_total<P: Place>(place: &P, change: impl Fn(u32) -> Option<u32>) -> bool {
        changed(place.word(AT_TOTAL), change)
    }

    /// Never more than there are, whatever another program wrote.
    pub(super) fn high<P: Place>(self, place: &P) -> u32 {
        place.word(AT_HIGH).load(Ordering::SeqCst).min(self.slots)
    }

    pub(super) fn set_high<P: Place>(place: &P, high: u32) {
        place.word(AT_HIGH).store(high, Ordering::SeqCst);
        stored();
    }

    pub(super) fn guard_holder<P: Place>(place: &P) -> u64 {
        place.long(AT_GUARD).load(Ordering::Relaxed)
    }

    pub(super) fn set_guard_holder<P: Place>(place: &P, id: u64) {
        place.long(AT_GUARD).store(id, Ordering::Relaxed);
    }

    /// Draws the next place in the line, never 0.
    pub(super) fn draw_ticket<P: Place>(place: &P) -> u64 {
        let ticket = place.long(AT_NEXT_TICKET).fetch_add(1, Ordering::SeqCst).max(1);
        stored();
        ticket
    }

    pub(super) fn slot<P: Place>(place: &P, number: u32) -> Slot<'_> {
        let at = HEADER + SLOT * number as usize;
        Slot {
            id: place.long(at),
            ticket: place.long(at + 8),
            held: place.word(at + 16),
            taken: place.word(at + 20),
        }
    }
}

impl Slot<'_> {
    pub(super) fn id(&self) -> u64 {
        self.id.load(Ordering::SeqCst)
    }

    pub(super) fn set_id(&self, id: u64) {
        self.id.store(id, Ordering::SeqCst);
        stored();
    }

    pub(super) fn ticket(&self) -> u64 {
        self.ticket.load(Ordering::SeqCst)
    }

    pub(super) fn set_ticket(&self, ticket: u64) {
        self.ticket.store(ticket, Ordering::SeqCst);
        stored();
    }

    pub(super) fn held(&self) -> u32 {
        self.held.load(Ordering::SeqCst)
    }

    /// When a permit was last taken for it: seconds since 1970, or 0.
    pub(super) fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn set_taken(&self, seconds: u32) {
        self.taken.store(seconds, Ordering::Relaxed);
    }

    /// Changes what is held, unless `change` refuses.
    pub(super) fn change_held(&self, change: impl Fn(u32) -> Option<u32>) -> bool {
        changed(self.held, change)
    }
}

fn changed(word: &AtomicU32, change: impl Fn(u32) -> Option<u32>) -> bool {
    let done = word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change).is_ok();
    if done {
        stored();
    }
    done
}

/// A word was changed: here tests end the process.
fn stored() {
    #[cfg(all(test, not(loom)))]
    super::tests::stored();
}
