//! On darwin a semaphore is not a file: only sem_open(3) knows it.

#![allow(clippy::unnecessary_wraps, reason = "the same face as that of files")]

use super::{Contents, Found};
use crate::name::Name;
use crate::sys::OsCode;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;

pub(crate) fn place(name: &Name) -> String {
    name.to_string()
}

pub(crate) fn look(_name: &Name) -> Result<Found, Refusal> {
    Ok(Found::Nothing)
}

pub(crate) fn current(_name: &Name) -> Option<FileIdentity> {
    None
}

/// A removal can meet a semaphore that took the name a moment before.
pub(crate) fn keep_name(_name: &Name) -> Option<()> {
    None
}

pub(crate) fn is_absent(_name: &Name) -> bool {
    false
}

pub(crate) fn set_mode(_name: &Name, _file: FileIdentity, _mode: u32) -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn read(_name: &Name) -> Result<Contents, Failure> {
    Err(Failure("open", OsCode::ENOSYS))
}

pub(crate) fn names() -> Result<Vec<Name>, Failure> {
    Ok(Vec::new())
}
