//! `ArrayBuffer`s over memory that JavaScript does not own.
//!
//! Those of napi-rs silently copy the memory where external buffers are forbidden, and run the finalizer at once.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs does not report that they are forbidden")]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{Env, ToNapiValue, TypeName, check_status};
use napi::{Status, ValueType, sys};
use os_ipc::Lease;

use crate::stayed_buffers;

/// One `ArrayBuffer` over a mapped range, held weakly: JavaScript decides how long it lives.
pub(crate) struct ExternalBuffer(sys::napi_ref);

/// The JavaScript value of an `ArrayBuffer`, for the call that returns it.
pub struct ArrayBufferValue(sys::napi_value);

impl ExternalBuffer {
    /// `napi_create_external_arraybuffer`; `None` where external buffers are forbidden (Electron).
    ///
    /// Two leases keep the range mapped until the later one ends. The finalizer of the memory has the first: it follows
    /// the memory when that moves to another `ArrayBuffer`. The finalizer of the object has the second: V8 regards the
    /// memory as free once it is detached, while a pending read or write of a file still holds the object.
    pub(crate) fn create(
        env: Env,
        lease: impl Fn() -> Lease,
    ) -> napi::Result<Option<(Self, ArrayBufferValue)>> {
        let of_memory = lease();
        let (start, length) = (of_memory.start().as_ptr(), of_memory.length());
        let stayed = Arc::new(AtomicBool::new(false));
        let lent = Lent { lease: of_memory, by: thread::current().id(), stayed: Arc::clone(&stayed) };
        let of_memory = Box::into_raw(Box::new(lent));
        let mut value = ptr::null_mut();
        // SAFETY: the range stays mapped until the finalizer drops `of_memory`, or the call has failed.
        let status = unsafe {
            create_external(
                env.raw(),
                start.cast(),
                length,
                Some(memory_is_free),
                of_memory.cast(),
                &raw mut value,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: a call that fails does not run the finalizer.
            drop(unsafe { Box::from_raw(of_memory) });
            return if status == sys::Status::napi_no_external_buffers_allowed {
                Ok(None)
            } else {
                failure(status)
            };
        }
        let of_object = Box::into_raw(Box::new(lease()));
        // SAFETY: `value` is the ArrayBuffer just made; the finalizer gets what it expects.
        let status = unsafe {
            sys::napi_add_finalizer(
                env.raw(),
                value,
                ptr::null_mut(),
                Some(object_is_gone),
                of_object.cast(),
                ptr::null_mut(),
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(of_object) });
            return failure(status);
        }
        let mut reference = ptr::null_mut();
        // SAFETY: `value` is an object of this environment, and `reference` outlives the call.
        check_status!(unsafe { sys::napi_create_reference(env.raw(), value, 0, &raw mut reference) })?;
        // The environment of the first thread ends with its process, and all addresses with it.
        if !os_ipc::is_on_first_thread() {
            stayed_buffers::watch(env, value, stayed)?;
        }
        Ok(Some((Self(reference), ArrayBufferValue(value))))
    }

    /// `napi_detach_arraybuffer`: its views have length 0 afterwards.
    ///
    /// False if the memory had moved to an `ArrayBuffer` that we do not know (`transfer()`), where it is still in use.
    pub(crate) fn detach(&self, env: Env) -> napi::Result<bool> {
        let value = self.value(env)?;
        if value.is_null() || is_detached(env, value)? {
            return Ok(false);
        }
        // SAFETY: `value` is an ArrayBuffer of this environment.
        check_status!(unsafe { sys::napi_detach_arraybuffer(env.raw(), value) })?;
        Ok(true)
    }

    /// `napi_delete_reference`: this environment will not detach it any more.
    pub(crate) fn forget(self, env: Env) {
        // SAFETY: this takes the only owner of the reference. It only fails for an invalid reference.
        unsafe { sys::napi_delete_reference(env.raw(), self.0) };
    }

    /// The `ArrayBuffer`, or null if it was collected.
    fn value(&self, env: Env) -> napi::Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: the reference was not deleted yet, and `value` outlives the call.
        check_status!(unsafe { sys::napi_get_reference_value(env.raw(), self.0, &raw mut value) })?;
        Ok(value)
    }
}

/// Whether this environment allows external buffers, tested by making one.
pub(crate) fn allowed(env: Env) -> napi::Result<bool> {
    let byte = Box::into_raw(Box::new(0_u8));
    let mut value = ptr::null_mut();
    // SAFETY: `byte` lives until the finalizer, or until the call has failed.
    let status = unsafe {
        create_external(env.raw(), byte.cast(), 1, Some(drop_byte), ptr::null_mut(), &raw mut value)
    };
    if status == sys::Status::napi_ok {
        return Ok(true);
    }
    // SAFETY: a call that fails does not run the finalizer.
    drop(unsafe { Box::from_raw(byte) });
    if status == sys::Status::napi_no_external_buffers_allowed { Ok(false) } else { failure(status) }
}

/// `napi_create_external_arraybuffer`, or Electron's answer to it, for tests.
///
/// # Safety
/// - As for the function itself: `data` stays valid until `finalize` is called, which happens only after success.
pub(crate) unsafe fn create_external(
    env: sys::napi_env,
    data: *mut c_void,
    length: usize,
    finalize: sys::napi_finalize,
    hint: *mut c_void,
    result: *mut sys::napi_value,
) -> sys::napi_status {
    if cfg!(feature = "refuse-external-buffers") {
        return sys::Status::napi_no_external_buffers_allowed;
    }
    // SAFETY: the caller's.
    unsafe { sys::napi_create_external_arraybuffer(env, data, length, finalize, hint, result) }
}

pub(crate) fn is_detached(env: Env, value: sys::napi_value) -> napi::Result<bool> {
    let mut detached = false;
    // SAFETY: `value` is an ArrayBuffer of this environment, and `detached` outlives the call.
    check_status!(unsafe { sys::napi_is_detached_arraybuffer(env.raw(), value, &raw mut detached) })?;
    Ok(detached)
}

fn failure<T>(status: sys::napi_status) -> napi::Result<T> {
    Err(napi::Error::new(Status::from(status), "the ArrayBuffer could not be made"))
}

/// The data of the memory's finalizer.
struct Lent {
    lease: Lease,
    by: ThreadId,
    /// Set if the memory is still in its first `ArrayBuffer` when the environment ends.
    stayed: Arc<AtomicBool>,
}

/// No `ArrayBuffer` shows the memory any more, or its environment ends.
///
/// At the end Node calls this for every external `ArrayBuffer`, even if the memory was moved to another one and from there
/// to a thread that still uses it. `stayed_buffers` finds the buffers that were not moved: their memory is unmapped. The
/// range of any other shows zeros from then on, and stays mapped until the process ends.
///
/// Deno calls it on other threads; only the thread that made the `ArrayBuffer` may call Node-API.
unsafe extern "C" fn memory_is_free(env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is what `create` boxed, and a finalizer runs once.
    let Lent { lease, by, stayed } = *unsafe { Box::from_raw(hint.cast::<Lent>()) };
    if stayed.load(Ordering::Acquire) {
        return;
    }
    // SAFETY: this is the thread of `env`, which Node keeps for its finalizers.
    if by == thread::current().id() && unsafe { is_ending(env) } {
        lease.withdraw_for_ever();
    }
}

/// The JavaScript object and its holders are gone.
unsafe extern "C" fn object_is_gone(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the lease that `create` boxed, and a finalizer runs once.
    drop(unsafe { Box::from_raw(hint.cast::<Lease>()) });
}

/// Whether the environment runs no more JavaScript; may be called at any moment.
///
/// # Safety
/// - `env` is an environment of this thread.
pub(crate) unsafe fn is_ending(env: sys::napi_env) -> bool {
    let mut scope = ptr::null_mut();
    // SAFETY: the caller's; the place outlives the calls, and the scope is closed where it was opened.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return true;
        }
        let ends = ends_in_scope(env);
        sys::napi_close_handle_scope(env, scope);
        ends
    }
}

/// Whether the environment runs no more JavaScript: then even `napi_strict_equals`, the smallest call, fails.
///
/// # Safety
/// - `env` is an environment of this thread, in a call from JavaScript, which has a scope for values.
pub(crate) unsafe fn ends_in_scope(env: sys::napi_env) -> bool {
    let (mut undefined, mut equal) = (ptr::null_mut(), false);
    // SAFETY: the caller's; the places outlive the calls.
    unsafe {
        sys::napi_get_undefined(env, &raw mut undefined);
        sys::napi_strict_equals(env, undefined, undefined, &raw mut equal) != sys::Status::napi_ok
    }
}

unsafe extern "C" fn drop_byte(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the byte that `allowed` boxed, and a finalizer runs once.
    drop(unsafe { Box::from_raw(data.cast::<u8>()) });
}

impl TypeName for ArrayBufferValue {
    fn type_name() -> &'static str {
        "ArrayBuffer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for ArrayBufferValue {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}
