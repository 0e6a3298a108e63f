//! Named semaphores of the C library.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::patience::Patience;
use super::{Backend, Creation, SemaphoreIdentity, SemaphoreInfo};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::name::Name;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::file_size_limit;
use crate::sys::interrupt::Interrupt;
use crate::sys::named_semaphore::{self as sys, Mapped, VALUE_MAX};
use crate::sys::semaphore_file::{self, Found};
use crate::sys::semaphore_words::{self, Words};
use crate::waiting::{Counter, Queue, Request, Token};

/// An open semaphore.
pub(super) struct Named {
    name: Name,
    /// Which file it was at open, where it is one.
    file: Option<FileIdentity>,
    mapped: Arc<Mapped>,
    queue: Arc<Queue>,
}

pub(super) fn create(name: &Name, creation: Creation) -> Result<Named> {
    let failed = |errno| Error::system("cannot create the semaphore", "sem_open", quoted(name), errno);
    // sem_open would come back with EFBIG too, but bring SIGXFSZ.
    if sys::FILE_PREFIX.is_some() && file_size_limit().is_some_and(|limit| limit < sys::FILE_SIZE) {
        return Err(failed(OsCode::EFBIG));
    }
    let mapped = sys::create(name.as_c_str(), creation.mode, creation.initial).map_err(failed)?;
    let file = semaphore_file::current(name);
    if let Some(file) = file {
        semaphore_file::set_mode(name, file, creation.mode).map_err(|Failure(call, errno)| {
            if semaphore_file::current(name) == Some(file) {
                // Complete or absent. What is reported is why it could not get its mode.
                let _ = sys::unlink(name.as_c_str());
            }
            Error::system("cannot create the semaphore", call, quoted(name), errno)
        })?;
    }
    Ok(Named::new(name, file, mapped))
}

pub(super) fn open(name: &Name, owner: Owner) -> Result<Named> {
    let mut patience = Patience::new();
    loop {
        let file = match check(name, owner)? {
            Found::Nothing => None,
            // Somebody planted the link, or is just about to take it away.
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
        // What was opened is what was checked, if the name still stands for it.
        if semaphore_file::current(name) == file {
            return Ok(Named::new(name, file, mapped));
        }
        if !patience.once_more() {
            return Err(Error::system(
                "the semaphore keeps being removed and created",
                "sem_open",
                quoted(name),
                OsCode::EAGAIN,
            ));
        }
    }
}

/// The file of `name`; refuses what somebody planted, and what a stranger owns.
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

/// What has the name is no semaphore.
fn no_object(name: &Name, what: &str) -> Error {
    let place = semaphore_file::place(name);
    Error::new(Code::NotAnObject, format!("the semaphore '{name}' is {what}: {place}"))
}

pub(super) fn open_or_create(name: &Name, creation: Creation, owner: Owner) -> Result<(Named, bool)> {
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

pub(super) fn unlink(name: &Name) -> Result<bool> {
    match sys::unlink(name.as_c_str()) {
        Ok(()) => Ok(true),
        Err(OsCode::ENOENT) => Ok(false),
        // A read-only file system refuses before it looks whether there is anything.
        Err(_) if semaphore_file::is_absent(name) => Ok(false),
        Err(errno) => Err(Error::system("cannot remove the semaphore", "sem_unlink", quoted(name), errno)),
    }
}

/// Takes the name away, unless it stands for another semaphore by now.
pub(super) fn remove_file(name: &Name, file: Option<FileIdentity>) -> Result<()> {
    if is_removed(name, file) {
        return Ok(());
    }
    unlink(name).map(drop)
}

fn is_removed(name: &Name, file: Option<FileIdentity>) -> bool {
    file.is_some() && semaphore_file::current(name) != file
}

/// Every semaphore that we may read.
pub(crate) fn list() -> Vec<SemaphoreInfo> {
    semaphore_file::names().iter().filter_map(describe).collect()
}

fn describe(name: &Name) -> Option<SemaphoreInfo> {
    let contents = semaphore_file::read(name)?;
    Some(SemaphoreInfo {
        value: Some(contents.value),
        waiters: Some(contents.waiters),
        uid: Some(contents.access.uid),
        gid: Some(contents.access.gid),
        mode: Some(contents.access.mode),
        changed: Some(contents.changed),
        ..unknown(name)
    })
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
        operated: None,
        changed: None,
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

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    pub(super) fn value(&self) -> Result<u32> {
        self.mapped.value().map_err(|errno| {
            let error = Error::system("cannot read the semaphore", "sem_getvalue", quoted(&self.name), errno);
            if errno == OsCode::ENOSYS { error.with_hint("darwin has no sem_getvalue") } else { error }
        })
    }

    /// All units or none. Where the C library's words are known that is one step; elsewhere the counter is looked at
    /// first, and a peer that posts in between can make it stop half way, 2 billion units up.
    pub(super) fn post(&self, count: u32) -> Result<()> {
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
        if let Some(given) = semaphore_words::give(&self.mapped, count) {
            return given.map_err(failed);
        }
        if sys::HAS_VALUE && VALUE_MAX - self.value()? < count {
            return Err(failed(OsCode::EOVERFLOW));
        }
        (0..count).try_for_each(|_| self.mapped.give()).map_err(failed)
    }

    pub(super) fn words(&self) -> Option<Words> {
        Words::of(&self.mapped)
    }

    pub(super) fn wake_one(&self) {
        semaphore_words::wake_one(&self.mapped);
    }

    pub(super) fn info(&self) -> Result<SemaphoreInfo> {
        let removed = self.is_removed();
        if !removed && let Some(info) = describe(&self.name) {
            return Ok(info);
        }
        let value = if sys::HAS_VALUE { Some(self.value()?) } else { None };
        Ok(SemaphoreInfo { value, removed, ..unknown(&self.name) })
    }

    pub(super) fn identity(&self) -> SemaphoreIdentity {
        SemaphoreIdentity::posix(&self.name, self.file)
    }

    /// Whether the calling thread can block for itself: everywhere without a deadline, and with one where the clock wakes it.
    pub(super) fn may_block(deadline: Option<Instant>) -> bool {
        deadline.is_none() || sys::HAS_TIMED_WAIT
    }

    /// Takes a unit, and blocks the calling thread until one is there; false when the deadline is over first.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        let taken = match deadline {
            Some(deadline) => self.mapped.take_until(deadline),
            None => loop {
                match self.mapped.take() {
                    Err(OsCode::EINTR) => {}
                    done => break done.map(|()| true),
                }
            },
        };
        let call = if deadline.is_some() { "sem_timedwait" } else { "sem_wait" };
        taken.map_err(|errno| Error::system("cannot wait for the semaphore", call, quoted(&self.name), errno))
    }

    fn is_removed(&self) -> bool {
        is_removed(&self.name, self.file)
    }
}

/// The counter of a semaphore.
struct MappedCounter {
    mapped: Arc<Mapped>,
    name: Name,
}

impl MappedCounter {
    fn failed(&self, act: &str, call: &'static str, errno: OsCode) -> Error {
        Error::system(format!("cannot {act} the semaphore"), call, quoted(&self.name), errno)
    }
}

impl Counter for MappedCounter {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        match self.mapped.try_take() {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EAGAIN) => Ok(None),
            Err(errno) => Err(self.failed("take a unit from", "sem_trywait", errno)),
        }
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        match self.mapped.take() {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failed("wait for", "sem_wait", errno)),
        }
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        self.mapped.give()
    }

    /// Of what goes back: what takes makes its own.
    fn failure(&self, act: &str, errno: OsCode) -> Error {
        self.failed(act, "sem_post", errno)
    }
}

/// One mapping and one queue a semaphore and process, however many handles there are.
///
/// The C library gives one address to all of a process's openings of one semaphore, and counts them; on darwin every
/// opening has its own, and its own queue.
fn shared(mapped: Mapped, name: &Name) -> (Arc<Mapped>, Arc<Queue>) {
    type Known = (Weak<Mapped>, Weak<Queue>);
    static KNOWN: LazyLock<Mutex<HashMap<usize, Known>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((old, queue)) = known.get(&mapped.address())
        && let (Some(old), Some(queue)) = (old.upgrade(), queue.upgrade())
    {
        return (old, queue);
    }
    // Now and then, so that opening does not become slower with every semaphore that is open.
    if known.len() == known.capacity() {
        known.retain(|_, (old, _)| old.strong_count() > 0);
    }
    let mapped = Arc::new(mapped);
    let queue = Queue::of_units(MappedCounter { mapped: Arc::clone(&mapped), name: name.clone() });
    known.insert(mapped.address(), (Arc::downgrade(&mapped), Arc::downgrade(&queue)));
    (mapped, queue)
}
