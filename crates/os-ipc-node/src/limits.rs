//! Limits, by handle.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use napi::bindgen_prelude::{Either, Env, External};
use napi_derive::napi;
use os_ipc::{Code, Error, Limit, LimitCreation, LimitEngine, LimitId, LimitIdentity, LimitInfo};

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
    pub engine: String,
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
    pub engine: String,
    pub name: Option<String>,
    pub key: Option<i32>,
    pub id: Option<i32>,
    pub permits: Option<u32>,
    pub free: u32,
    pub holders: Option<Vec<NativeHolding>>,
    pub unnamed: Option<u32>,
    pub stopped: Option<Vec<i32>>,
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

/// The engine that was asked for; none for that of the host.
fn engine_of(engine: &Option<String>) -> os_ipc::Result<Option<LimitEngine>> {
    let known = |name: &String| {
        let engine =
            [LimitEngine::SystemV, LimitEngine::Ledger].into_iter().find(|engine| engine.name() == name);
        engine
            .ok_or_else(|| Error::new(Code::NotSupported, format!("no engine of limits is called '{name}'")))
    };
    engine.as_ref().map(known).transpose()
}

#[napi]
pub fn limit_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    permits: u32,
    mode: u32,
    engine: Option<String>,
) -> napi::Result<OpenedLimit> {
    let engine = engine_of(&engine).or_fail()?;
    let create = |id| Limit::create(&id, LimitCreation { permits, mode }, engine);
    let limit = id_of(&id).and_then(create).or_fail()?;
    opened(&env, session, limit, None)
}

#[napi]
pub fn limit_open(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    owner: Option<Either<u32, String>>,
    engine: Option<String>,
) -> napi::Result<OpenedLimit> {
    let engine = engine_of(&engine).or_fail()?;
    let limit = existing_id_of(&id).and_then(|id| Limit::open(&id, owner_of(&owner), engine)).or_fail()?;
    opened(&env, session, limit, None)
}

#[napi]
pub fn limit_open_or_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    permits: u32,
    mode: u32,
    owner: Option<Either<u32, String>>,
    engine: Option<String>,
) -> napi::Result<OpenedLimit> {
    let (checked, engine) = (id_of(&id).or_fail()?, engine_of(&engine).or_fail()?);
    let creation = LimitCreation { permits, mode };
    let limit = Limit::open_or_create(&checked, creation, owner_of(&owner), engine).or_fail()?;
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
pub fn limit_unlink_id(id: Either<String, i32>, engine: Option<String>) -> napi::Result<bool> {
    let engine = engine_of(&engine).or_fail()?;
    existing_id_of(&id).and_then(|id| Limit::unlink_id(&id, engine)).or_fail()
}

fn opened(env: &Env, session: u32, limit: Limit, differs: Option<u32>) -> napi::Result<OpenedLimit> {
    let (created, verified, engine) = (limit.created(), limit.verified(), limit.engine().name().to_owned());
    Ok(OpenedLimit { handle: keep(env, session, limit)?, created, verified, engine, differs })
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

/// The engines that limits can have on this host.
#[napi(object, object_from_js = false)]
pub struct NativeLimitEngines {
    pub engines: Vec<String>,
    /// The engine of a new limit; none on a platform without limits.
    pub of_host: Option<String>,
    /// Whether the permits of a dead process come back, in that engine.
    pub recovers: bool,
}

#[napi]
pub fn limit_engines() -> NativeLimitEngines {
    let name = |engine: LimitEngine| engine.name().to_owned();
    let of_host = LimitEngine::of_host().ok();
    NativeLimitEngines {
        engines: LimitEngine::of_this_host().into_iter().map(name).collect(),
        of_host: of_host.map(name),
        recovers: of_host.is_some_and(LimitEngine::recovers),
    }
}

impl From<LimitInfo> for NativeLimitInfo {
    fn from(info: LimitInfo) -> Self {
        let holding = |holding: os_ipc::Holding| NativeHolding { pid: holding.pid, permits: holding.permits };
        Self {
            engine: info.engine.name().to_owned(),
            name: info.name,
            key: info.key,
            id: info.id,
            permits: info.permits.map(u32::from),
            free: u32::from(info.free),
            holders: info.holders.map(|holders| holders.into_iter().map(holding).collect()),
            unnamed: info.unnamed,
            stopped: info.stopped,
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
