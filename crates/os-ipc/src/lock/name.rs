//! Names of locks.

use std::fmt;

use crate::error::{Error, Result};

/// The most bytes of a lock's name, as UTF-8: the kernel stores the name beside the lock.
pub const MAX_LOCK_NAME_BYTES: usize = 250;

/// The name of a lock: any text, the empty one too, of at most 250 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockName(String);

impl LockName {
    /// Checks the length.
    pub fn new(text: &str) -> Result<Self> {
        if text.len() > MAX_LOCK_NAME_BYTES {
            let length = text.len();
            return Err(Error::invalid(format!(
                "the name of a lock has at most {MAX_LOCK_NAME_BYTES} bytes of UTF-8, this one has {length}"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "'{}'", self.0)
    }
}
