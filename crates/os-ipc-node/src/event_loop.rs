//! The moment before the event loop goes to sleep: libuv's prepare handle.
//!
//! <https://docs.libuv.org/en/v1.x/prepare.html>

#![allow(unsafe_code, reason = "libuv's functions: Node-API leads to the loop and no further")]

use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::ptr;
use std::time::Duration;

use libloading::os::unix::Library;
use napi::bindgen_prelude::{Env, Function, JsValue, check_status};
use napi::sys;
use os_ipc::Glance;

/// How long one look takes at the most: what happens in the program meanwhile waits for its end.
const LOOK: Duration = Duration::from_micros(100);

/// `UV_IDLE` and `UV_PREPARE` of `uv_handle_type`.
const IDLE: c_int = 6;
const PREPARE: c_int = 9;

type Handle = *mut u64;

type Init = unsafe extern "C" fn(*mut sys::uv_loop_s, Handle) -> c_int;
type Start = unsafe extern "C" fn(Handle, unsafe extern "C" fn(Handle)) -> c_int;

/// libuv's functions, looked up by name: not every runtime with Node-API has them.
struct Libuv {
    prepare_start: Start,
    prepare_stop: unsafe extern "C" fn(Handle) -> c_int,
    idle_start: Start,
    idle_stop: unsafe extern "C" fn(Handle) -> c_int,
    close: unsafe extern "C" fn(Handle, Option<unsafe extern "C" fn(Handle)>),
    backend_timeout: unsafe extern "C" fn(*const sys::uv_loop_s) -> c_int,
    backend_fd: unsafe extern "C" fn(*const sys::uv_loop_s) -> c_int,
}

/// The event loop of one environment, and the look that is planned for when it has nothing else to do.
pub(crate) struct EventLoop {
    env: sys::napi_env,
    /// The function that empties the mailbox.
    settle: sys::napi_ref,
    libuv: Libuv,
    uv_loop: *mut sys::uv_loop_s,
    /// A `uv_prepare_t` and a `uv_idle_t`. They are never freed: libuv may still have them after its loop has run for the last
    /// time.
    prepare: Handle,
    idle: Handle,
    planned: Option<Glance>,
}

thread_local! {
    /// Of the main thread alone, which has one environment: a worker's loop ends while it may still be in use.
    static EVENT_LOOP: RefCell<Option<EventLoop>> = const { RefCell::new(None) };

    /// What this thread is at.
    static TURN: Cell<Turn> = const { Cell::new(Turn::Elsewhere) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Not before the loop's sleep.
    Elsewhere,
    /// It looks for a unit.
    Looking,
    /// It looked, and something is in the mailbox.
    Found,
    /// It settles what it found.
    Settling,
}

/// Somebody delivers to the mailbox of an environment. True where this thread is about to empty it anyway.
pub(crate) fn takes_delivery() -> bool {
    let looking = matches!(TURN.get(), Turn::Looking | Turn::Found);
    if looking {
        TURN.set(Turn::Found);
    }
    looking
}

/// Finds the event loop of `env`; without libuv's functions there is none that could look for anybody.
pub(crate) fn open(env: &Env, settle: &Function<'_, (), ()>) -> napi::Result<()> {
    let (mut uv_loop, mut reference) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is this thread's, and the places outlive the calls. The symbols are libuv 1's, whose functions keep their
    // types.
    let opened = unsafe {
        check_status!(sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop))?;
        check_status!(sys::napi_create_reference(env.raw(), settle.raw(), 1, &raw mut reference))?;
        EventLoop::of(env.raw(), reference, uv_loop)
    };
    EVENT_LOOP.set(opened);
    Ok(())
}

/// Whether this thread has an event loop that can look.
pub(crate) fn is_open() -> bool {
    EVENT_LOOP.with_borrow(Option::is_some)
}

/// Has `glance` run before the loop goes to sleep. One that was planned before is left to a thread.
pub(crate) fn plan(glance: Glance) {
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        if let Some(event_loop) = event_loop {
            event_loop.planned = Some(glance);
            // SAFETY: the handle was initialised, and this is its loop's thread.
            unsafe { (event_loop.libuv.prepare_start)(event_loop.prepare, before_sleep) };
            if TURN.get() == Turn::Settling {
                // This turn's moment before the sleep is over: the loop is to have another turn instead of sleeping.
                // SAFETY: as above.
                unsafe { (event_loop.libuv.idle_start)(event_loop.idle, nothing) };
            }
        }
    });
}

/// The environment ends.
pub(crate) fn close() {
    if let Some(event_loop) = EVENT_LOOP.take() {
        for handle in [event_loop.prepare, event_loop.idle] {
            // SAFETY: the handle was initialised, is closed once, and this is its loop's thread.
            unsafe { (event_loop.libuv.close)(handle, None) };
        }
    }
}

impl EventLoop {
    /// # Safety
    /// - `uv_loop` is the loop of this thread, of libuv 1.
    unsafe fn of(env: sys::napi_env, settle: sys::napi_ref, uv_loop: *mut sys::uv_loop_s) -> Option<Self> {
        let program = Library::this();
        // SAFETY: these are the functions of <uv.h>.
        unsafe {
            let handle_size: unsafe extern "C" fn(c_int) -> usize = *program.get(b"uv_handle_size").ok()?;
            let unref: unsafe extern "C" fn(Handle) = *program.get(b"uv_unref").ok()?;
            let prepare_init: Init = *program.get(b"uv_prepare_init").ok()?;
            let idle_init: Init = *program.get(b"uv_idle_init").ok()?;
            let libuv = Libuv {
                prepare_start: *program.get(b"uv_prepare_start").ok()?,
                prepare_stop: *program.get(b"uv_prepare_stop").ok()?,
                idle_start: *program.get(b"uv_idle_start").ok()?,
                idle_stop: *program.get(b"uv_idle_stop").ok()?,
                close: *program.get(b"uv_close").ok()?,
                backend_timeout: *program.get(b"uv_backend_timeout").ok()?,
                backend_fd: *program.get(b"uv_backend_fd").ok()?,
            };
            let handle = |init: Init, kind| {
                let words = handle_size(kind).div_ceil(size_of::<u64>());
                let handle = Box::leak(vec![0_u64; words].into_boxed_slice()).as_mut_ptr();
                init(uv_loop, handle);
                // It keeps no process alive: pending waits do.
                unref(handle);
                handle
            };
            let (prepare, idle) = (handle(prepare_init, PREPARE), handle(idle_init, IDLE));
            Some(Self { env, settle, libuv, uv_loop, prepare, idle, planned: None })
        }
    }

    /// Whether the loop would sleep now, for at least a millisecond.
    fn is_idle(&self) -> bool {
        // SAFETY: the loop is this thread's and runs.
        let (timeout, fd) =
            unsafe { ((self.libuv.backend_timeout)(self.uv_loop), (self.libuv.backend_fd)(self.uv_loop)) };
        timeout != 0 && !os_ipc::is_readable(fd)
    }
}

/// The loop is about to sleep, or to have a look at its files.
unsafe extern "C" fn before_sleep(prepare: Handle) {
    let planned = EVENT_LOOP.with_borrow_mut(|event_loop| {
        let event_loop = event_loop.as_mut()?;
        // SAFETY: both handles were initialised, and this is their loop's thread.
        unsafe {
            (event_loop.libuv.prepare_stop)(prepare);
            (event_loop.libuv.idle_stop)(event_loop.idle);
        }
        let idle = event_loop.is_idle();
        Some((event_loop.planned.take()?, idle, event_loop.env, event_loop.settle))
    });
    // Where the loop has something to do, the dropped glance is left to a thread.
    let Some((glance, true, env, settle)) = planned else { return };
    TURN.set(Turn::Looking);
    glance.run(LOOK);
    if TURN.get() == Turn::Found {
        TURN.set(Turn::Settling);
        // SAFETY: they are those of the environment that this loop runs.
        unsafe { call(env, settle) };
    }
    TURN.set(Turn::Elsewhere);
}

/// Calls a function as libuv's own callbacks call JavaScript: what it resolves goes on before this returns.
///
/// Where JavaScript does not run any more, the mailbox keeps what it has, and gives it back when it closes.
///
/// # Safety
/// - This is the thread of `env`, and the reference is one of it.
unsafe fn call(env: sys::napi_env, function: sys::napi_ref) {
    let (mut scope, mut global, mut value, mut thrown) =
        (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's; the places outlive the calls, and the scope is closed where it was opened.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return;
        }
        sys::napi_get_global(env, &raw mut global);
        sys::napi_get_reference_value(env, function, &raw mut value);
        let status =
            sys::napi_make_callback(env, ptr::null_mut(), global, value, 0, ptr::null(), ptr::null_mut());
        if status == sys::Status::napi_pending_exception
            && sys::napi_get_and_clear_last_exception(env, &raw mut thrown) == sys::Status::napi_ok
        {
            sys::napi_fatal_exception(env, thrown);
        }
        sys::napi_close_handle_scope(env, scope);
    }
}

/// An idle handle wants a callback; that it is there keeps the loop from sleeping.
unsafe extern "C" fn nothing(_: Handle) {}
