//! The files of ledgers: in one sticky folder, where a file is complete or absent.
//!
//! | file | holds |
//! |---|---|
//! | `unix` | opening, checking and removing |
//! | `linux` | `O_TMPFILE`, locks of the open file, namespaces |
//! | `darwin` | renamex_np(2), the boot session |
//! | `windows` | mappings of the page file in their place |

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
#[cfg(unix)]
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod system;

use std::path::Path;

use super::access::Access;
use super::failure::Refusal;
use super::file_identity::FileIdentity;
pub(crate) use imp::{Draft, LedgerFile, access_of, folder, names};
#[cfg(unix)]
pub(crate) use imp::{room, space as own_space};
pub(crate) use origin::own_origin;

/// What is known about the file of a ledger, or the mapping in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    pub(crate) access: Access,
    pub(crate) identity: FileIdentity,
    /// Whether the ledger has lost its name.
    pub(crate) removed: bool,
    /// Seconds since 1970 of its creation or, of a file, of the last change of its owner or mode.
    pub(crate) changed: i64,
}

/// The calls that errors name.
#[cfg(unix)]
pub(crate) mod calls {
    pub(crate) const OPEN: &str = "open";
    pub(crate) const CREATE: &str = "linkat";
    pub(crate) const REMOVE: &str = "unlink";
    pub(crate) const GUARD: &str = "flock";
    pub(crate) const LIVENESS: &str = "fcntl";
}
#[cfg(windows)]
pub(crate) mod calls {
    pub(crate) const OPEN: &str = "OpenFileMapping";
    pub(crate) const CREATE: &str = "CreateFileMapping";
    pub(crate) const REMOVE: &str = "MapViewOfFile";
    pub(crate) const GUARD: &str = "CreateMutex";
    pub(crate) const LIVENESS: &str = "OpenProcess";
}

/// The folder in which the ledgers of this host would be, and why they cannot be there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unusable {
    pub(crate) path: &'static Path,
    pub(crate) refusal: Refusal,
}

mod origin {
    use std::sync::OnceLock;

    use crate::sys::failure::Failure;

    /// Which start of the host this is, and which namespaces give this process its pid and its start time.
    ///
    /// Processes of another origin cannot be told apart from dead ones.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Origin {
        pub(crate) boot: u64,
        pub(crate) space: u64,
    }

    /// A process that has no file descriptor left cannot read which start this is. It must not take an answer of its own for
    /// that: it would create ledgers that no other process accepts.
    pub(crate) fn own_origin() -> Result<Origin, Failure> {
        static OWN: OnceLock<Origin> = OnceLock::new();
        if let Some(own) = OWN.get() {
            return Ok(*own);
        }
        let own = Origin { boot: super::imp::boot()?, space: super::imp::space() };
        Ok(*OWN.get_or_init(|| own))
    }
}
