//! The callbacks of the functions that JavaScript calls.
//!
//! `#[napi]` writes the types of the functions, and its callback of each one is replaced by one of ours when the module is
//! loaded. Ours throws nothing: a call that fails returns its [error as a text](crate::error). It is shorter, too: the
//! callback of `#[napi]` keeps a list of the borrows of a call, which costs a fifth of a `semop`. Ours needs no list.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs has no other way to make one")]

use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::{Env, FromNapiValue, JsValue, Object, ToNapiValue, check_status};
use napi::sys;
use napi_derive::napi;

use crate::error::text;
use crate::{
    channels, environment, exec, exit, keys, limits, locks, memory, semaphores, session, spin, waits,
};

/// The callback of a function: it calls the function with the environment if `env` is there, and with arguments of these
/// names. `value` is for functions that cannot fail.
macro_rules! callback {
    (env: $function:path $(, $argument:ident)*) => {
        callback!(@ env $($argument)* => $function(Env::from_raw(env) $(, $argument)*))
    };
    (env value: $function:path $(, $argument:ident)*) => {
        callback!(@ env $($argument)* => Ok($function(Env::from_raw(env) $(, $argument)*)))
    };
    (value: $function:path $(, $argument:ident)*) => {
        callback!(@ env $($argument)* => Ok($function($($argument),*)))
    };
    ($function:path $(, $argument:ident)*) => {
        callback!(@ env $($argument)* => $function($($argument),*))
    };
    (@ $env:ident $($argument:ident)* => $call:expr) => {{
        /// # Safety
        /// - Node-API calls it.
        unsafe extern "C" fn callback(
            $env: sys::napi_env,
            info: sys::napi_callback_info,
        ) -> sys::napi_value {
            // SAFETY: the caller's; the arguments are those of this call.
            unsafe {
                answer($env, info, |[$($argument),*]| {
                    $(let $argument = FromNapiValue::from_napi_value($env, $argument)?;)*
                    $call
                })
            }
        }
        callback
    }};
}

/// Our ways, by the names that JavaScript uses.
const WAYS: &[(&CStr, sys::napi_callback)] = &[
    (c"allowPool", Some(callback!(env: waits::allow_pool, handle, allowed))),
    (
        c"becomeProgram",
        Some(callback!(exec::become_program, words, environment, ignored, open, nonblocking, most_open)),
    ),
    (c"beforeExit", Some(callback!(value: exit::before_exit))),
    (c"cancelWait", Some(callback!(env: waits::cancel_wait, handle, ticket))),
    (c"cancelWaits", Some(callback!(env: waits::cancel_waits, handle))),
    (c"channelEnter", Some(callback!(env: channels::channel_enter, memory))),
    (c"channelSeat", Some(callback!(env: channels::channel_seat, memory, slot, word))),
    (c"channelSpin", Some(callback!(env: channels::channel_spin, session, memory))),
    (c"closeUnusedLocks", Some(callback!(value: locks::close_unused_locks))),
    (c"collectSettled", Some(callback!(env: waits::collect_settled, session))),
    (c"dropHandle", Some(callback!(env: waits::drop_handle, handle))),
    (c"externalBuffersAllowed", Some(callback!(env: memory::external_buffers_allowed))),
    (c"ftok", Some(callback!(keys::ftok, path, project_id))),
    (c"keep", Some(callback!(env: session::keep, session, waits, alive))),
    (c"leavePoolQueue", Some(callback!(value: waits::leave_pool_queue))),
    (c"limitAcquireSync", Some(callback!(env: limits::limit_acquire_sync, handle, timeout))),
    (c"limitCreate", Some(callback!(env: limits::limit_create, session, id, permits, mode, engine))),
    (c"limitEngines", Some(callback!(value: limits::limit_engines))),
    (c"limitHandOn", Some(callback!(env: limits::limit_hand_on, handle, handed_on))),
    (c"limitIdentity", Some(callback!(env: limits::limit_identity, handle))),
    (c"limitInfo", Some(callback!(env: limits::limit_info, handle))),
    (c"limitOpen", Some(callback!(env: limits::limit_open, session, id, owner, engine))),
    (
        c"limitOpenOrCreate",
        Some(callback!(env: limits::limit_open_or_create, session, id, permits, mode, owner, engine)),
    ),
    (c"limitPermits", Some(callback!(env: limits::limit_permits, handle))),
    (c"limitRelease", Some(callback!(env: limits::limit_release, handle))),
    (c"limitRemoveClosed", Some(callback!(limits::limit_remove_closed, identity))),
    (c"limitStartResize", Some(callback!(env: waits::limit_start_resize, handle, permits, referenced))),
    (c"limitTryAcquire", Some(callback!(env: limits::limit_try_acquire, handle))),
    (c"limitUnlink", Some(callback!(env: limits::limit_unlink, handle))),
    (c"limitUnlinkId", Some(callback!(limits::limit_unlink_id, id, engine))),
    (c"listLimits", Some(callback!(limits::list_limits))),
    (c"keyOfLock", Some(callback!(value: keys::key_of_lock, name))),
    (c"keyOfName", Some(callback!(value: keys::key_of_name, name))),
    (c"listLocks", Some(callback!(locks::list_locks))),
    (c"listSegments", Some(callback!(memory::list_segments))),
    (c"listSemaphores", Some(callback!(semaphores::list_semaphores))),
    (c"listenForExit", Some(callback!(env value: exit::listen_for_exit))),
    (c"lockEnd", Some(callback!(env: locks::lock_end, handle))),
    (
        c"lockRequest",
        Some(callback!(env: locks::lock_request, session, folder, name, shared, if_available, client)),
    ),
    (c"lockRequests", Some(callback!(locks::lock_requests, folder))),
    (c"locksAreSystemV", Some(callback!(value: locks::locks_are_system_v))),
    (c"longestRecordedName", Some(callback!(value: keys::longest_recorded_name))),
    (c"memoryAttach", Some(callback!(env: memory::memory_attach, session, id, read_only, owner))),
    (c"memoryBuffer", Some(callback!(env: memory::memory_buffer, handle))),
    (c"memoryClear", Some(callback!(env: memory::memory_clear, handle))),
    (c"memoryCreate", Some(callback!(env: memory::memory_create, session, id, size, mode))),
    (c"memoryClose", Some(callback!(env: memory::memory_close, handle))),
    (c"memoryInfo", Some(callback!(env: memory::memory_info, handle))),
    (c"memoryOpen", Some(callback!(env: memory::memory_open, session, id, read_only, owner))),
    (
        c"memoryOpenOrCreate",
        Some(callback!(env: memory::memory_open_or_create, session, id, size, mode, owner)),
    ),
    (c"memoryRead", Some(callback!(env: memory::memory_read, handle, target, position))),
    (c"memoryRelease", Some(callback!(env: memory::memory_release, handle))),
    (c"memoryShared", Some(callback!(env: memory::memory_shared, handle))),
    (c"memoryUnlink", Some(callback!(env: memory::memory_unlink, handle))),
    (c"memoryUnlinkId", Some(callback!(memory::memory_unlink_id, id))),
    (c"memoryRemoveClosed", Some(callback!(memory::memory_remove_closed, identity))),
    (c"memoryWrite", Some(callback!(env: memory::memory_write, handle, data, position))),
    (c"objectsPersist", Some(callback!(value: semaphores::objects_persist))),
    (c"onFirstThread", Some(callback!(value: environment::on_first_thread))),
    (c"processIdentity", Some(callback!(value: channels::process_identity))),
    (c"processIsDead", Some(callback!(value: channels::process_is_dead, pid, started))),
    (c"refusedCalls", Some(callback!(value: semaphores::refused_calls))),
    (c"semaphoreCapabilities", Some(callback!(value: semaphores::semaphore_capabilities))),
    (
        c"semaphoreCreate",
        Some(callback!(env: semaphores::semaphore_create, session, id, backend, initial, mode)),
    ),
    (c"semaphoreIdentity", Some(callback!(env: semaphores::semaphore_identity, handle))),
    (c"semaphoreInfo", Some(callback!(env: semaphores::semaphore_info, handle))),
    (c"semaphoreOpen", Some(callback!(env: semaphores::semaphore_open, session, id, backend, owner))),
    (
        c"semaphoreOpenOrCreate",
        Some(
            callback!(env: semaphores::semaphore_open_or_create, session, id, backend, initial, mode, owner),
        ),
    ),
    (c"semaphorePost", Some(callback!(env: semaphores::semaphore_post, handle, count))),
    (c"semaphoreRemoveClosed", Some(callback!(semaphores::semaphore_remove_closed, identity))),
    (c"semaphoreTryWait", Some(callback!(env: semaphores::semaphore_try_wait, handle))),
    (c"semaphoreUnlink", Some(callback!(env: semaphores::semaphore_unlink, handle))),
    (c"semaphoreUnlinkId", Some(callback!(semaphores::semaphore_unlink_id, id, backend))),
    (c"semaphoreValue", Some(callback!(env: semaphores::semaphore_value, handle))),
    (c"semaphoreWaitSync", Some(callback!(env: semaphores::semaphore_wait_sync, handle, timeout))),
    (c"setSignalActions", Some(callback!(value: exec::set_signal_actions, ignored, usual))),
    (c"setSpin", Some(callback!(value: spin::set_spin, allowed))),
    (c"sharedBuffersAllowed", Some(callback!(env: memory::shared_buffers_allowed))),
    (c"spins", Some(callback!(value: spin::spins))),
    (c"start", Some(callback!(env: session::start, evaluation, settle, runtime, transit))),
    (c"systemVUndo", Some(callback!(value: semaphores::system_v_undo))),
    (c"startWait", Some(callback!(env: waits::start_wait, handle, referenced))),
    (c"tidyLocks", Some(callback!(exec::tidy_locks))),
];

#[napi(module_exports)]
pub fn replace_ways(exports: Object<'_>, env: Env) -> napi::Result<()> {
    for (name, callback) in WAYS {
        let mut function = ptr::null_mut();
        // SAFETY: `env` is that of the module being loaded; the places outlive the calls.
        unsafe {
            check_status!(sys::napi_create_function(
                env.raw(),
                name.as_ptr(),
                name.count_bytes().cast_signed(),
                *callback,
                ptr::null_mut(),
                &raw mut function,
            ))?;
            check_status!(sys::napi_set_named_property(env.raw(), exports.raw(), name.as_ptr(), function))?;
        }
    }
    Ok(())
}

/// Runs `act` with the arguments of a call, and returns its result, or its error as a text.
///
/// # Safety
/// - `env` and `info` are those of the call that is at work.
unsafe fn answer<const COUNT: usize, T: ToNapiValue>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    act: impl FnOnce([sys::napi_value; COUNT]) -> napi::Result<T>,
) -> sys::napi_value {
    let (mut count, mut arguments) = (COUNT, [ptr::null_mut(); COUNT]);
    // SAFETY: the caller's; `arguments` has room for `count` values, and what is not wanted is null. An argument that is
    // missing is undefined.
    let answered = unsafe {
        check_status!(sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        ))
        .and_then(|()| act(arguments))
        .and_then(|answer| T::to_napi_value(env, answer))
    };
    answered.unwrap_or_else(|error| {
        let mut value = ptr::null_mut();
        let text = text(&error);
        // SAFETY: the caller's; the text outlives the call. It makes a string, which runs no JavaScript.
        unsafe {
            sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut value)
        };
        value
    })
}
