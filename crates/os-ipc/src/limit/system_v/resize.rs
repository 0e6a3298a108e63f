//! Changing the recorded number of permits. Every step leaves a limit whose numbers fit together.

use crate::error::OsCode;
use crate::record::{COUNTER, PERMITS_AT};
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::Token;

/// A free permit was taken, and the record lowered with it.
const STEP: Token = Token(0);

/// There was nothing to lower: the record has reached the number.
const REACHED: Token = Token(1);

/// Raises the record and the counter in one step; false when the record is not `from` any more.
pub(super) fn grow(set: SetId, from: u16, to: u16) -> Result<bool, OsCode> {
    let change = |index, by: u16, down: bool| {
        let by = i16::try_from(by).unwrap_or(i16::MAX);
        (by != 0).then(|| Operation::add(index, if down { -by } else { by }, Undo::No))
    };
    let (is_from, is_not_more) = (change(PERMITS_AT, from, true), Operation::is_zero(PERMITS_AT));
    let changes = [change(PERMITS_AT, to, false), change(COUNTER, to - from, false)];
    let mut operations: Vec<_> =
        is_from.into_iter().chain([is_not_more]).chain(changes.into_iter().flatten()).collect();
    match sys::operate(set, &mut operations) {
        Ok(()) => Ok(true),
        Err(OsCode::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Takes one free permit away, while the record is above `to`: for the record, the two operations that check it are one less.
fn step(to: u16, waiting: bool) -> Vec<Operation> {
    let to = i16::try_from(to).unwrap_or(i16::MAX - 1);
    let check = [Operation::add(PERMITS_AT, -to - 1, Undo::No)].into_iter();
    // To add 0 would mean to wait for 0.
    let restore = (to != 0).then(|| Operation::add(PERMITS_AT, to, Undo::No));
    let way = if waiting { Operation::await_add } else { Operation::add };
    check.chain(restore).chain([way(COUNTER, -1, Undo::No)]).collect()
}

/// One step of a shrinking, if it can be done now.
pub(super) fn try_step(set: SetId, to: u16) -> Result<Option<Token>, OsCode> {
    match sys::operate(set, &mut step(to, false)) {
        Ok(()) => Ok(Some(STEP)),
        Err(OsCode::EAGAIN) => Ok((sys::value_at(set, PERMITS_AT)? <= to).then_some(REACHED)),
        Err(errno) => Err(errno),
    }
}

/// One step of a shrinking, as soon as a permit is free. Where another resizing reaches the number first, the kernel ends the
/// wait.
pub(super) fn await_step(set: SetId, to: u16) -> Result<Token, OsCode> {
    match sys::operate_waiting(set, &mut step(to, true)) {
        Ok(()) => Ok(STEP),
        Err(OsCode::EAGAIN) => Ok(REACHED),
        Err(errno) => Err(errno),
    }
}
