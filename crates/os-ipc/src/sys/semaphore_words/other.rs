//! A C library whose semaphores are its own business: musl, darwin.

use std::ptr::NonNull;

use crate::error::OsCode;

use crate::sys::named_semaphore::Mapped;

/// There are none.
#[derive(Debug)]
pub enum Words {}

impl Words {
    /// How many bytes they would be.
    pub const LENGTH: usize = 8;

    pub(crate) fn of(_: &Mapped) -> Option<Self> {
        None
    }

    /// Where they would be.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        match *self {}
    }
}

/// Nobody adds to words that are not known.
pub(crate) fn give(_: &Mapped, _: u32) -> Option<Result<(), OsCode>> {
    None
}

/// Nobody counts without words.
pub(crate) fn wake_one(_: &Mapped) {}
