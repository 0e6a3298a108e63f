//! A session: what one evaluation of the package's JavaScript waits for.
//!
//! One addon can serve many evaluations on one thread: Jest evaluates a package for every test file, a development server
//! after an edit, a package manager installs it once for each version of a peer. Each has its own outcomes.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs has no weak references to functions")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::bindgen_prelude::{Env, Function, JsValue, Object, Uint32Array, check_status};
use napi::sys;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use os_ipc::Mailbox;

use crate::environment::{self, Environment};
use crate::event_loop;
use crate::pool;

pub(crate) struct Session {
    /// Never 0; no other session of this thread has it.
    pub(crate) number: u32,
    pub(crate) mailbox: Arc<Mailbox>,
    /// The function of `lib/` that collects the outcomes: held weakly while nothing is waited for.
    settle: sys::napi_ref,
    waits: bool,
    keeps_alive: bool,
    /// Whether there is something for it to collect.
    told: Arc<AtomicBool>,
    /// Whether its waits were cancelled because the process is about to exit.
    pub(crate) left: bool,
    /// In a worker: the handle whose unit `lib/` has not seen yet.
    transit: Option<Uint32Array>,
}

thread_local! {
    static LAST_NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// What a session begins with.
#[napi(object, object_from_js = false)]
pub struct Started {
    /// Its number.
    pub session: u32,
    /// After how many milliseconds a wait asks for [`leave_pool_queue`](crate::waits::leave_pool_queue); 0 where no wait uses
    /// the runtime's pool.
    pub pool_patience: u32,
}

/// Begins the session of one evaluation of `lib/`.
///
/// `settle` is called when waits ended; `runtime` is what runs the program: `node`, `bun`, `deno`, `electron` or `nw`. A worker
/// has a place in memory, `transit`, for the handle whose unit is on its way. It has no loop that could look for a unit. The
/// session ends when `evaluation` is collected, which all functions of that evaluation refer to.
#[napi]
pub fn start(
    env: Env,
    #[napi(ts_arg_type = "object")] evaluation: Object<'_>,
    settle: Function<'_, (), ()>,
    runtime: String,
    transit: Option<Uint32Array>,
) -> napi::Result<Started> {
    let in_worker = transit.is_some();
    let pool_threads = pool::threads(&runtime, in_worker);
    // The loops of Bun and Deno are their own. Electron and NW.js give libuv's a turn when their own has a moment.
    let libuv = !in_worker && runtime == "node";
    environment::open(&env, in_worker, pool_threads > 0)?;
    let number = LAST_NUMBER.get() + 1;
    LAST_NUMBER.set(number);
    let wakeup = environment::with(&env, |environment| Ok(Arc::clone(&environment.wakeup)))?;
    let told = Arc::new(AtomicBool::new(false));
    let wake = {
        let told = Arc::clone(&told);
        move || {
            // Only this thread: another one that looks may be handing on to this one.
            if libuv && event_loop::takes_delivery(number) {
                return;
            }
            told.store(true, Ordering::Release);
            // Anything but `Ok` means that the environment is closing, and nobody is there to be told.
            let _ = wakeup.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    };
    let mailbox = Arc::new(Mailbox::new(wake));
    let mut reference = ptr::null_mut();
    // SAFETY: this is the thread of `env`, and the places outlive the calls.
    unsafe {
        check_status!(sys::napi_create_reference(env.raw(), settle.raw(), 0, &raw mut reference))?;
        check_status!(sys::napi_add_finalizer(
            env.raw(),
            evaluation.raw(),
            ptr::without_provenance_mut(number as usize),
            Some(collected),
            ptr::null_mut(),
            ptr::null_mut(),
        ))?;
        if libuv {
            event_loop::enter(&env, number, reference, &mailbox)?;
        }
    }
    if pool_threads > 0 {
        os_ipc::share_pool();
        os_ipc::set_pool_size(pool_threads);
    }
    environment::with(&env, |environment| {
        environment.sessions.push(Session {
            number,
            mailbox,
            settle: reference,
            waits: false,
            keeps_alive: false,
            told,
            left: false,
            transit,
        });
        let pool_patience = if pool_threads > 0 { pool::PATIENCE } else { 0 };
        Ok(Started { session: number, pool_patience })
    })
}

/// Says whether a session has pending waits, and whether they keep the event loop alive.
#[napi]
pub fn keep(env: Env, session: u32, waits: bool, alive: bool) -> napi::Result<()> {
    environment::with(&env, |environment| {
        let kept_alive = environment.is_kept_alive();
        let session = environment.session_mut(session)?;
        let waited = std::mem::replace(&mut session.waits, waits);
        session.keeps_alive = alive;
        if waited != waits {
            // SAFETY: the reference is of this environment, and not deleted before the session is.
            check_status!(unsafe {
                if waits {
                    sys::napi_reference_ref(env.raw(), session.settle, ptr::null_mut())
                } else {
                    sys::napi_reference_unref(env.raw(), session.settle, ptr::null_mut())
                }
            })?;
        }
        if kept_alive == environment.is_kept_alive() {
            return Ok(());
        }
        let function = environment.wakeup.raw();
        // SAFETY: `function` lives as long as `environment.wakeup`, and this is the thread of `env`.
        check_status!(unsafe {
            if kept_alive {
                sys::napi_unref_threadsafe_function(env.raw(), function)
            } else {
                sys::napi_ref_threadsafe_function(env.raw(), function)
            }
        })
    })
}

impl Environment {
    /// Whether the waits of some session keep the event loop alive.
    fn is_kept_alive(&self) -> bool {
        self.sessions.iter().any(|session| session.keeps_alive)
    }

    /// Ends the session of an evaluation that was collected: nobody can use its handles any more. What it holds stays held.
    fn end_session(&mut self, number: u32) {
        let Some(place) = self.sessions.iter().position(|session| session.number == number) else { return };
        let session = self.sessions.swap_remove(place);
        event_loop::leave(number);
        session.mailbox.close();
        // SAFETY: this takes the only owner of the reference, and this is its environment's thread.
        unsafe { sys::napi_delete_reference(self.raw, session.settle) };
        let env = Env::from_raw(self.raw);
        for waitable in self.waitables.of(number) {
            waitable.cancel_all(&session.mailbox);
        }
        for lock in self.locks.of(number) {
            lock.cancel(&session.mailbox);
        }
        drop(self.waitables.remove_if(number, |waitable| !waitable.is_held()));
        drop(self.locks.remove_if(number, |lock| !lock.is_held()));
        for segment in self.segments.remove_if(number, |_| true) {
            segment.release(env);
        }
    }
}

/// The finalizer of an evaluation.
unsafe extern "C" fn collected(env: sys::napi_env, number: *mut c_void, _: *mut c_void) {
    let Ok(number) = u32::try_from(number.addr()) else { return };
    environment::try_with(env, |environment| environment.end_session(number));
}

impl Session {
    /// A unit leaves for `lib/`, which says so when it arrives.
    pub(crate) fn send(&mut self, handle: u32) {
        if let Some(transit) = &mut self.transit {
            // SAFETY: JavaScript, which alone has it besides, does not run while the call it made is at work.
            if let Some(place) = unsafe { transit.as_mut() }.first_mut() {
                *place = handle;
            }
        }
    }

    /// The handle whose unit has not arrived.
    pub(crate) fn in_transit(&self) -> Option<u32> {
        self.transit.as_deref()?.first().copied().filter(|handle| *handle != 0)
    }

    /// Has it collect, from any thread's point of view as if something had arrived.
    pub(crate) fn tell(&self, environment: &environment::Wakeup) {
        self.told.store(true, Ordering::Release);
        let _ = environment.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// What the thread-safe function calls: has every session collect that was told.
pub(crate) unsafe extern "C" fn settle_all(
    env: sys::napi_env,
    _: sys::napi_callback_info,
) -> sys::napi_value {
    let told = environment::with(&Env::from_raw(env), |environment| {
        let told = environment.sessions.iter().filter(|session| session.told.swap(false, Ordering::AcqRel));
        Ok(told.map(|session| session.number).collect::<Vec<_>>())
    });
    for number in told.unwrap_or_default() {
        let settle = environment::with(&Env::from_raw(env), |environment| {
            Ok(environment.session(number).map(|session| session.settle))
        });
        if let Ok(Some(settle)) = settle {
            // SAFETY: this is the thread of `env`, and the reference is deleted with its session.
            unsafe { call(env, settle, Frame::Function) };
        }
    }
    ptr::null_mut()
}

/// What runs below a call of JavaScript.
#[derive(Clone, Copy)]
pub(crate) enum Frame {
    /// libuv: nothing else runs the microtasks.
    EventLoop,
    /// A function that JavaScript or a thread-safe function called: its caller runs the microtasks.
    Function,
}

impl Frame {
    /// # Safety
    /// - This is the thread of `env`, and the values are of it.
    unsafe fn call(
        self,
        env: sys::napi_env,
        receiver: sys::napi_value,
        function: sys::napi_value,
    ) -> sys::napi_status {
        // SAFETY: the caller's; there are no arguments, and no place for a result is asked for.
        unsafe {
            match self {
                Self::EventLoop => sys::napi_make_callback(
                    env,
                    ptr::null_mut(),
                    receiver,
                    function,
                    0,
                    ptr::null(),
                    ptr::null_mut(),
                ),
                Self::Function => {
                    sys::napi_call_function(env, receiver, function, 0, ptr::null(), ptr::null_mut())
                }
            }
        }
    }
}

/// Calls a function as libuv's own callbacks call JavaScript: what it resolves goes on before this returns, where no other
/// JavaScript is at work. What it throws is an uncaught error, and no other session's business.
///
/// Where JavaScript does not run any more, the mailbox keeps what it has, and gives it back when it closes.
///
/// # Safety
/// - This is the thread of `env`, and the reference is one of it.
pub(crate) unsafe fn call(env: sys::napi_env, function: sys::napi_ref, frame: Frame) {
    let (mut scope, mut global, mut value, mut thrown) =
        (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's; the places outlive the calls, and the scope is closed where it was opened.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return;
        }
        let found = sys::napi_get_global(env, &raw mut global) == sys::Status::napi_ok
            && sys::napi_get_reference_value(env, function, &raw mut value) == sys::Status::napi_ok
            // Null for one that was collected: nobody waits there.
            && !value.is_null();
        if found
            && frame.call(env, global, value) == sys::Status::napi_pending_exception
            && environment::runs(&Env::from_raw(env))
            && sys::napi_get_and_clear_last_exception(env, &raw mut thrown) == sys::Status::napi_ok
        {
            sys::napi_fatal_exception(env, thrown);
        }
        sys::napi_close_handle_scope(env, scope);
    }
}
