//! The call or option of this package that helps after an error.

/// What the caller can do with this package. Each language binding names the method or option in its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Open the object instead of creating it.
    Open,
    /// Create the object first.
    Create,
    /// Create the object with a mode that lets a group use it.
    Mode,
    /// State that the owner of the object is trusted.
    Owner,
    /// State that every owner is trusted: the owner has no uid here.
    AnyOwner,
    /// Open it in the way that creates the missing part, or remove it.
    Finish,
    /// Open the object, which another program created, or remove it.
    OpenExisting,
    /// Use the POSIX backend.
    Posix,
    /// Use the System V backend.
    SystemV,
    /// Open or remove it as a semaphore.
    Semaphore,
    /// Open or remove it as a limit.
    Limit,
}

impl Remedy {
    /// The name of the remedy between the layers of a binding.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::AnyOwner => "any-owner",
            Self::Finish => "finish",
            Self::OpenExisting => "open-existing",
            Self::Posix => "posix",
            Self::SystemV => "sysv",
            Self::Semaphore => "semaphore",
            Self::Limit => "limit",
        }
    }
}
