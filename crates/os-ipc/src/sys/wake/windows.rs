//! A stand-in until Windows has a backend: nothing waits for another process.

use std::path::Path;
use std::time::Duration;

use super::Woken;
use crate::error::OsCode;
use crate::sys::death::{ProcessId, Watch};

/// There are none.
#[derive(Debug)]
pub(crate) enum Inbox {}

impl Inbox {
    pub(crate) fn make(_: &Path) -> Result<Self, OsCode> {
        Err(OsCode::ENOSYS)
    }
}

pub(crate) fn hint(_: &Path, _: ProcessId, _: u64) {}

pub(crate) fn remove(_: &Path, _: ProcessId) {}

/// There are none.
#[derive(Debug)]
pub(crate) enum Bell {}

impl Bell {
    pub(crate) fn new() -> Result<Self, OsCode> {
        Err(OsCode::ENOSYS)
    }

    pub(crate) fn ring(&self) {
        match *self {}
    }
}

pub(crate) fn wait(_: Option<&Bell>, _: &[&Inbox], _: &[&Watch], timeout: Option<Duration>) -> Woken {
    std::thread::sleep(timeout.unwrap_or(Duration::from_millis(20)));
    Woken::default()
}
