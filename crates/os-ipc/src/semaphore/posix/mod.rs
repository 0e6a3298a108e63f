//! Named semaphores of the C library.

mod counter;

use std::sync::Arc;
use std::time::Instant;

use super::backend::{Engine, Facts, Identity, Object};
use super::explain::elsewhere;
use super::{Backend, Creation, SemaphoreId, SemaphoreInfo};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::{Wanted, posix as hints};
use crate::name::{MAX_FOREIGN_BYTES, Name};
use crate::patience::Patience;
use crate::sys::failure::{Failure, Refusal, readable};
use crate::sys::file_identity::FileIdentity;
use crate::sys::file_size_limit;
use crate::sys::named_semaphore::{self as sys, Mapped, VALUE_MAX};
use crate::sys::semaphore_file::{self, Contents, Found};
use crate::sys::shm_folder;
use crate::waiting::Queue;
use counter::shared;

/// The most units of one post. sem_post(3) adds one a call, so this many block the thread for about 15 ms.
const POST_MAX: u32 = 1_000_000;

/// sem_open(3): found by name.
pub(super) struct Posix;

impl Engine for Posix {
    fn facts(&self) -> Facts {
        Facts {
            has_value: sys::HAS_VALUE,
            // Timed waits go through the queue, which serves them in the order in which they came.
            has_timed_wait: false,
            unlink_wakes: false,
            value_max: VALUE_MAX,
            post_max: Some(POST_MAX),
            // The name of its file has the C library's prefix.
            foreign_name_max: Some(MAX_FOREIGN_BYTES - sys::FILE_PREFIX.map_or(0, str::len)),
        }
    }

    fn create(&self, id: &SemaphoreId, creation: Creation) -> Result<Box<dyn Object>> {
        Ok(Box::new(create(name_of(id)?, creation)?))
    }

    fn open(&self, id: &SemaphoreId, owner: Owner) -> Result<Box<dyn Object>> {
        Ok(Box::new(open(name_of(id)?, owner)?))
    }

    fn open_or_create(
        &self,
        id: &SemaphoreId,
        creation: Creation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)> {
        let (named, created) = open_or_create(name_of(id)?, creation, owner)?;
        Ok((Box::new(named), created))
    }

    fn unlink(&self, id: &SemaphoreId) -> Result<bool> {
        unlink_now(name_of(id)?)
    }

    fn list(&self) -> Result<Vec<SemaphoreInfo>> {
        let failed = |Failure(call, errno)| {
            Error::system("cannot list the semaphores", call, format_args!("'{}'", shm_folder::PATH), errno)
        };
        let mut all = Vec::new();
        for name in readable(semaphore_file::names()).map_err(failed)?.unwrap_or_default() {
            let contents = readable(semaphore_file::read(&name)).map_err(failed)?;
            all.extend(contents.map(|contents| describe(&name, &contents)));
        }
        Ok(all)
    }

    fn has(&self, name: &Name) -> bool {
        shm_folder::semaphore(name).is_some()
    }

    fn explain(&self, error: Error, id: &SemaphoreId, wanted: Wanted) -> Error {
        let wanted = if let Wanted::Make(_) = wanted { Wanted::Make(sys::FILE_SIZE) } else { wanted };
        match id.given_name() {
            Some(name) => hints::semaphore(error, name, wanted, || elsewhere(id)),
            None => error,
        }
    }
}

fn name_of(id: &SemaphoreId) -> Result<&Name> {
    id.given_name().ok_or_else(|| Error::invalid("a POSIX semaphore has a name, not a key"))
}

/// An open semaphore.
pub(super) struct Named {
    name: Name,
    /// The identity of its file when it was opened, where it has a file.
    file: Option<FileIdentity>,
    mapped: Arc<Mapped>,
    queue: Arc<Queue>,
}

fn create(name: &Name, creation: Creation) -> Result<Named> {
    let failed = |errno| Error::system("cannot create the semaphore", "sem_open", quoted(name), errno);
    // sem_open would fail with EFBIG too, but raise SIGXFSZ.
    if sys::FILE_PREFIX.is_some() && file_size_limit().is_some_and(|limit| limit < sys::FILE_SIZE) {
        return Err(failed(OsCode::EFBIG));
    }
    let mapped = sys::create(name.as_c_str(), creation.mode, creation.initial).map_err(failed)?;
    let file = semaphore_file::current(name);
    if let Some(file) = file {
        semaphore_file::set_mode(name, file, creation.mode).map_err(|Failure(call, errno)| {
            if semaphore_file::current(name) == Some(file) {
                // Complete or absent. The caller gets the error of the mode.
                let _ = sys::unlink(name.as_c_str());
            }
            Error::system("cannot create the semaphore", call, quoted(name), errno)
        })?;
    }
    Ok(Named::new(name, file, mapped))
}

fn open(name: &Name, owner: Owner) -> Result<Named> {
    let mut patience = Patience::new();
    loop {
        let file = match check(name, owner)? {
            Found::Nothing => None,
            // Another user planted the link, or the creator is about to remove it.
            Found::File { linked: true, .. } if patience.once_more() => continue,
            Found::File { linked: true, .. } => return Err(no_object(name, "a file with a second link")),
            Found::File { identity, .. } => Some(identity),
        };
        let mapped = sys::open(name.as_c_str()).map_err(|errno| {
            let what = match errno {
                OsCode::EACCES => "no permission to read and change the semaphore",
                _ => "cannot open the semaphore",
            };
            Error::system(what, "sem_open", quoted(name), errno)
        })?;
        // The opened semaphore is the checked one if its name still belongs to the same file.
        if semaphore_file::current(name) == file {
            return Ok(Named::new(name, file, mapped));
        }
        if !patience.once_more() {
            return Err(Error::system(
                "other processes keep removing and creating the semaphore",
                "sem_open",
                quoted(name),
                OsCode::EAGAIN,
            ));
        }
    }
}

/// The file of `name`; refuses a planted file, and the file of an owner who is not trusted.
fn check(name: &Name, owner: Owner) -> Result<Found> {
    let found = semaphore_file::look(name).map_err(|refusal| match refusal {
        Refusal::NotAnObject(what) => no_object(name, what),
        Refusal::Failed(Failure(call, errno)) => {
            Error::system("cannot open the semaphore", call, quoted(name), errno)
        }
    })?;
    if let Found::File { access, .. } = found {
        owner.check(format_args!("the semaphore '{name}'"), access)?;
    }
    Ok(found)
}

/// The error for a name that belongs to something other than a semaphore.
fn no_object(name: &Name, what: &str) -> Error {
    let place = semaphore_file::place(name);
    Error::new(Code::NotAnObject, format!("the semaphore '{name}' is {what}: {place}"))
}

fn open_or_create(name: &Name, creation: Creation, owner: Owner) -> Result<(Named, bool)> {
    let mut patience = Patience::new();
    loop {
        match open(name, owner) {
            Err(error) if error.errno() == Some(OsCode::ENOENT) => {}
            opened => return opened.map(|named| (named, false)),
        }
        match create(name, creation) {
            Err(error) if error.errno() == Some(OsCode::EEXIST) && patience.once_more() => {}
            made => return made.map(|named| (named, true)),
        }
    }
}

/// Removes the semaphore that has this name now; false if there is none.
fn unlink_now(name: &Name) -> Result<bool> {
    let _kept = semaphore_file::keep_name(name);
    unlink(name)
}

fn unlink(name: &Name) -> Result<bool> {
    match sys::unlink(name.as_c_str()) {
        Ok(()) => Ok(true),
        Err(OsCode::ENOENT) => Ok(false),
        // A read-only file system refuses before it checks whether the file exists.
        Err(_) if semaphore_file::is_absent(name) => Ok(false),
        Err(errno) => Err(Error::system("cannot remove the semaphore", "sem_unlink", quoted(name), errno)),
    }
}

/// The identity of a semaphore; without a file, two semaphores of one name cannot be told apart.
#[derive(Debug)]
struct Which(Name, Option<FileIdentity>);

impl Identity for Which {
    /// Removes the name, unless it belongs to another semaphore by now.
    fn remove(&self) -> Result<()> {
        let Self(name, file) = self;
        let _kept = semaphore_file::keep_name(name);
        if is_removed(name, *file) {
            return Ok(());
        }
        let removed = unlink(name).map(drop);
        removed.map_err(|error| hints::semaphore(error, name, Wanted::Remove, || None))
    }
}

fn is_removed(name: &Name, file: Option<FileIdentity>) -> bool {
    file.is_some() && semaphore_file::current(name) != file
}

fn describe(name: &Name, contents: &Contents) -> SemaphoreInfo {
    SemaphoreInfo {
        value: Some(contents.value),
        waiters: Some(contents.waiters),
        uid: Some(contents.access.uid),
        gid: Some(contents.access.gid),
        mode: Some(contents.access.mode),
        changed_at: Some(contents.changed),
        ..unknown(name)
    }
}

fn unknown(name: &Name) -> SemaphoreInfo {
    SemaphoreInfo {
        backend: Backend::Posix,
        name: Some(name.to_string()),
        key: None,
        id: None,
        value: None,
        waiters: None,
        pending: 0,
        last_pid: None,
        uid: None,
        gid: None,
        mode: None,
        operated_at: None,
        changed_at: None,
        verified: true,
        removed: false,
    }
}

fn quoted(name: &Name) -> String {
    format!("'{name}'")
}

impl Named {
    fn new(name: &Name, file: Option<FileIdentity>, mapped: Mapped) -> Self {
        let (mapped, queue) = shared(mapped, name);
        Self { name: name.clone(), file, mapped, queue }
    }

    fn is_removed(&self) -> bool {
        is_removed(&self.name, self.file)
    }
}

impl Object for Named {
    fn backend(&self) -> Backend {
        Backend::Posix
    }

    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    fn value(&self) -> Result<u32> {
        self.mapped.value().map_err(|errno| {
            let error = Error::system("cannot read the semaphore", "sem_getvalue", quoted(&self.name), errno);
            if errno == OsCode::ENOSYS { error.with_hint("darwin has no sem_getvalue") } else { error }
        })
    }

    /// Adds all units or none: sem_post(3) adds one, so the counter is read first. A peer that posts in between can stop
    /// this half way, 2 billion units up.
    fn post(&self, count: u32) -> Result<()> {
        let failed = |errno| {
            let what = match errno {
                OsCode::EOVERFLOW => format!("the counter would pass {VALUE_MAX}"),
                _ => "cannot post to the semaphore".to_owned(),
            };
            let error = Error::system(what, "sem_post", quoted(&self.name), errno);
            if errno == OsCode::EOVERFLOW { error.with_limit(u64::from(VALUE_MAX)) } else { error }
        };
        if count == 1 {
            return self.mapped.give().map_err(failed);
        }
        if sys::HAS_VALUE && VALUE_MAX - self.value()? < count {
            return Err(failed(OsCode::EOVERFLOW));
        }
        (0..count).try_for_each(|_| self.mapped.give()).map_err(failed)
    }

    fn info(&self) -> Result<SemaphoreInfo> {
        let removed = self.is_removed();
        if !removed && let Ok(contents) = semaphore_file::read(&self.name) {
            return Ok(describe(&self.name, &contents));
        }
        let value = if sys::HAS_VALUE { Some(self.value()?) } else { None };
        Ok(SemaphoreInfo { value, removed, ..unknown(&self.name) })
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.name.clone(), self.file))
    }

    /// True without a deadline or if the call has a clock, unless this process has waiters.
    fn may_block(&self, deadline: Option<Instant>) -> bool {
        (deadline.is_none() || sys::HAS_TIMED_WAIT) && self.queue.pending() == 0
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let taken = match deadline {
            Some(deadline) => self.mapped.take_until(deadline),
            None => loop {
                match self.mapped.take() {
                    Err(OsCode::EINTR) => {}
                    done => break done.map(|()| true),
                }
            },
        };
        taken.map_err(|errno| {
            Error::system("cannot wait for the semaphore", sys::WAIT_CALL, quoted(&self.name), errno)
        })
    }
}
