//! Semaphores, by handle.

use std::time::Duration;

use napi::bindgen_prelude::{Either, Env, External};
use napi_derive::napi;
use os_ipc::{Backend, Creation, Owner, Semaphore, SemaphoreId, SemaphoreIdentity, SemaphoreInfo};

use crate::environment::{self, Environment};
use crate::error::{OrFail, internal};
use crate::external_buffer::{self, ArrayBufferValue};
use crate::waitable::Waitable;

/// A semaphore that may be new.
#[napi(object, object_from_js = false)]
pub struct OpenedSemaphore {
    pub handle: u32,
    pub created: bool,
    pub verified: bool,
}

/// What is known about a semaphore; times in seconds since 1970.
#[napi(object)]
pub struct NativeSemaphoreInfo {
    pub posix: bool,
    pub name: Option<String>,
    pub key: Option<i32>,
    pub id: Option<i32>,
    pub value: Option<u32>,
    pub waiters: Option<u32>,
    pub pending: u32,
    pub last_pid: Option<i32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mode: Option<u32>,
    pub operated: Option<i64>,
    pub changed: Option<i64>,
    pub verified: bool,
    pub removed: bool,
}

fn backend_of(posix: bool) -> Backend {
    if posix { Backend::Posix } else { Backend::SystemV }
}

/// A name or a raw key.
fn id_of(id: &Either<String, i32>, posix: bool) -> os_ipc::Result<SemaphoreId> {
    match id {
        Either::A(name) => SemaphoreId::named(name, backend_of(posix)),
        Either::B(key) => SemaphoreId::keyed(*key),
    }
}

/// The same, of what another program may have made.
fn existing_id_of(id: &Either<String, i32>, posix: bool) -> os_ipc::Result<SemaphoreId> {
    match id {
        Either::A(name) => SemaphoreId::existing(name, backend_of(posix)),
        Either::B(key) => SemaphoreId::keyed(*key),
    }
}

/// A uid, or `'any'`.
pub(crate) fn owner_of(owner: &Option<Either<u32, String>>) -> Owner {
    match owner {
        None => Owner::Default,
        Some(Either::A(uid)) => Owner::Uid(*uid),
        Some(Either::B(_)) => Owner::Any,
    }
}

#[napi]
pub fn semaphore_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    posix: bool,
    initial: u32,
    mode: u32,
) -> napi::Result<OpenedSemaphore> {
    let semaphore =
        id_of(&id, posix).and_then(|id| Semaphore::create(&id, Creation { initial, mode })).or_fail()?;
    opened(&env, session, semaphore)
}

#[napi]
pub fn semaphore_open(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    posix: bool,
    owner: Option<Either<u32, String>>,
) -> napi::Result<u32> {
    let semaphore =
        existing_id_of(&id, posix).and_then(|id| Semaphore::open(&id, owner_of(&owner))).or_fail()?;
    keep(&env, session, semaphore)
}

#[napi]
pub fn semaphore_open_or_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    posix: bool,
    initial: u32,
    mode: u32,
    owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedSemaphore> {
    let semaphore = id_of(&id, posix)
        .and_then(|id| Semaphore::open_or_create(&id, Creation { initial, mode }, owner_of(&owner)))
        .or_fail()?;
    opened(&env, session, semaphore)
}

#[napi]
pub fn semaphore_unlink_id(id: Either<String, i32>, posix: bool) -> napi::Result<bool> {
    existing_id_of(&id, posix).and_then(|id| Semaphore::unlink_id(&id)).or_fail()
}

fn opened(env: &Env, session: u32, semaphore: Semaphore) -> napi::Result<OpenedSemaphore> {
    let (created, verified) = (semaphore.created(), semaphore.verified());
    Ok(OpenedSemaphore { handle: keep(env, session, semaphore)?, created, verified })
}

/// A handle on it.
fn keep(env: &Env, session: u32, semaphore: Semaphore) -> napi::Result<u32> {
    environment::with(env, |environment| environment.keep(session, Waitable::Semaphore(semaphore)))
}

/// The semaphore of a handle. `lib/semaphore/semaphore.ts` uses none that it closed.
pub(crate) fn semaphore(environment: &Environment, handle: u32) -> napi::Result<&Semaphore> {
    match environment.waitable(handle)? {
        Waitable::Semaphore(semaphore) => Ok(semaphore),
        Waitable::Limit(_) => Err(internal("this is the handle of a limit")),
    }
}

/// Runs `act` on a handle's semaphore.
fn on<T>(env: &Env, handle: u32, act: impl FnOnce(&Semaphore) -> os_ipc::Result<T>) -> napi::Result<T> {
    environment::with(env, |environment| Ok(act(semaphore(environment, handle)?)))?.or_fail()
}

#[napi]
pub fn semaphore_value(env: Env, handle: u32) -> napi::Result<u32> {
    on(&env, handle, Semaphore::value)
}

/// Takes a unit, which has no owner: a terminated worker would take it along.
fn take(env: &Env, handle: u32, act: impl FnOnce(&Semaphore) -> os_ipc::Result<bool>) -> napi::Result<bool> {
    environment::with(env, |environment| {
        let taken = act(semaphore(environment, handle)?).or_fail()?;
        if taken {
            environment.send(handle);
        }
        Ok(taken)
    })
}

#[napi]
pub fn semaphore_post(env: Env, handle: u32, count: u32) -> napi::Result<()> {
    environment::with(&env, |environment| {
        environment.check_runs()?;
        semaphore(environment, handle)?.post(count).or_fail()
    })
}

#[napi]
pub fn semaphore_try_wait(env: Env, handle: u32) -> napi::Result<bool> {
    take(&env, handle, Semaphore::try_wait)
}

/// The words that the counter of a POSIX semaphore is in; null where they are not known, or must not be shown.
#[napi(ts_return_type = "ArrayBuffer | null")]
pub fn semaphore_words(env: Env, handle: u32) -> napi::Result<Option<ArrayBufferValue>> {
    let words = environment::with(&env, |environment| Ok(semaphore(environment, handle)?.words()))?;
    words.map_or(Ok(None), |words| external_buffer::of_words(env, words))
}

/// Wakes one who waits, after a unit was added to the words.
#[napi]
pub fn semaphore_wake_one(env: Env, handle: u32) -> napi::Result<()> {
    on(&env, handle, |semaphore| {
        semaphore.wake_one();
        Ok(())
    })
}

/// Blocks the calling thread; false when the time (in milliseconds) is over.
#[napi]
pub fn semaphore_wait_sync(env: Env, handle: u32, timeout: Option<f64>) -> napi::Result<bool> {
    let timeout = timeout.map(|timeout| {
        // What is too long for a Duration is for ever as well.
        Duration::try_from_secs_f64(timeout / 1000.0).unwrap_or(Duration::MAX)
    });
    take(&env, handle, |semaphore| semaphore.wait(timeout))
}

#[napi]
pub fn semaphore_info(env: Env, handle: u32) -> napi::Result<NativeSemaphoreInfo> {
    on(&env, handle, Semaphore::info).map(NativeSemaphoreInfo::from)
}

#[napi]
pub fn semaphore_unlink(env: Env, handle: u32) -> napi::Result<()> {
    on(&env, handle, Semaphore::unlink)
}

/// Which semaphore a handle has open: to remove it when the handle is gone.
#[napi(ts_return_type = "object")]
pub fn semaphore_identity(env: Env, handle: u32) -> napi::Result<External<SemaphoreIdentity>> {
    environment::with(&env, |environment| Ok(External::new(semaphore(environment, handle)?.identity())))
}

/// Removes a semaphore whose handle is gone.
#[napi]
pub fn semaphore_remove_closed(
    #[napi(ts_arg_type = "object")] identity: &External<SemaphoreIdentity>,
) -> napi::Result<()> {
    identity.remove().or_fail()
}

/// The largest value that a counter of this backend has.
#[napi]
pub fn semaphore_value_max(posix: bool) -> u32 {
    backend_of(posix).value_max()
}

/// A call of System V IPC that this process may not make.
#[napi(object, object_from_js = false)]
pub struct RefusedCall {
    pub call: &'static str,
    pub code: String,
}

/// Every one of them.
#[napi]
pub fn refused_calls() -> Vec<RefusedCall> {
    let refused = os_ipc::refused_calls().into_iter();
    refused.map(|(call, errno)| RefusedCall { call, code: errno.to_string() }).collect()
}

/// Every semaphore that we may read.
#[napi]
pub fn list_semaphores() -> napi::Result<Vec<NativeSemaphoreInfo>> {
    let semaphores = os_ipc::list_semaphores().or_fail()?;
    Ok(semaphores.into_iter().map(NativeSemaphoreInfo::from).collect())
}

impl From<SemaphoreInfo> for NativeSemaphoreInfo {
    fn from(info: SemaphoreInfo) -> Self {
        Self {
            posix: info.backend == Backend::Posix,
            name: info.name,
            key: info.key,
            id: info.id,
            value: info.value,
            waiters: info.waiters,
            pending: u32::try_from(info.pending).unwrap_or(u32::MAX),
            last_pid: info.last_pid,
            uid: info.uid,
            gid: info.gid,
            mode: info.mode,
            operated: info.operated,
            changed: info.changed,
            verified: info.verified,
            removed: info.removed,
        }
    }
}

/// What one backend can do on this platform.
#[napi(object)]
pub struct BackendCapabilities {
    pub available: bool,
    pub is_default: bool,
    pub has_value: bool,
    pub has_timed_wait: bool,
    pub unlink_wakes: bool,
}

/// What both backends can do on this platform.
#[napi(object)]
pub struct SemaphoreCapabilities {
    pub sysv: BackendCapabilities,
    pub posix: BackendCapabilities,
}

/// Whether System V semaphores can be had here, and whether the permits of a dead process come back.
#[napi(object)]
pub struct SystemVUndo {
    pub available: bool,
    pub recovers_permits: bool,
}

/// What the kernel does with System V semaphores. The first call asks it, by a child process.
#[napi]
pub fn system_v_undo() -> SystemVUndo {
    let undo = os_ipc::kernel_undo();
    SystemVUndo { available: undo.has_system_v(), recovers_permits: undo.is_trusted() }
}

#[napi]
pub fn semaphore_capabilities() -> SemaphoreCapabilities {
    let of = |backend: Backend| BackendCapabilities {
        available: backend.is_available(),
        is_default: backend == Backend::DEFAULT,
        has_value: backend.has_value(),
        has_timed_wait: backend.has_timed_wait(),
        unlink_wakes: backend.unlink_wakes(),
    };
    SemaphoreCapabilities { sysv: of(Backend::SystemV), posix: of(Backend::Posix) }
}
