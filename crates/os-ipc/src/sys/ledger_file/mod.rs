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

use super::access::Access;
use super::file_identity::FileIdentity;
pub(crate) use imp::{Draft, LedgerFile, access_of, folder, names};
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

mod origin {
    use std::sync::LazyLock;

    /// Which start of the host this is, and which namespaces give this process its pid and its start time.
    ///
    /// Processes of another origin cannot be told apart from dead ones.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Origin {
        pub(crate) boot: u64,
        pub(crate) space: u64,
    }

    pub(crate) fn own_origin() -> Origin {
        static OWN: LazyLock<Origin> =
            LazyLock::new(|| Origin { boot: super::imp::boot(), space: super::imp::space() });
        *OWN
    }
}
