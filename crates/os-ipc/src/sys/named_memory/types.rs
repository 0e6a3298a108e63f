//! What the calls of POSIX shared memory answer, on every platform.

use crate::error::OsCode;

/// A call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) &'static str, pub(crate) OsCode);

/// Why a name was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Failed(Failure),
    /// It is this instead of a memory object.
    NotAnObject(&'static str),
    /// It went away, or is not there yet: worth another try.
    NotReady(OsCode),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How much room there is for memory objects, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) free: u64,
    pub(crate) total: u64,
    pub(crate) path: &'static str,
}
