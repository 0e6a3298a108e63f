//! Errors: the failed act, the call that failed, and a hint.

use std::fmt;

pub use crate::sys::OsCode;

use crate::hints;
pub use crate::hints::Remedy;

/// The reason of an [`Error`], as the code that programs compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A system call failed.
    System(OsCode),
    /// A name, key, mode or size that no object can have.
    InvalidValue,
    /// A position, length or count outside what the object holds.
    OutOfRange,
    /// The name or key stands for `IPC_PRIVATE`: a new object at every call.
    ReservedKey,
    /// Two names have the same key, and the other one exists already.
    NameCollision,
    /// A limit has the name or key of a semaphore, or the reverse.
    WrongKind,
    /// The object's creator died or stalled before it was ready.
    NotInitialised,
    /// The object belongs to a user who is neither this one nor root.
    ForeignOwner,
    /// The existing object is smaller than the requested size.
    Size,
    /// A peer truncated the object below its size at open.
    Truncated,
    /// The name belongs to something else: a link, a FIFO, a directory.
    NotAnObject,
    /// The handle was closed.
    Closed,
    /// The memory was detached.
    Detached,
    /// The memory was opened for reading only.
    ReadOnly,
    /// As many processes as a limit has room for use it.
    NoSlot,
    /// The platform or backend does not support it.
    NotSupported,
}

impl Code {
    /// The code as text: the name of the errno, or `ERR_...`.
    #[must_use]
    pub fn name(self) -> String {
        let own = match self {
            Self::System(errno) => return errno.to_string(),
            Self::InvalidValue => "ERR_INVALID_ARG_VALUE",
            Self::OutOfRange => "ERR_OUT_OF_RANGE",
            Self::ReservedKey => "ERR_RESERVED_KEY",
            Self::NameCollision => "ERR_NAME_COLLISION",
            Self::WrongKind => "ERR_WRONG_KIND",
            Self::NotInitialised => "ERR_NOT_INITIALISED",
            Self::ForeignOwner => "ERR_FOREIGN_OWNER",
            Self::Size => "ERR_SIZE",
            Self::Truncated => "ERR_TRUNCATED",
            Self::NotAnObject => "ERR_NOT_AN_OBJECT",
            Self::Closed => "ERR_CLOSED",
            Self::Detached => "ERR_DETACHED",
            Self::ReadOnly => "ERR_READ_ONLY",
            Self::NoSlot => "ERR_NO_SLOT",
            Self::NotSupported => "ERR_NOT_SUPPORTED",
        };
        own.to_owned()
    }
}

/// The error of an operation.
///
/// Its text reads `ENOSPC: cannot create the semaphore, semget '/jobs'`.
#[derive(Clone, Debug, PartialEq, Eq)]
// In a box, so that a successful result stays small.
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    code: Code,
    what: String,
    call: Option<Call>,
    hint: Option<String>,
    remedy: Option<Remedy>,
    details: Details,
}

/// The numbers behind an error, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The owner of the object in question.
    pub uid: Option<u32>,
    /// Its permission bits.
    pub mode: Option<u32>,
    /// The limit that was reached.
    pub limit: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    name: &'static str,
    object: String,
}

/// The result of the fallible functions of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without a system call behind it.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            what: what.into(),
            call: None,
            hint: None,
            remedy: None,
            details: Details::default(),
        }))
    }

    /// `call` on `object` failed with `errno`, so `what` is not done.
    pub fn system(
        what: impl Into<String>,
        call: &'static str,
        object: impl fmt::Display,
        errno: OsCode,
    ) -> Self {
        let call = Call { name: call, object: object.to_string() };
        let code = Code::System(errno);
        let details = Details::default();
        Self(Box::new(Parts { code, what: what.into(), call: Some(call), hint: None, remedy: None, details }))
    }

    /// A bad name, key, mode or size.
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::new(Code::InvalidValue, what)
    }

    /// Adds a hint, where the code alone misleads.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        // A remedy belongs to its own hint.
        self.0.remedy = None;
        self
    }

    /// Adds the remedy of this package; the hint describes it in words.
    #[must_use]
    pub(crate) fn with_remedy(mut self, remedy: impl Into<Option<Remedy>>) -> Self {
        self.0.remedy = remedy.into();
        self
    }

    /// Adds the owner of the object in question, and its permission bits.
    #[must_use]
    pub(crate) fn with_owner(mut self, uid: u32, mode: Option<u32>) -> Self {
        self.0.details = Details { uid: Some(uid), mode, ..self.0.details };
        self
    }

    /// Adds the limit that was reached.
    #[must_use]
    pub(crate) fn with_limit(mut self, limit: u64) -> Self {
        self.0.details.limit = Some(limit);
        self
    }

    /// The code, for comparisons.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The errno, if a system call failed.
    #[must_use]
    pub fn errno(&self) -> Option<OsCode> {
        match self.0.code {
            Code::System(errno) => Some(errno),
            _ => None,
        }
    }

    /// The system call that failed.
    #[must_use]
    pub fn syscall(&self) -> Option<&'static str> {
        self.0.call.as_ref().map(|call| call.name)
    }

    /// The hint: the one that was added, otherwise the usual one of the call and its errno.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref().or_else(|| hints::usual(self.syscall()?, self.errno()?))
    }

    /// The remedy of this package, if there is one.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        match self.0.hint {
            Some(_) => self.0.remedy,
            None => hints::usual_remedy(self.syscall()?, self.errno()?),
        }
    }

    /// Whether a hint was added.
    #[cfg(unix)]
    pub(crate) fn is_explained(&self) -> bool {
        self.0.hint.is_some()
    }

    /// The numbers behind the error.
    #[must_use]
    pub fn details(&self) -> Details {
        self.0.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.call {
            Some(call) => {
                write!(out, "{}: {}, {} {}", self.0.code.name(), self.0.what, call.name, call.object)
            }
            None => out.write_str(&self.0.what),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_error_reads_like_one_of_node() {
        let error = Error::system("cannot create the semaphore", "semget", "'/jobs'", OsCode::ENOSPC);
        assert_eq!(error.to_string(), "ENOSPC: cannot create the semaphore, semget '/jobs'");
        assert_eq!(error.syscall(), Some("semget"));
        assert_eq!(error.errno(), Some(OsCode::ENOSPC));
    }

    #[test]
    fn an_error_without_a_call_reads_as_its_sentence() {
        let error = Error::invalid("the name is empty").with_hint("give it one");
        assert_eq!(error.to_string(), "the name is empty");
        assert_eq!(error.code().name(), "ERR_INVALID_ARG_VALUE");
        assert_eq!(error.hint(), Some("give it one"));
        assert_eq!(error.errno(), None);
    }
}
