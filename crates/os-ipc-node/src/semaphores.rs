//! Semaphores, by handle.

use napi::bindgen_prelude::{Either, Env, External};
use napi_derive::napi;
use os_ipc::{Backend, Creation, Semaphore, SemaphoreId, SemaphoreIdentity, SemaphoreInfo};

use crate::environment::{self, Environment};
use crate::error::{OrFail, internal};
use crate::owner::owner_of;
use crate::waitable::{Waitable, duration};

/// A semaphore, and whether it is new.
#[napi(object, object_from_js = false)]
pub struct OpenedSemaphore {
    pub handle: u32,
    pub created: bool,
    pub verified: bool,
}

/// Information about a semaphore; times in seconds since 1970.
#[napi(object, object_from_js = false)]
pub struct NativeSemaphoreInfo {
    #[napi(ts_type = "'sysv' | 'posix' | 'windows'")]
    pub backend: &'static str,
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
    pub operated_at: Option<i64>,
    pub changed_at: Option<i64>,
    pub verified: bool,
    pub removed: bool,
}

/// A backend by its name; `lib/options.ts` has checked it.
fn backend_of(name: &str) -> os_ipc::Result<Backend> {
    Backend::named(name).ok_or_else(|| os_ipc::Error::invalid(format!("no such backend: '{name}'")))
}

/// A name or a raw key.
fn id_of(id: &Either<String, i32>, backend: &str) -> os_ipc::Result<SemaphoreId> {
    match id {
        Either::A(name) => SemaphoreId::named(name, backend_of(backend)?),
        Either::B(key) => SemaphoreId::keyed(*key),
    }
}

/// The same for a semaphore that another program may have created.
fn existing_id_of(id: &Either<String, i32>, backend: &str) -> os_ipc::Result<SemaphoreId> {
    match id {
        Either::A(name) => SemaphoreId::existing(name, backend_of(backend)?),
        Either::B(key) => SemaphoreId::keyed(*key),
    }
}

#[napi]
pub fn semaphore_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    #[napi(ts_arg_type = "'sysv' | 'posix' | 'windows'")] backend: String,
    initial: u32,
    mode: u32,
) -> napi::Result<OpenedSemaphore> {
    let semaphore =
        id_of(&id, &backend).and_then(|id| Semaphore::create(&id, Creation { initial, mode })).or_fail()?;
    opened(&env, session, semaphore)
}

#[napi]
pub fn semaphore_open(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    #[napi(ts_arg_type = "'sysv' | 'posix' | 'windows'")] backend: String,
    owner: Option<Either<u32, String>>,
) -> napi::Result<u32> {
    let semaphore =
        existing_id_of(&id, &backend).and_then(|id| Semaphore::open(&id, owner_of(&owner))).or_fail()?;
    keep(&env, session, semaphore)
}

#[napi]
pub fn semaphore_open_or_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    #[napi(ts_arg_type = "'sysv' | 'posix' | 'windows'")] backend: String,
    initial: u32,
    mode: u32,
    owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedSemaphore> {
    let semaphore = id_of(&id, &backend)
        .and_then(|id| Semaphore::open_or_create(&id, Creation { initial, mode }, owner_of(&owner)))
        .or_fail()?;
    opened(&env, session, semaphore)
}

#[napi]
pub fn semaphore_unlink_id(
    id: Either<String, i32>,
    #[napi(ts_arg_type = "'sysv' | 'posix' | 'windows'")] backend: String,
) -> napi::Result<bool> {
    existing_id_of(&id, &backend).and_then(|id| Semaphore::unlink_id(&id)).or_fail()
}

fn opened(env: &Env, session: u32, semaphore: Semaphore) -> napi::Result<OpenedSemaphore> {
    let (created, verified) = (semaphore.created(), semaphore.verified());
    Ok(OpenedSemaphore { handle: keep(env, session, semaphore)?, created, verified })
}

/// Keeps the semaphore, and returns its handle.
fn keep(env: &Env, session: u32, semaphore: Semaphore) -> napi::Result<u32> {
    environment::with(env, |environment| environment.keep(session, Waitable::Semaphore(semaphore)))
}

/// The semaphore of a handle. `lib/semaphore/semaphore.ts` uses no handle that it closed.
pub(crate) fn semaphore(environment: &Environment, handle: u32) -> napi::Result<&Semaphore> {
    match environment.waitable(handle)? {
        Waitable::Semaphore(semaphore) => Ok(semaphore),
        Waitable::Limit(_) => Err(internal("the handle of a limit")),
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

/// Blocks the calling thread; false if `timeout` (in milliseconds) passes first.
#[napi]
pub fn semaphore_wait_sync(env: Env, handle: u32, timeout: Option<f64>) -> napi::Result<bool> {
    take(&env, handle, |semaphore| semaphore.wait(timeout.map(duration)))
}

#[napi]
pub fn semaphore_info(env: Env, handle: u32) -> napi::Result<NativeSemaphoreInfo> {
    on(&env, handle, Semaphore::info).map(NativeSemaphoreInfo::from)
}

#[napi]
pub fn semaphore_unlink(env: Env, handle: u32) -> napi::Result<()> {
    on(&env, handle, Semaphore::unlink)
}

/// The identity of a handle's semaphore: for removing it when the handle is gone.
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

/// A call of System V IPC that is refused to this process.
#[napi(object, object_from_js = false)]
pub struct RefusedCall {
    pub call: &'static str,
    pub code: String,
}

/// Every refused call.
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
            backend: info.backend.name(),
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
            operated_at: info.operated_at,
            changed_at: info.changed_at,
            verified: info.verified,
            removed: info.removed,
        }
    }
}

/// The abilities of one backend on this platform.
#[napi(object, object_from_js = false)]
pub struct BackendCapabilities {
    #[napi(ts_type = "'sysv' | 'posix' | 'windows'")]
    pub name: &'static str,
    pub available: bool,
    pub is_default: bool,
    pub has_value: bool,
    pub has_timed_wait: bool,
    pub unlink_wakes: bool,
    /// The largest value of a counter.
    pub value_max: u32,
    /// The largest count of one post.
    pub post_max: u32,
}

/// Whether this host has System V semaphores, and whether the permits of a dead process come back.
#[napi(object)]
pub struct SystemVUndo {
    pub available: bool,
    pub recovers_permits: bool,
}

/// The kernel's treatment of System V semaphores. The first call probes it, with a child process.
#[napi]
pub fn system_v_undo() -> SystemVUndo {
    let undo = os_ipc::kernel_undo();
    SystemVUndo { available: undo.has_system_v(), recovers_permits: undo.is_trusted() }
}

/// The abilities of each backend on this platform.
#[napi]
pub fn semaphore_capabilities() -> Vec<BackendCapabilities> {
    let of = |backend: Backend| BackendCapabilities {
        name: backend.name(),
        available: backend.is_available(),
        is_default: backend == Backend::default(),
        has_value: backend.has_value(),
        has_timed_wait: backend.has_timed_wait(),
        unlink_wakes: backend.unlink_wakes(),
        value_max: backend.value_max(),
        post_max: backend.post_max(),
    };
    Backend::ALL.into_iter().map(of).collect()
}

/// Whether objects outlive their last user.
#[napi]
pub fn objects_persist() -> bool {
    os_ipc::OBJECTS_PERSIST
}
