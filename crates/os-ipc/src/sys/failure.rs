//! Calls that failed, and objects that are not what they claim.

use super::OsCode;

/// A call that failed: its name, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) &'static str, pub(crate) OsCode);

/// Why a file is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Failed(Failure),
    /// It cannot be such an object: what it is instead.
    NotAnObject(&'static str),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
