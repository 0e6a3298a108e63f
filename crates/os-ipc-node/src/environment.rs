//! The state of one JavaScript environment: an instance of the addon on the main thread or in a worker.
//!
//! A thread has several if the addon was loaded more than once (`delete require.cache`), or if the frames of an Electron
//! renderer share it. Each environment has a [session](crate::session) for every evaluation of the package's JavaScript.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, FromNapiValue, Function, check_status};
use napi::sys;
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;
use os_ipc::{Code, Error, Lock, LockEngine, Mailbox};

use crate::error::{failure, internal};
use crate::event_loop;
use crate::exit;
use crate::external_buffer;
use crate::handles::Handles;
use crate::memory::Segment;
use crate::session::{self, Session};
use crate::waitable::Waitable;

/// Lets the sessions settle; does not keep the event loop alive by itself.
pub(crate) type Wakeup = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

pub(crate) struct Environment {
    pub(crate) raw: sys::napi_env,
    pub(crate) wakeup: Arc<Wakeup>,
    pub(crate) in_worker: bool,
    /// Whether threads of libuv's pool may block for this environment.
    pub(crate) has_pool: bool,
    pub(crate) sessions: Vec<Session>,
    pub(crate) waitables: Handles<Waitable>,
    pub(crate) segments: Handles<Segment>,
    pub(crate) locks: Handles<Lock>,
}

thread_local! {
    static ENVIRONMENTS: RefCell<Vec<Environment>> = const { RefCell::new(Vec::new()) };
}

/// Runs `act` on the environment of `env`.
pub(crate) fn with<T>(env: &Env, act: impl FnOnce(&mut Environment) -> napi::Result<T>) -> napi::Result<T> {
    ENVIRONMENTS.with_borrow_mut(|environments| {
        match environments.iter_mut().find(|environment| environment.raw == env.raw()) {
            Some(environment) => act(environment),
            None => Err(internal("the addon was not started in this environment")),
        }
    })
}

/// Runs `act` on every environment of this thread.
pub(crate) fn with_all(act: impl FnMut(&mut Environment)) {
    ENVIRONMENTS.with_borrow_mut(|environments| environments.iter_mut().for_each(act));
}

/// Does the same as [`with`] for calls that Node-API makes at any moment: nothing if the environment is gone or in use.
pub(crate) fn try_with(raw: sys::napi_env, act: impl FnOnce(&mut Environment)) {
    ENVIRONMENTS.with(|environments| {
        if let Ok(mut environments) = environments.try_borrow_mut()
            && let Some(environment) = environments.iter_mut().find(|environment| environment.raw == raw)
        {
            act(environment);
        }
    });
}

/// Creates the environment of `env`, if this is its first session.
pub(crate) fn open(env: &Env, in_worker: bool, has_pool: bool) -> napi::Result<()> {
    let known = |environments: &Vec<Environment>| environments.iter().any(|known| known.raw == env.raw());
    if ENVIRONMENTS.with_borrow(known) {
        return Ok(());
    }
    let wakeup = wakeup(env)?;
    let environment = Environment {
        raw: env.raw(),
        wakeup: Arc::new(wakeup),
        in_worker,
        has_pool,
        sessions: Vec::new(),
        waitables: Handles::new(),
        segments: Handles::new(),
        locks: Handles::new(),
    };
    ENVIRONMENTS.with_borrow_mut(|environments| environments.push(environment));
    // Registered after the thread-safe function, so that it runs before that function's own hook.
    env.add_env_cleanup_hook(env.raw() as usize, end)?;
    Ok(())
}

/// The thread-safe function that other threads call. It calls a function of the addon, not one of `lib/`: so an unused
/// evaluation of `lib/` can be collected.
#[allow(unsafe_code, reason = "Node-API's own functions: napi-rs makes no function without a closure")]
fn wakeup(env: &Env) -> napi::Result<Wakeup> {
    let mut function = ptr::null_mut();
    // SAFETY: this is the thread of `env`; the places outlive the call.
    let settle = unsafe {
        check_status!(sys::napi_create_function(
            env.raw(),
            ptr::null(),
            0,
            Some(session::settle_all),
            ptr::null_mut(),
            &raw mut function,
        ))?;
        Function::<(), ()>::from_napi_value(env.raw(), function)?
    };
    settle.build_threadsafe_function::<()>().weak::<true>().callee_handled::<false>().build()
}

/// The environment ends: its waits end, and its grants and locks go back.
fn end(raw: usize) {
    let (ended, last) = ENVIRONMENTS.with_borrow_mut(|environments| {
        let place = environments.iter().position(|environment| environment.raw as usize == raw);
        (place.map(|place| environments.swap_remove(place)), environments.is_empty())
    });
    let Some(mut environment) = ended else { return };
    for session in &environment.sessions {
        session.mailbox.close();
        event_loop::leave(session.number);
    }
    exit::forget(environment.raw);
    if last {
        event_loop::close();
    }
    environment.end_locks();
    environment.return_units();
    for (number, waitable) in environment.waitables.drain() {
        if let Some(session) = environment.session(number) {
            waitable.withdraw(&session.mailbox);
        }
    }
}

impl Drop for Environment {
    /// At exit(3) no hook runs, and a listener of the exit may have asked for a lock: a lock must not wait when it is dropped.
    fn drop(&mut self) {
        self.end_locks();
    }
}

impl Environment {
    /// The session of this number; `None` if it was collected.
    pub(crate) fn session(&self, number: u32) -> Option<&Session> {
        self.sessions.iter().find(|session| session.number == number)
    }

    pub(crate) fn session_mut(&mut self, number: u32) -> napi::Result<&mut Session> {
        let found = self.sessions.iter_mut().find(|session| session.number == number);
        found.ok_or_else(|| internal("no such session"))
    }

    /// The mailbox of a session.
    pub(crate) fn mailbox(&self, session: u32) -> napi::Result<&Arc<Mailbox>> {
        let found = self.session(session).map(|session| &session.mailbox);
        found.ok_or_else(|| internal("no such session"))
    }

    /// A handle on a semaphore or a limit.
    pub(crate) fn keep(&mut self, session: u32, waitable: Waitable) -> napi::Result<u32> {
        let handle = self.waitables.insert(session, waitable);
        handle.ok_or_else(|| internal("more than a million semaphores and limits are open"))
    }

    /// The session of a handle.
    pub(crate) fn session_of(&self, handle: u32) -> napi::Result<u32> {
        self.waitables.session(handle).ok_or_else(|| internal("no such handle"))
    }

    /// What a handle stands for. `lib/` uses none that it closed.
    pub(crate) fn waitable(&self, handle: u32) -> napi::Result<&Waitable> {
        self.waitables.get(handle).ok_or_else(|| internal("no such handle"))
    }

    /// Ends all locks, pending and held.
    fn end_locks(&mut self) {
        for (number, lock) in self.locks.drain() {
            if let Some(session) = self.session(number) {
                lock.withdraw(&session.mailbox);
            }
        }
        LockEngine::close_unused();
    }

    /// Gives back the units whose code was terminated before it could see them.
    fn return_units(&self) {
        for session in &self.sessions {
            let in_transit = session.in_transit().and_then(|handle| self.waitables.get(handle));
            if let Some(Waitable::Semaphore(semaphore)) = in_transit {
                // A counter that is full or removed by now takes nothing back.
                drop(semaphore.post(1));
            }
        }
    }

    /// A unit of a handle is on its way to `lib/`.
    pub(crate) fn send(&mut self, handle: u32) {
        if self.in_worker
            && let Some(session) = self.waitables.session(handle)
            && let Ok(session) = self.session_mut(session)
        {
            session.send(handle);
        }
    }

    /// Fails in a worker that was terminated. Its code comes this far only if other code swallowed the termination: then it
    /// must not go on as if the call had succeeded.
    pub(crate) fn check_runs(&self) -> napi::Result<()> {
        if self.runs() {
            Ok(())
        } else {
            Err(failure(&Error::new(Code::Closed, "this worker was terminated")))
        }
    }

    /// Whether JavaScript goes on here. Only a worker can be terminated at any moment.
    pub(crate) fn runs(&self) -> bool {
        !self.in_worker || runs(&Env::from_raw(self.raw))
    }
}

/// Whether JavaScript goes on here: not in a terminated worker. The caller needs a scope for values.
pub(crate) fn runs(env: &Env) -> bool {
    #[allow(
        unsafe_code,
        reason = "Node-API's own functions: the wrappers in napi-rs make an object for this question"
    )]
    // SAFETY: this is the thread of `env`.
    unsafe {
        !external_buffer::ends_in_scope(env.raw())
    }
}

/// Whether this is the first thread of the process, and so no worker.
#[napi]
pub fn on_first_thread() -> bool {
    os_ipc::is_on_first_thread()
}
