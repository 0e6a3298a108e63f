//! Locks, by handle.

use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;
use os_ipc::{Lock, LockEngine, LockInfo, LockMode, LockName, LockRequest, Mailbox, Wait};

use crate::environment;
use crate::error::{OrFail, internal};

/// A request for a lock. With a ticket, the number of its wait, it is pending; without one, the lock is held or not free.
#[napi(object)]
pub struct RequestedLock {
    pub handle: u32,
    pub held: bool,
    pub ticket: Option<f64>,
}

/// A request that holds a lock or waits for it.
#[napi(object)]
pub struct NativeLockRequest {
    pub name: String,
    pub shared: bool,
    pub held: bool,
    pub pid: Option<i32>,
    pub client: Option<u32>,
}

/// A lock that exists.
#[napi(object)]
pub struct NativeLockInfo {
    pub name: String,
    pub key: Option<i32>,
    pub id: Option<i32>,
    pub exclusive: bool,
    pub shared: u32,
    pub waiters: u32,
    pub processes: Vec<i32>,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub changed_at: i64,
}

/// The engine of the platform or, for tests, that of files in a folder.
fn engine_of(folder: Option<String>) -> os_ipc::Result<LockEngine> {
    folder.map_or_else(LockEngine::of_platform, |folder| LockEngine::in_folder(&folder))
}

/// Whether locks are System V sets here, and not files. The first call probes the kernel's undo.
#[napi]
pub fn locks_are_system_v() -> bool {
    LockEngine::is_system_v()
}

/// Requests a lock: now, or in its turn. `client` is this thread's number.
#[napi]
pub fn lock_request(
    env: Env,
    session: u32,
    folder: Option<String>,
    name: String,
    shared: bool,
    if_available: bool,
    client: u32,
) -> napi::Result<RequestedLock> {
    let mode = if shared { LockMode::Shared } else { LockMode::Exclusive };
    let new = || Ok(Lock::new(&engine_of(folder)?, &LockName::new(&name)?, mode, client));
    environment::with(&env, |environment| {
        environment.check_runs()?;
        let mailbox = environment.mailbox(session)?.clone();
        let handle = environment.locks.insert(session, new().or_fail()?);
        let handle = handle.ok_or_else(|| internal("more than a million locks are requested"))?;
        // The request has its handle before it asks, so that it can be ended from then on.
        let lock = environment.locks.get(handle).ok_or_else(|| internal("no such lock"))?;
        let asked = ask(lock, &mailbox, if_available);
        if asked.is_err() {
            environment.locks.remove(handle);
        }
        let (held, ticket) = asked.or_fail()?;
        Ok(RequestedLock { handle, held, ticket })
    })
}

/// Whether the lock is held now; if it is pending, also the ticket of its wait.
fn ask(lock: &Lock, mailbox: &Arc<Mailbox>, if_available: bool) -> os_ipc::Result<(bool, Option<f64>)> {
    if if_available {
        return Ok((lock.try_take()?, None));
    }
    Ok(match lock.start(mailbox)? {
        Wait::Done => (true, None),
        Wait::Pending(ticket, _) => (false, Some(crate::waits::to_number(ticket))),
    })
}

/// Ends a request: cancels its wait, or gives its lock back.
#[napi]
pub fn lock_end(env: Env, handle: u32) -> napi::Result<()> {
    environment::with(&env, |environment| {
        let session = environment.locks.session(handle);
        let Some(lock) = environment.locks.remove(handle) else { return Ok(()) };
        // Before it is dropped: a lock must not wait any more when it is dropped.
        if let Some(session) = session.and_then(|session| environment.session(session)) {
            lock.cancel(&session.mailbox);
        }
        lock.release().or_fail()
    })
}

/// The requests that hold locks or wait for them.
#[napi]
pub fn lock_requests(folder: Option<String>) -> napi::Result<Vec<NativeLockRequest>> {
    let requests = engine_of(folder).and_then(|engine| engine.requests()).or_fail()?;
    Ok(requests.into_iter().map(NativeLockRequest::from).collect())
}

/// Closes the unused locks, which otherwise stay open for a moment.
#[napi]
pub fn close_unused_locks() {
    LockEngine::close_unused();
}

/// Every lock that exists.
#[napi]
pub fn list_locks() -> napi::Result<Vec<NativeLockInfo>> {
    let locks = LockEngine::of_platform().and_then(|engine| engine.list()).or_fail()?;
    Ok(locks.into_iter().map(NativeLockInfo::from).collect())
}

impl From<LockRequest> for NativeLockRequest {
    fn from(request: LockRequest) -> Self {
        Self {
            name: request.name,
            shared: request.mode == LockMode::Shared,
            held: request.held,
            pid: request.pid,
            client: request.client,
        }
    }
}

impl From<LockInfo> for NativeLockInfo {
    fn from(info: LockInfo) -> Self {
        let LockInfo { name, key, id, exclusive, shared, waiters, processes, uid, gid, mode, changed_at } =
            info;
        Self { name, key, id, exclusive, shared, waiters, processes, uid, gid, mode, changed_at }
    }
}
