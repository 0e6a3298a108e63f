//! POSIX shared memory where nobody has looked at it yet: nothing is there.

use std::fs::{File, Metadata};

use crate::error::OsCode;

use super::types::{Failure, Refusal, Space};
use crate::name::Name;

pub(crate) fn create(_name: &Name, _size: u64, _mode: u32) -> Result<File, Failure> {
    Err(Failure("shm_open", OsCode::ENOSYS))
}

pub(crate) fn open(_name: &Name, _writable: bool) -> Result<(File, Metadata), Refusal> {
    Err(Failure("shm_open", OsCode::ENOSYS).into())
}

pub(crate) fn status(_file: &File) -> Result<Metadata, Failure> {
    Err(Failure("fstat", OsCode::ENOSYS))
}

pub(crate) fn removed(_status: &Metadata) -> Option<bool> {
    None
}

pub(crate) fn unlink(_name: &Name) -> Result<(), Failure> {
    Err(Failure("shm_unlink", OsCode::ENOSYS))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity(());

pub(crate) fn identity(_status: &Metadata) -> Identity {
    Identity(())
}

pub(crate) fn named(_name: &Name) -> Result<Identity, Failure> {
    Err(Failure("shm_open", OsCode::ENOSYS))
}

pub(crate) fn names() -> Vec<Name> {
    Vec::new()
}

pub(crate) fn space() -> Option<Space> {
    None
}
