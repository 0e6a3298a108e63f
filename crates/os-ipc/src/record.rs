//! The record of a named set, behind its counter: with it a collision is an error, and a list shows names.
//!
//! | semaphore | holds |
//! |---|---|
//! | 0 | the counter: a Go, PHP or Python peer sees only this |
//! | 1 | [`MARK`]; non-zero means initialised |
//! | 2 | length of the name in bytes, slash included; 0 for a raw key |
//! | 3... | the name's bytes, 15 bits a word, most significant bit first |
//!
//! The set of a lock has another mark, any name, and more semaphores behind it (`lock/system_v/layout.rs`).
//!
//! The set of a limit has a mark of its own too, and always [`LIMIT_SIZE`] semaphores, so that its size alone tells what it is:
//!
//! | semaphore | holds |
//! |---|---|
//! | 0 | how many permits are free |
//! | 1 | [`LIMIT_MARK`] |
//! | 2, 3... | the name, as above; the words behind it are 0 |
//! | 137 | how many permits there are |
//! | 138 to 201 | a process each: how many permits it holds (`limit/system_v/holder.rs`) |

use crate::name::MAX_NAME_BYTES;
use crate::sys::system_v::semaphore::SemaphoreLimits;

/// The value of semaphore 1: a magic number and the version of this layout.
pub(crate) const MARK: u16 = 0x4f01;

/// The value of semaphore 1 in the set of a lock.
pub(crate) const LOCK_MARK: u16 = 0x4c02;

/// What semaphore 1 holds in the set of a limit.
pub(crate) const LIMIT_MARK: u16 = 0x4f02;

/// Index of the counter.
pub(crate) const COUNTER: u16 = 0;
/// Index of the mark.
pub(crate) const MARK_AT: u16 = 1;
/// Index of the name's length.
pub(crate) const LENGTH_AT: u16 = 2;
/// Index of the name's first word.
pub(crate) const NAME_AT: u16 = 3;

/// Index of the recorded number of permits of a limit: behind the longest name of ours, with its slash.
#[allow(clippy::cast_possible_truncation, reason = "it is 137")]
pub(crate) const PERMITS_AT: u16 = NAME_AT + words_of(MAX_NAME_BYTES + 1) as u16;
/// Index of a limit's first holder.
pub(crate) const HOLDERS_AT: u16 = PERMITS_AT + 1;
/// How many processes a limit names.
pub(crate) const HOLDERS: u16 = 64;
/// How many semaphores the set of a limit has: more than that of any semaphore of ours.
pub(crate) const LIMIT_SIZE: usize = (HOLDERS_AT + HOLDERS) as usize;

/// Bits of a word: a semaphore's value is at most 32,767.
const WORD_BITS: usize = 15;

/// The number of semaphores in a set for `name`.
pub(crate) fn set_size(name: &str) -> usize {
    set_size_for(name.len())
}

/// The number of semaphores in the set of a name with `bytes` bytes, slash included.
pub(crate) fn set_size_for(bytes: usize) -> usize {
    usize::from(NAME_AT) + words_of(bytes)
}

/// The most bytes of a name, without its slash, that a set of this host can carry; `None` where there are no limits to read.
pub(crate) fn longest_name() -> Option<usize> {
    let limits = SemaphoreLimits::of_host()?;
    let fits = |bytes: &usize| limits.have_room_for(set_size_for(bytes + 1));
    Some((1..=MAX_NAME_BYTES).rev().find(fits).unwrap_or(0))
}

/// The number of words for the bytes of a name.
pub(crate) const fn words_of(length: usize) -> usize {
    (length * 8).div_ceil(WORD_BITS)
}

/// The name's bytes as words of 15 bits; the last word is padded with zeros.
pub(crate) fn pack(name: &str) -> Vec<u16> {
    let mut words = Vec::with_capacity(set_size(name) - usize::from(NAME_AT));
    let (mut held, mut bits) = (0_u32, 0);
    for &byte in name.as_bytes() {
        held = held << 8 | u32::from(byte);
        bits += 8;
        if bits >= WORD_BITS {
            bits -= WORD_BITS;
            words.push(word(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        words.push(word(held << (WORD_BITS - bits)));
    }
    words
}

/// The low 15 bits.
fn word(bits: u32) -> u16 {
    (bits & 0x7fff) as u16
}

/// The record in the values of a set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A mark and this name; empty for a raw key.
    Named(String),
    /// The set of the lock with this name.
    Lock(String),
    /// The set of the limit with this name; empty for a raw key.
    Limit(String),
    /// No mark: a foreign set, or one that is not initialised yet.
    Absent,
    /// A mark, and behind it values that we never write.
    Damaged,
}

/// Reads the record from a set's values.
pub(crate) fn read(values: &[u16]) -> Record {
    let [_, mark, length, words @ ..] = values else { return Record::Absent };
    let length = usize::from(*length);
    match *mark {
        MARK => {
            let name = unpack(length, words).filter(|name| name.is_empty() || name.starts_with('/'));
            name.map_or(Record::Damaged, Record::Named)
        }
        LOCK_MARK => {
            let name = words.get(..words_of(length)).and_then(|words| unpack(length, words));
            name.map_or(Record::Damaged, Record::Lock)
        }
        LIMIT_MARK => {
            let name = words.get(..words_of(length)).filter(|_| values.len() == LIMIT_SIZE);
            let name = name.and_then(|words| unpack(length, words));
            let name = name.filter(|name| name.is_empty() || name.starts_with('/'));
            name.map_or(Record::Damaged, Record::Limit)
        }
        _ => Record::Absent,
    }
}

fn unpack(length: usize, words: &[u16]) -> Option<String> {
    if words.len() != words_of(length) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    let (mut held, mut bits) = (0_u32, 0);
    for &word in words {
        if word > 0x7fff {
            return None;
        }
        held = held << WORD_BITS | u32::from(word);
        bits += WORD_BITS;
        while bits >= 8 && bytes.len() < length {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
        held &= (1 << bits) - 1;
    }
    let name = String::from_utf8(bytes).ok()?;
    (held == 0).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(name: &str) -> Vec<u16> {
        let length = u16::try_from(name.len()).unwrap();
        [vec![7, MARK, length], pack(name)].concat()
    }

    #[test]
    fn the_layout_is_fixed() {
        // '/' is 0x2f, 'a' is 0x61: 00101111 0110000 1 -> 001011110110000, 1 and fourteen zeros.
        assert_eq!(pack("/a"), [0b001_0111_1011_0000, 0b100_0000_0000_0000]);
        assert_eq!(set_size("/a"), 5);
        assert_eq!(set_size(""), 3);
    }

    #[test]
    fn a_set_without_the_mark_has_no_record() {
        assert_eq!(read(&[1]), Record::Absent);
        assert_eq!(read(&[1, 0, 0]), Record::Absent);
        assert_eq!(read(&[0, MARK, 0]), Record::Named(String::new()));
    }

    #[test]
    fn a_lock_is_no_semaphore() {
        let lock = |name: &str, behind: &[u16]| {
            let length = u16::try_from(name.len()).unwrap();
            [&[1, LOCK_MARK, length], &pack(name)[..], behind].concat()
        };
        assert_eq!(
            read(&lock("any name/at all", &[32_767, 0, 0])),
            Record::Lock("any name/at all".to_owned())
        );
        assert_eq!(read(&lock("", &[32_767])), Record::Lock(String::new()));
        assert_eq!(read(&[1, LOCK_MARK, 9, 0]), Record::Damaged);
    }

    #[test]
    fn the_size_of_a_limit_is_that_of_no_semaphore() {
        assert_eq!((PERMITS_AT, HOLDERS_AT, LIMIT_SIZE), (137, 138, 202));
        let longest = format!("/{}", "a".repeat(MAX_NAME_BYTES));
        assert!(set_size(&longest) <= usize::from(PERMITS_AT), "the name has room");
        assert!(set_size(&longest) < LIMIT_SIZE);
        let mut values = [vec![2, LIMIT_MARK, 251], pack(&longest)].concat();
        assert_eq!(read(&values), Record::Damaged, "it has the size of a semaphore");
        values.resize(LIMIT_SIZE, 0);
        assert_eq!(read(&values), Record::Limit(longest));
        values[1] = MARK;
        assert_eq!(read(&values), Record::Damaged, "it has the size of a limit");
    }

    #[test]
    fn words_that_do_not_match_the_length_are_damaged() {
        let mut cut = values("/jobs");
        cut.pop();
        assert_eq!(read(&cut), Record::Damaged);
        assert_eq!(read(&[0, MARK, 5]), Record::Damaged);
        assert_eq!(read(&[0, MARK, 1, 0x7fff]), Record::Damaged);
    }

    proptest! {
        #[test]
        fn every_name_comes_back(rest in "[^/\0]{1,60}") {
            let name = format!("/{rest}");
            prop_assert_eq!(read(&values(&name)), Record::Named(name.clone()));
            prop_assert_eq!(values(&name).len(), set_size(&name));
        }

        #[test]
        fn a_damaged_record_never_yields_another_name_by_mistake(
            rest in "[^/\0]{1,60}", cut in 0_usize..200, at in 0_usize..200, bit in 0_u32..15
        ) {
            let whole = values(&format!("/{rest}"));
            let cut = &whole[..cut % whole.len()];
            prop_assert!(matches!(read(cut), Record::Absent | Record::Damaged), "{cut:?}");
            let mut changed = whole.clone();
            let at = at % changed.len();
            changed[at] ^= 1 << bit;
            // A changed counter leaves the record as it is; a changed bit of the name does not.
            prop_assert_eq!(read(&changed) == read(&whole), at == 0);
        }

        #[test]
        fn hostile_values_never_panic(values in proptest::collection::vec(any::<u16>(), 0..140)) {
            let _ = read(&values);
            let mut marked = values;
            if marked.len() > 2 {
                marked[1] = MARK;
                marked[2] %= 300;
                if let Record::Named(name) = read(&marked) {
                    prop_assert!(name.is_empty() || name.starts_with('/'));
                }
            }
        }
    }
}
