//! A session: the waits of one evaluation of the package's JavaScript.
//!
//! One addon can serve many evaluations on one thread: Jest evaluates a package for every test file, a development server
//! after an edit, and a package manager installs it once for each version of a peer. Each has its own outcomes.

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
use crate::spin;

pub(crate) struct Session {
    /// Never 0; no other session of this thread has it.
    pub(crate) number: u32,
    pub(crate) mailbox: Arc<Mailbox>,
    /// The function of `lib/` that collects the outcomes: held weakly while no wait is pending.
    settle: sys::napi_ref,
    waits: bool,
    keeps_alive: bool,
    /// Whether its mailbox has something to collect.
    told: Arc<AtomicBool>,
    /// Whether its waits were cancelled because the process is about to exit.
    pub(crate) left: bool,
    /// In a worker: the handle whose unit `lib/` has not seen yet.
    transit: Option<Uint32Array>,
}

thread_local! {
    static LAST_NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// The values that a session begins with.
#[napi(object, object_from_js = false)]
pub struct Started {
    /// The number of the session.
    pub session: u32,
    /// The milliseconds after which a wait calls [`leave_pool_queue`](crate::waits::leave_pool_queue); 0 if no wait uses
    /// the runtime's pool.
    pub pool_patience: u32,
}

/// Begins the session of one evaluation of `lib/`.
///
/// `settle` is called when waits have ended; `runtime` is the runtime of the program: `node`, `bun`, `deno`, `electron` or
/// `nw`. A worker passes `transit`, a place in memory for the handle whose unit is on its way; no event loop polls for a
/// worker. The session ends when `evaluation` is collected, which all functions of that evaluation refer to.
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
    spin::read_environment(in_worker);
    // Bun and Deno have their own loops. Electron and NW.js run libuv's loop only when their own loop is idle.
    let libuv = !in_worker && runtime == "node";
    environment::open(&env, in_worker, pool_threads > 0)?;
    let number = LAST_NUMBER.get() + 1;
    LAST_NUMBER.set(number);
    let wakeup = environment::with(&env, |environment| Ok(Arc::clone(&environment.wakeup)))?;
    let told = Arc::new(AtomicBool::new(false));
    let wake = {
        let told = Arc::clone(&told);
        move || {
            // True only on this thread: another polling thread may deliver to this one.
            if libuv && event_loop::takes_delivery(number) {
                return;
            }
            told.store(true, Ordering::Release);
            // Any status but `Ok` means that the environment is closing, and its sessions with it.
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

/// Tells whether a session has pending waits, and whether they keep the event loop alive.
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
    /// Whether the waits of any session keep the event loop alive.
    fn is_kept_alive(&self) -> bool {
        self.sessions.iter().any(|session| session.keeps_alive)
    }

    /// Ends the session of an evaluation that was collected: its handles are out of reach. Its permits and locks stay held.
    fn end_session(&mut self, number: u32) {
        let Some(place) = self.sessions.iter().position(|session| session.number == number) else { return };
        let session = self.sessions.swap_remove(place);
        event_loop::leave(number);
        session.mailbox.close();
        // SAFETY: this takes the only owner of the reference, and this is its environment's thread.
        unsafe { sys::napi_delete_reference(self.raw, session.settle) };
        let env = Env::from_raw(self.raw);
        for waitable in self.waitables.of(number) {
            waitable.withdraw(&session.mailbox);
        }
        for lock in self.locks.of(number) {
            lock.withdraw(&session.mailbox);
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
    /// A unit is on its way to `lib/`, which clears the place when the unit arrives.
    pub(crate) fn send(&mut self, handle: u32) {
        if let Some(transit) = &mut self.transit {
            // SAFETY: JavaScript, the only other user, does not run during the call that it made.
            if let Some(place) = unsafe { transit.as_mut() }.first_mut() {
                *place = handle;
            }
        }
    }

    /// The handle whose unit has not arrived.
    pub(crate) fn in_transit(&self) -> Option<u32> {
        self.transit.as_deref()?.first().copied().filter(|handle| *handle != 0)
    }

    /// Lets the session collect, as if a delivery had arrived from another thread.
    pub(crate) fn tell(&self, environment: &environment::Wakeup) {
        self.told.store(true, Ordering::Release);
        let _ = environment.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

/// The callback of the thread-safe function: every session that was told collects.
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

/// The caller below a call of JavaScript.
#[derive(Clone, Copy)]
pub(crate) enum Frame {
    /// libuv, which does not run the microtasks.
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
        // SAFETY: the caller's; there are no arguments, and no result is requested.
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

/// Calls a function as libuv's own callbacks call JavaScript: the microtasks run before this returns, unless other
/// JavaScript is running. An exception becomes an uncaught error, and does not affect other sessions.
///
/// If JavaScript does not run any more, the mailbox keeps its content, and gives it back when it closes.
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
            // Null if the function was collected: then no wait is pending there.
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
