//! Limits, by handle.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Either, Env, External};
use napi_derive::napi;
use os_ipc::{Limit, LimitCreation, LimitId, LimitIdentity, LimitInfo};

use crate::environment::{self, Environment};
use crate::error::{OrFail, internal};
use crate::owner::owner_of;
use crate::waitable::{Waitable, duration};

/// A limit that may be new.
#[napi(object, object_from_js = false)]
pub struct OpenedLimit {
    pub handle: u32,
    pub created: bool,
    pub verified: bool,
    /// The recorded number, where another one was asked for, and this process has not been told of it yet.
    pub differs: Option<u32>,
}

/// How many permits a process holds.
#[napi(object, object_from_js = false)]
pub struct NativeHolding {
    pub pid: i32,
    pub permits: u32,
}

/// What is known about a limit; times in seconds since 1970.
#[napi(object, object_from_js = false)]
pub struct NativeLimitInfo {
    pub name: Option<String>,
    pub key: i32,
    pub id: i32,
    pub permits: Option<u32>,
    pub free: u32,
    pub holders: Option<Vec<NativeHolding>>,
    pub unnamed: Option<u32>,
    pub waiters: u32,
    pub pending: u32,
    pub last_pid: Option<i32>,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub operated_at: Option<i64>,
    pub changed_at: i64,
    pub verified: bool,
}

/// A name or a raw key.
fn id_of(id: &Either<String, i32>) -> os_ipc::Result<LimitId> {
    match id {
        Either::A(name) => LimitId::named(name),
        Either::B(key) => LimitId::keyed(*key),
    }
}

/// The same, of what another program may have made.
fn existing_id_of(id: &Either<String, i32>) -> os_ipc::Result<LimitId> {
    match id {
        Either::A(name) => LimitId::existing(name),
        Either::B(key) => LimitId::keyed(*key),
    }
}

#[napi]
pub fn limit_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    permits: u32,
    mode: u32,
) -> napi::Result<OpenedLimit> {
    let limit = id_of(&id).and_then(|id| Limit::create(&id, LimitCreation { permits, mode })).or_fail()?;
    opened(&env, session, limit, None)
}

#[napi]
pub fn limit_open(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    owner: Option<Either<u32, String>>,
) -> napi::Result<u32> {
    let limit = existing_id_of(&id).and_then(|id| Limit::open(&id, owner_of(&owner))).or_fail()?;
    keep(&env, session, limit)
}

#[napi]
pub fn limit_open_or_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    permits: u32,
    mode: u32,
    owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedLimit> {
    let checked = id_of(&id).or_fail()?;
    let limit =
        Limit::open_or_create(&checked, LimitCreation { permits, mode }, owner_of(&owner)).or_fail()?;
    // Where another process removed it meanwhile, there is no number to differ from: the next use of the limit says so.
    let recorded = if limit.created() { None } else { limit.permits().ok().flatten().map(u32::from) };
    let differs = recorded.filter(|recorded| *recorded != permits && is_news(checked.to_string()));
    opened(&env, session, limit, differs)
}

/// Whether this process, in whichever of its threads, has not been told of it yet.
fn is_news(limit: String) -> bool {
    static TOLD: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(limit)
}

#[napi]
pub fn limit_unlink_id(id: Either<String, i32>) -> napi::Result<bool> {
    existing_id_of(&id).and_then(|id| Limit::unlink_id(&id)).or_fail()
}

fn opened(env: &Env, session: u32, limit: Limit, differs: Option<u32>) -> napi::Result<OpenedLimit> {
    let (created, verified) = (limit.created(), limit.verified());
    Ok(OpenedLimit { handle: keep(env, session, limit)?, created, verified, differs })
}

/// A handle on it.
fn keep(env: &Env, session: u32, limit: Limit) -> napi::Result<u32> {
    environment::with(env, |environment| environment.keep(session, Waitable::Limit(limit)))
}

/// The limit of a handle. `lib/limit/limit.ts` uses none that it closed.
pub(crate) fn limit(environment: &Environment, handle: u32) -> napi::Result<&Limit> {
    match environment.waitable(handle)? {
        Waitable::Limit(limit) => Ok(limit),
        Waitable::Semaphore(_) => Err(internal("this is the handle of a semaphore")),
    }
}

/// Runs `act` on a handle's limit.
fn on<T>(env: &Env, handle: u32, act: impl FnOnce(&Limit) -> os_ipc::Result<T>) -> napi::Result<T> {
    environment::with(env, |environment| Ok(act(limit(environment, handle)?)))?.or_fail()
}

/// The recorded number of permits; null where there is no record.
#[napi]
pub fn limit_permits(env: Env, handle: u32) -> napi::Result<Option<u32>> {
    Ok(on(&env, handle, Limit::permits)?.map(u32::from))
}

#[napi]
pub fn limit_try_acquire(env: Env, handle: u32) -> napi::Result<bool> {
    on(&env, handle, Limit::try_acquire)
}

/// Blocks the calling thread; false when the time (in milliseconds) is over.
#[napi]
pub fn limit_acquire_sync(env: Env, handle: u32, timeout: Option<f64>) -> napi::Result<bool> {
    on(&env, handle, |limit| limit.acquire(timeout.map(duration)))
}

#[napi]
pub fn limit_release(env: Env, handle: u32) -> napi::Result<()> {
    on(&env, handle, Limit::release)
}

/// Says whether this process's permits are for the program that it becomes by execve(2). False where nothing has to be said.
#[napi]
pub fn limit_hand_on(env: Env, handle: u32, handed_on: bool) -> napi::Result<bool> {
    on(&env, handle, |limit| limit.hand_on(handed_on))
}

#[napi]
pub fn limit_info(env: Env, handle: u32) -> napi::Result<NativeLimitInfo> {
    on(&env, handle, Limit::info).map(NativeLimitInfo::from)
}

#[napi]
pub fn limit_unlink(env: Env, handle: u32) -> napi::Result<()> {
    on(&env, handle, Limit::unlink)
}

/// Which limit a handle has open: to remove it when the handle is gone.
#[napi(ts_return_type = "object")]
pub fn limit_identity(env: Env, handle: u32) -> napi::Result<External<LimitIdentity>> {
    environment::with(&env, |environment| Ok(External::new(limit(environment, handle)?.identity())))
}

/// Removes a limit whose handle is gone.
#[napi]
pub fn limit_remove_closed(
    #[napi(ts_arg_type = "object")] identity: &External<LimitIdentity>,
) -> napi::Result<()> {
    identity.remove().or_fail()
}

/// Every limit that we may read.
#[napi]
pub fn list_limits() -> napi::Result<Vec<NativeLimitInfo>> {
    Ok(os_ipc::list_limits().or_fail()?.into_iter().map(NativeLimitInfo::from).collect())
}

/// Whether this platform has limits at all.
#[napi]
pub fn has_limits() -> bool {
    os_ipc::HAS_LIMITS
}

impl From<LimitInfo> for NativeLimitInfo {
    fn from(info: LimitInfo) -> Self {
        let holding = |holding: os_ipc::Holding| NativeHolding { pid: holding.pid, permits: holding.permits };
        Self {
            name: info.name,
            key: info.key,
            id: info.id,
            permits: info.permits.map(u32::from),
            free: u32::from(info.free),
            holders: info.holders.map(|holders| holders.into_iter().map(holding).collect()),
            unnamed: info.unnamed,
            waiters: info.waiters,
            pending: u32::try_from(info.pending).unwrap_or(u32::MAX),
            last_pid: info.last_pid,
            uid: info.uid,
            gid: info.gid,
            mode: info.mode,
            operated_at: info.operated_at,
            changed_at: info.changed_at,
            verified: info.verified,
        }
    }
}
