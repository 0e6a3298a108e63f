//! System V semaphores where they are missing or, as on darwin, cannot wait with a limit: nothing is there.

use std::time::Duration;

use crate::error::OsCode;

pub(crate) use super::types::{Status, Undo};

pub(crate) const AVAILABLE: bool = false;

/// Never made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SetId(std::convert::Infallible);

impl SetId {
    pub(crate) fn raw(self) -> i32 {
        match self.0 {}
    }
}

pub(crate) type Values = Vec<u16>;

pub(crate) struct Operation(());

impl Operation {
    pub(crate) fn add(_index: u16, _by: i16, _undo: Undo) -> Self {
        Self(())
    }

    pub(crate) fn await_add(_index: u16, _by: i16, _undo: Undo) -> Self {
        Self(())
    }

    pub(crate) fn is_zero(_index: u16) -> Self {
        Self(())
    }
}

pub(crate) fn create(_key: i32, _size: usize, _mode: u32) -> Result<SetId, OsCode> {
    Err(OsCode::ENOSYS)
}

pub(crate) fn find(_key: i32) -> Result<SetId, OsCode> {
    Err(OsCode::ENOSYS)
}

pub(crate) fn find_any(_key: i32) -> Result<SetId, OsCode> {
    Err(OsCode::ENOSYS)
}

pub(crate) fn operate(set: SetId, _operations: &mut [Operation]) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn operate_waiting(set: SetId, _operations: &mut [Operation]) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn operate_within(
    set: SetId,
    _operations: &mut [Operation],
    _timeout: Duration,
) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn try_take(set: SetId, _undo: Undo) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn take(set: SetId, _undo: Undo) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn take_within(set: SetId, _undo: Undo, _timeout: Duration) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn give(set: SetId, _count: i16, _undo: Undo) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn value(set: SetId) -> Result<u16, OsCode> {
    match set.0 {}
}

pub(crate) fn value_at(set: SetId, _index: u16) -> Result<u16, OsCode> {
    match set.0 {}
}

pub(crate) fn waiters(set: SetId) -> Result<u16, OsCode> {
    match set.0 {}
}

pub(crate) fn waiters_at(set: SetId, _index: u16) -> Result<u16, OsCode> {
    match set.0 {}
}

pub(crate) fn last_pid(set: SetId) -> Result<i32, OsCode> {
    match set.0 {}
}

pub(crate) fn last_pid_at(set: SetId, _index: u16) -> Result<i32, OsCode> {
    match set.0 {}
}

pub(crate) fn values(set: SetId, _size: usize) -> Result<Values, OsCode> {
    match set.0 {}
}

pub(crate) fn status(set: SetId) -> Result<Status, OsCode> {
    match set.0 {}
}

pub(crate) fn remove(set: SetId) -> Result<(), OsCode> {
    match set.0 {}
}

pub(crate) fn by_id(_id: i32) -> SetId {
    unreachable!("no set is ever listed here")
}
