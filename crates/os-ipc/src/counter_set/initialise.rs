//! The initialisation of a new set: its first value and its record.

use super::{Kind, SetName};
use crate::error::OsCode;
use crate::record;
use crate::sys::system_v::semaphore::SemaphoreLimits;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};

/// The number of semaphores of a new set: 1, without a record, if the host allows no more.
pub(super) fn size_for(name: &SetName) -> usize {
    let size = name.kind().size(name.name());
    // One operation for each word of the record and for the counter, one that checks the mark, and one for a limit's number.
    let operations = record::set_size(name.name()) + 1 + usize::from(name.kind() == Kind::Limit);
    match SemaphoreLimits::of_host() {
        Some(limits) if size > limits.per_set || operations > limits.per_call => 1,
        _ => size,
    }
}

/// Initialises a set, with its record if there is room for it: one atomic semop, of which exactly one succeeds.
///
/// Never SETVAL or SETALL: they wipe the undo records of other processes, and lose a post that comes in between.
pub(crate) fn initialise(set: SetId, size: usize, name: &SetName, initial: u16) -> Result<bool, OsCode> {
    if size == 1 {
        return initialise_single(set, initial);
    }
    let mut operations = vec![
        Operation::is_zero(record::MARK_AT),
        Operation::add(record::MARK_AT, to_i16(name.kind().mark()), Undo::No),
    ];
    let length = u16::try_from(name.name().len()).map_err(|_| OsCode::EINVAL)?;
    let words = (record::NAME_AT..).zip(record::pack(name.name()));
    let recorded = (name.kind() == Kind::Limit).then_some((record::PERMITS_AT, initial));
    let values = [(record::COUNTER, initial), (record::LENGTH_AT, length)];
    let values = values.into_iter().chain(words).chain(recorded);
    // To add 0 would mean to wait for 0.
    let adds = values.filter(|(_, value)| *value != 0);
    operations.extend(adds.map(|(at, value)| Operation::add(at, to_i16(value), Undo::No)));
    won(sys::operate(set, &mut operations))
}

/// Without a record, the time of the first operation tells other processes that the set is initialised.
///
/// This adds only to 0: if an `open_or_create` has finished the set meanwhile, our units would be there twice.
fn initialise_single(set: SetId, initial: u16) -> Result<bool, OsCode> {
    let mut operations = match initial {
        0 => vec![Operation::add(0, 1, Undo::No), Operation::add(0, -1, Undo::No)],
        initial => vec![Operation::is_zero(0), Operation::add(0, to_i16(initial), Undo::No)],
    };
    won(sys::operate(set, &mut operations))
}

/// Finishes a set of one semaphore that its creator left behind; false if another process was quicker.
pub(super) fn finish_single(set: SetId, initial: u16) -> Result<bool, OsCode> {
    if initial == 0 {
        return Ok(false);
    }
    won(sys::operate(set, &mut [Operation::is_zero(0), Operation::add(0, to_i16(initial), Undo::No)]))
}

fn won(outcome: Result<(), OsCode>) -> Result<bool, OsCode> {
    match outcome {
        Ok(()) => Ok(true),
        Err(OsCode::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// A semaphore's value, which is at most 32,767.
fn to_i16(value: u16) -> i16 {
    i16::try_from(value).unwrap_or(i16::MAX)
}
