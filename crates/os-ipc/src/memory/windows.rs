//! Memory objects of Windows: found by name in the session, and gone with their last handle.

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::backend::{Identity, Object, Place};
use super::info::{MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::Wanted;
use crate::name::Name;
use crate::sys::access::Access;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::mapping::Mapping;
use crate::sys::named_memory::{self, Handle, Header, State, Use};

/// How often a call tries again when other processes change the name between its steps: 1,000 times in a row is no accident.
const ATTEMPTS: u32 = 1000;

/// The name of a memory object.
pub(super) struct Named<'a>(pub(super) &'a Name);

impl Place for Named<'_> {
    fn make(&self, size: NonZeroUsize, _mode: u32) -> Result<Box<dyn Object>> {
        let &Self(name) = self;
        let failed = |refusal| refused("cannot create the shared memory", name, refusal);
        let header = Header::open_or_create(Use::Memory, name.as_str()).map_err(failed)?;
        check_owner(name, Owner::Default, header.access())?;
        match header.draft(size).map_err(failed)? {
            Some(draft) if draft.publish() => {
                let named_memory::Draft { handle, state, .. } = draft;
                Ok(Box::new(WindowsObject { name: name.clone(), handle, state, size }))
            }
            _ => Err(failed(Refusal::Failed(Failure("CreateFileMapping", OsCode::EEXIST)))),
        }
    }

    fn find(&self, writable: bool, owner: Owner) -> Result<Box<dyn Object>> {
        let &Self(name) = self;
        let failed = |refusal| refused("cannot open the shared memory", name, refusal);
        let header = Header::open(Use::Memory, name.as_str()).map_err(failed)?;
        check_owner(name, owner, header.access())?;
        for _ in 0..ATTEMPTS {
            let state = header.state();
            let Some(size) = state.size() else { break };
            match header.open_bytes(state.number(), writable) {
                Ok(handle) => {
                    check_owner(name, owner, handle.access())?;
                    return Ok(Box::new(WindowsObject { name: name.clone(), handle, state, size }));
                }
                Err(refusal) if is_absent(refusal) && header.state() == state => break,
                Err(refusal) if is_absent(refusal) => {}
                Err(refusal) => return Err(failed(refusal)),
            }
        }
        Err(failed(Refusal::Failed(Failure("OpenFileMapping", OsCode::ENOENT))))
    }

    fn remove(&self) -> Result<bool> {
        let &Self(name) = self;
        let header = match Header::open(Use::Memory, name.as_str()) {
            Ok(header) => header,
            Err(refusal) if is_absent(refusal) => return Ok(false),
            Err(refusal) => return Err(refused("cannot remove the shared memory", name, refusal)),
        };
        loop {
            let state = header.state();
            if !header.has_object(state) {
                return Ok(false);
            }
            if header.change(state, state.removed()) {
                return Ok(true);
            }
        }
    }

    fn explain(&self, error: Error, _wanted: Wanted) -> Error {
        error
    }
}

/// An open object.
struct WindowsObject {
    name: Name,
    handle: Handle,
    /// The state of the header while this object has the name.
    state: State,
    size: NonZeroUsize,
}

impl Display for WindowsObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the shared memory '{}'", self.name)
    }
}

impl Object for WindowsObject {
    fn kind(&self) -> MemoryKind {
        MemoryKind::Windows
    }

    fn name(&self) -> Option<&Name> {
        Some(&self.name)
    }

    fn map(&self, writable: bool) -> Result<Mapping> {
        Mapping::of_file(&self.handle, self.size, writable).map_err(|code| {
            let name = &self.name;
            Error::system("cannot map the shared memory", "MapViewOfFile", format_args!("'{name}'"), code)
        })
    }

    fn info(&self) -> Result<SharedMemoryInfo> {
        let removed = self.handle.header().state() != self.state;
        Ok(info(&self.name, self.size, self.handle.header().created(), removed))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.name.clone(), Arc::clone(self.handle.header()), self.state))
    }
}

/// The identity of an object. It keeps the header, and so the numbers of the objects of this name.
struct Which(Name, Arc<Header>, State);

impl fmt::Debug for Which {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Which").field(&self.0).field(&self.2).finish()
    }
}

impl Identity for Which {
    /// Takes the name from the object, unless it has lost it already.
    fn remove(&self) -> Result<()> {
        self.1.change(self.2, self.2.removed());
        Ok(())
    }
}

/// Every object of this session that we may read.
pub(super) fn list() -> Result<Vec<SharedMemoryInfo>> {
    let names = Use::Memory.names().map_err(|Failure(call, code)| {
        Error::system("cannot list the shared memory", call, "BaseNamedObjects", code)
    })?;
    let look = |name: &String| {
        let name = Name::existing_memory(name).ok()?;
        let header = Header::open(Use::Memory, name.as_str()).ok()?;
        let state = header.state();
        let size = state.size().filter(|_| header.has_object(state))?;
        Some(info(&name, size, header.created(), false))
    };
    Ok(names.iter().filter_map(look).collect())
}

fn is_absent(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Failed(Failure(_, OsCode::ENOENT)))
}

fn check_owner(name: &Name, owner: Owner, access: Access) -> Result<()> {
    owner.check(format_args!("the shared memory '{name}'"), access)
}

fn refused(what: &'static str, name: &Name, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Failed(Failure(call, code)) => Error::system(what, call, format_args!("'{name}'"), code),
        Refusal::NotAnObject(kind) => {
            Error::new(Code::WrongKind, format!("'{name}' is not shared memory: the name belongs to {kind}"))
        }
    }
}

/// What Windows does not have is 0, as in Node's `fs.Stats` there; the mode is that of the list of access.
fn info(name: &Name, size: NonZeroUsize, created: u64, removed: bool) -> SharedMemoryInfo {
    SharedMemoryInfo {
        kind: MemoryKind::Windows,
        name: Some(name.clone()),
        key: None,
        id: None,
        size: size.get() as u64,
        attached: None,
        creator_pid: None,
        last_pid: None,
        uid: 0,
        gid: 0,
        mode: 0o600,
        created_at: UNIX_EPOCH.checked_add(Duration::from_secs(created)),
        attached_at: None,
        detached_at: None,
        changed_at: None,
        removed: Some(removed),
    }
}
