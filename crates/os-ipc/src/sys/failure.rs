//! Failed calls, and files that are not the expected objects.

use super::OsCode;

/// A failed call: its name and its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) &'static str, pub(crate) OsCode);

impl Failure {
    /// Whether this process or the host has too little of something, so that the call says nothing about its object.
    ///
    /// A file that cannot be mapped may be too large, and another user may have made it.
    pub(crate) fn is_shortage(self) -> bool {
        let Self(call, code) = self;
        matches!(code, OsCode::EMFILE | OsCode::ENFILE)
            || code == OsCode::ENOMEM && !matches!(call, "mmap" | "MapViewOfFile")
    }
}

/// The reason why a file is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Failed(Failure),
    /// It cannot be such an object; the text says what it is.
    NotAnObject(&'static str),
}

/// What was read for a list; `None` if this user cannot read it.
///
/// Fails if this process or the host has too little of something: the list would be without what exists.
pub(crate) fn readable<T>(read: Result<T, impl Into<Refusal>>) -> Result<Option<T>, Failure> {
    match read.map_err(Into::into) {
        Ok(read) => Ok(Some(read)),
        Err(Refusal::Failed(failure)) if failure.is_shortage() => Err(failure),
        Err(_) => Ok(None),
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
