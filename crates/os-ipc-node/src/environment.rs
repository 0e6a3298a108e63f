//! What one JavaScript environment (the main thread or a worker) owns.

use std::cell::RefCell;
use std::sync::Arc;

use napi::bindgen_prelude::{Env, FnArgs, Function, FunctionRef, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use os_ipc::{Lock, Mailbox, Semaphore};

use crate::event_loop;
use crate::external_buffer;
use crate::handles::Handles;
use crate::memory::Segment;

/// What the JavaScript factory takes: code, message, errno, syscall, hint; uid, mode, limit.
pub(crate) type ErrorParts = FnArgs<(
    String,
    String,
    Option<i32>,
    Option<String>,
    Option<String>,
    Option<u32>,
    Option<u32>,
    Option<i64>,
)>;

type ErrorFactory = FunctionRef<ErrorParts, Unknown<'static>>;

/// Calls `settle`; does not keep the event loop alive by itself.
type Settle = ThreadsafeFunction<(), (), (), napi::Status, false, true>;

pub(crate) struct Environment {
    raw: napi::sys::napi_env,
    make_error: ErrorFactory,
    settle: Arc<Settle>,
    /// Whether threads of libuv's pool may block for it.
    pub(crate) has_pool: bool,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) semaphores: Handles<Semaphore>,
    pub(crate) segments: Handles<Segment>,
    pub(crate) locks: Handles<Lock>,
}

thread_local! {
    /// One a thread, but for an Electron renderer, where frames share one.
    static ENVIRONMENTS: RefCell<Vec<Environment>> = const { RefCell::new(Vec::new()) };
}

/// Tells the addon how an error is made, what to call when waits ended, how many threads the pool has, and whether the event
/// loop is libuv's and this environment's own.
///
/// Called once, when the package is loaded. A worker says 0 threads, and has no loop that could look for a unit.
#[napi]
pub fn start(
    env: Env,
    #[napi(
        ts_arg_type = "(code: string, message: string, errno: number | null, syscall: string | null, hint: string | null, uid: number | null, mode: number | null, limit: number | null) => Error"
    )]
    make_error: Function<'_, ErrorParts, Unknown<'static>>,
    settle: Function<'_, (), ()>,
    pool_threads: u32,
    libuv: bool,
) -> napi::Result<()> {
    let told = settle.build_threadsafe_function::<()>().weak::<true>().callee_handled::<false>().build()?;
    let told = Arc::new(told);
    let wake = {
        let told = Arc::clone(&told);
        move || {
            // Only this environment's own thread: another one that looks may be handing on to this one.
            if libuv && event_loop::takes_delivery() {
                return;
            }
            // Anything but `Ok` means that the environment is closing, and nobody is there to be told.
            let _ = told.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    };
    let mailbox = Arc::new(Mailbox::new(wake));
    if libuv {
        event_loop::open(&env, &settle, &mailbox)?;
    }
    let environment = Environment {
        raw: env.raw(),
        make_error: make_error.create_ref()?,
        settle: told,
        has_pool: pool_threads > 0,
        mailbox,
        semaphores: Handles::new(),
        segments: Handles::new(),
        locks: Handles::new(),
    };
    ENVIRONMENTS.with_borrow_mut(|environments| environments.push(environment));
    // Registered after the thread-safe function, so that it runs before that one's own hook.
    env.add_env_cleanup_hook(env.raw() as usize, end)?;
    if pool_threads > 0 {
        os_ipc::set_pool_size(pool_threads as usize);
    }
    Ok(())
}

/// The environment goes away: what it waits for, what it won and what it holds goes back.
fn end(raw: usize) {
    let ended = ENVIRONMENTS.with_borrow_mut(|environments| {
        let place = environments.iter().position(|environment| environment.raw as usize == raw)?;
        Some(environments.swap_remove(place))
    });
    let Some(mut environment) = ended else { return };
    environment.mailbox.close();
    event_loop::close();
    environment.end_locks();
    for semaphore in environment.semaphores.drain() {
        semaphore.cancel_all(&environment.mailbox);
        // A worker can be terminated after it counted a unit in place, and before it woke who waits for it.
        semaphore.wake_one();
    }
}

/// The process is about to exit, and no cleanup hook will run: the same, as far as the kernel does not do it.
#[napi]
pub fn before_exit(env: Env) -> napi::Result<()> {
    os_ipc::leave_pool();
    with(&env, |environment| {
        environment.cancel_locks();
        for semaphore in environment.semaphores.iter() {
            semaphore.cancel_all(&environment.mailbox);
            semaphore.before_exit();
        }
        Ok(())
    })
}

/// Runs `act` on the environment of `env`.
pub(crate) fn with<T>(env: &Env, act: impl FnOnce(&mut Environment) -> napi::Result<T>) -> napi::Result<T> {
    ENVIRONMENTS.with_borrow_mut(|environments| {
        match environments.iter_mut().find(|environment| environment.raw == env.raw()) {
            Some(environment) => act(environment),
            None => Err(napi::Error::from_reason("the addon was not started in this environment")),
        }
    })
}

/// Whether JavaScript goes on here: not in a worker that was terminated.
pub(crate) fn runs(env: &Env) -> bool {
    #[allow(
        unsafe_code,
        reason = "Node-API's own functions: the wrappers in napi-rs make an object to ask with"
    )]
    // SAFETY: this is the thread of `env`.
    unsafe {
        !external_buffer::is_ending(env.raw())
    }
}

/// The JavaScript function that makes an error.
pub(crate) fn error_factory(env: &Env) -> napi::Result<Function<'_, ErrorParts, Unknown<'static>>> {
    with(env, |environment| environment.make_error.borrow_back(env))
}

/// Whether this is the thread that the process began with: no worker, then.
#[napi]
pub fn on_first_thread() -> bool {
    os_ipc::is_on_first_thread()
}

/// Says whether pending waits keep the event loop alive.
#[napi]
pub fn keep_alive(env: Env, alive: bool) -> napi::Result<()> {
    with(&env, |environment| {
        let function = environment.settle.raw();
        #[allow(
            unsafe_code,
            reason = "the safe wrapper of these two calls needs the function for itself alone"
        )]
        // SAFETY: `function` lives as long as `environment.settle`, and this is the thread of `env`.
        let status = unsafe {
            if alive {
                napi::sys::napi_ref_threadsafe_function(env.raw(), function)
            } else {
                napi::sys::napi_unref_threadsafe_function(env.raw(), function)
            }
        };
        napi::check_status!(status)
    })
}
