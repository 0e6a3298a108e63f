//! The ledgers of Windows are mappings of the page file, found as shared memory is: each has a header that says which ledger
//! has the name now. They end with their last handle, so none is ever left of an earlier start of the host.

use std::hash::Hasher;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use fnv::FnvHasher;

use super::{Status, Unusable};
use crate::sys::OsCode;
use crate::sys::access::{Access, Owned};
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::guard::Guard;
use crate::sys::mapping::Mapping;
use crate::sys::named_memory::{self, Handle, Header, State, Use};

/// An open ledger, mapped as a whole.
pub(crate) struct LedgerFile {
    handle: Handle,
    /// The state of the header while this ledger has the name.
    state: State,
    identity: FileIdentity,
    guard: Guard,
    mapping: Mapping,
}

/// A ledger without a name, to be filled.
pub(crate) struct Draft {
    draft: named_memory::Draft,
    file: LedgerFile,
}

/// The session has one place for all ledgers.
#[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
pub(crate) fn folder() -> Result<&'static Path, Unusable> {
    Ok(Path::new("Local"))
}

/// The names of all ledgers of the session, without the prefix.
pub(crate) fn names(_folder: &Path) -> Result<Vec<String>, Failure> {
    Use::Counter.names()
}

/// Who has the ledger of this name, if there is one.
pub(crate) fn access_of(_folder: &Path, name: &str) -> Option<Access> {
    Header::open(Use::Counter, name).ok().map(|header| header.access())
}

impl LedgerFile {
    /// `OpenFileMapping` and `MapViewOfFile` of the whole ledger.
    pub(crate) fn open(
        _folder: &Path,
        name: &str,
        _writable: bool,
        check: impl FnOnce(&Status) -> Result<(), Refusal>,
    ) -> Result<(Self, Status), Refusal> {
        let header = Header::open(Use::Counter, name)?;
        loop {
            let state = header.state();
            let size = state.size().ok_or(Failure("OpenFileMapping", OsCode::ENOENT))?;
            let handle = match header.open_bytes(state.number(), true) {
                // It lost its name meanwhile.
                Err(_) if header.state() != state => continue,
                opened => opened?,
            };
            let mut status = status(name, &handle, state);
            // Who planted the header chooses the ledger.
            if status.access.owned == Owned::Trusted {
                status.access = header.access();
            }
            check(&status)?;
            return Ok((Self::of(name, handle, state, size)?, status));
        }
    }

    fn of(name: &str, handle: Handle, state: State, size: NonZeroUsize) -> Result<Self, Refusal> {
        let mapping = Mapping::of_file(&handle, size, true).map_err(|code| Failure("MapViewOfFile", code))?;
        let guard = Guard::open(&handle.header().bytes_of(state.number()))?;
        Ok(Self { identity: identity(name, &handle, state), handle, state, guard, mapping })
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    #[allow(clippy::unused_self, reason = "the same face as that of Unix")]
    pub(crate) fn path(&self) -> &Path {
        Path::new("Local\\ledger")
    }

    #[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn status(&self) -> Result<Status, Failure> {
        Ok(Status { identity: self.identity, ..status("", &self.handle, self.state) })
    }

    /// No peer can truncate a mapping.
    #[allow(clippy::unused_self, reason = "the same face as that of Unix")]
    pub(crate) fn is_torn(&self) -> bool {
        false
    }

    /// The page file has room for the whole mapping since its creation.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn allocate(&self, _bytes: usize) -> Result<(), Failure> {
        Ok(())
    }

    /// All processes of a session see each other.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn enter(&self) -> Result<bool, OsCode> {
        Ok(true)
    }

    /// Never: a ledger that can be opened has a user.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn is_deserted(&self) -> Result<bool, OsCode> {
        Ok(false)
    }

    /// Takes the name from this ledger, unless it has lost it.
    #[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
    pub(crate) fn unlink(&self) -> Result<(), Failure> {
        self.handle.header().change(self.state, self.state.removed());
        Ok(())
    }
}

impl Draft {
    /// A new ledger of `size` zeros. `EEXIST` means that the name is taken.
    pub(crate) fn new(
        _folder: &Path,
        name: &str,
        size: NonZeroUsize,
        _allocated: usize,
    ) -> Result<Self, Failure> {
        const TAKEN: Failure = Failure("CreateFileMapping", OsCode::EEXIST);
        let make = || {
            let header = Header::open_or_create(Use::Counter, name)?;
            // Who planted the header could put another ledger into the place of this one.
            if header.access().owned != Owned::Trusted {
                return Err(Refusal::from(Failure("CreateFileMapping", OsCode::EACCES)));
            }
            let draft = header.draft(size)?.ok_or(TAKEN)?;
            let file = LedgerFile::of(name, Arc::clone(&draft.handle), draft.state, size)?;
            Ok(Self { draft, file })
        };
        make().map_err(|refusal| match refusal {
            Refusal::Failed(failure) => failure,
            Refusal::NotAnObject(_) => Failure("CreateFileMapping", OsCode::EACCES),
        })
    }

    pub(crate) fn file(&self) -> &LedgerFile {
        &self.file
    }

    /// Gives the ledger its name. `EEXIST` means that the name is taken. The mode has no meaning here.
    pub(crate) fn publish(self, _mode: u32) -> Result<LedgerFile, Failure> {
        if self.draft.publish() { Ok(self.file) } else { Err(Failure("CreateFileMapping", OsCode::EEXIST)) }
    }
}

fn status(name: &str, handle: &Handle, state: State) -> Status {
    let header = handle.header();
    Status {
        access: handle.access(),
        identity: identity(name, handle, state),
        removed: header.state() != state,
        changed: i64::try_from(header.created()).unwrap_or(0),
    }
}

/// The same for all processes: a hash of the name, of its header, and of the number of the ledger.
fn identity(name: &str, handle: &Handle, state: State) -> FileIdentity {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    hasher.write(&handle.header().life().to_le_bytes());
    hasher.write(&state.number().to_le_bytes());
    FileIdentity::of_number(hasher.finish())
}

/// Nothing is left of an earlier start of the host.
#[allow(clippy::unnecessary_wraps, reason = "the same face as that of Unix")]
pub(super) fn boot() -> Result<u64, Failure> {
    Ok(0)
}

/// A session has one space of pids.
pub(crate) fn space() -> u64 {
    0
}
