//! A shorter way from JavaScript to the functions that are called in innermost loops.
//!
//! The way that `#[napi]` makes keeps a list of what every call borrows, which costs a fifth of a `semop`. These borrow
//! nothing that outlives the call. They are the same functions, and `#[napi]` still writes down their types: what stands
//! here takes the place of its way when the module is loaded.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs has no other way to make one")]

use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::{Env, FromNapiValue, JsValue, Object, ToNapiValue, check_status};
use napi::{JsError, sys};
use napi_derive::napi;

use crate::{memory, semaphores, waits};

/// The callback of a function: its environment, then so many arguments.
macro_rules! callback {
    ($function:path $(, $argument:ident)*) => {{
        /// # Safety
        /// - Node-API calls it.
        unsafe extern "C" fn callback(
            env: sys::napi_env,
            info: sys::napi_callback_info,
        ) -> sys::napi_value {
            // SAFETY: the caller's; the arguments are those of this call.
            unsafe {
                answer(env, info, |[$($argument),*]| {
                    $function(Env::from_raw(env) $(, FromNapiValue::from_napi_value(env, $argument)?)*)
                })
            }
        }
        callback
    }};
}

#[napi(module_exports)]
pub fn replace_ways(exports: Object<'_>, env: Env) -> napi::Result<()> {
    let ways: &[(&CStr, sys::napi_callback)] = &[
        (c"semaphorePost", Some(callback!(semaphores::semaphore_post, handle, count))),
        (c"semaphoreTryWait", Some(callback!(semaphores::semaphore_try_wait, handle))),
        (c"semaphoreWaitSync", Some(callback!(semaphores::semaphore_wait_sync, handle, timeout, in_worker))),
        (c"semaphoreTryAcquire", Some(callback!(semaphores::semaphore_try_acquire, handle))),
        (c"semaphoreRelease", Some(callback!(semaphores::semaphore_release, handle))),
        (c"semaphoreOpen", Some(callback!(semaphores::semaphore_open, id, posix, owner))),
        (c"semaphoreDrop", Some(callback!(semaphores::semaphore_drop, handle))),
        (c"startWait", Some(callback!(waits::start_wait, handle, permit, referenced))),
        (c"memoryRead", Some(callback!(memory::memory_read, handle, target, position))),
        (c"memoryWrite", Some(callback!(memory::memory_write, handle, data, position))),
        (c"memoryClear", Some(callback!(memory::memory_clear, handle))),
    ];
    for (name, callback) in ways {
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

/// Runs `act` with the arguments of a call; what it returns is returned, and an error thrown.
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
        // SAFETY: the caller's.
        unsafe { JsError::from(error).throw_into(env) };
        ptr::null_mut()
    })
}
