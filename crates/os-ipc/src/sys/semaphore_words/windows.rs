//! Windows has no semaphores of a C library.

use std::ptr::NonNull;

/// There are none.
#[derive(Debug)]
pub enum Words {}

impl Words {
    /// How many bytes they would be.
    pub const LENGTH: usize = 8;

    /// Where they would be.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        match *self {}
    }
}
