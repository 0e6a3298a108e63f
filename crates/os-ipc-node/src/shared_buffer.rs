//! `SharedArrayBuffer`s over memory that JavaScript does not own.
//!
//! A `SharedArrayBuffer` belongs to no environment: threads share its memory, and it cannot be detached. So the lease on the
//! memory ends with the last reference of the last thread, and never earlier.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs does not have this one")]

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

#[cfg(unix)]
use libloading::os::unix::Library;
#[cfg(windows)]
use libloading::os::windows::Library;
use napi::bindgen_prelude::{Env, ToNapiValue, TypeName};
use napi::{Status, ValueType, sys};
use os_ipc::SharedLease;

/// The JavaScript value of a `SharedArrayBuffer`, for the call that returns it.
pub struct SharedBufferValue(sys::napi_value);

/// `node_api_noenv_finalize`: it may be called on any thread, at any moment.
type Finalize = unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void);

/// `node_api_create_external_sharedarraybuffer`
type Create = unsafe extern "C" fn(
    env: sys::napi_env,
    data: *mut c_void,
    length: usize,
    finalize: Option<Finalize>,
    hint: *mut c_void,
    result: *mut sys::napi_value,
) -> sys::napi_status;

/// A new `SharedArrayBuffer` over the memory of `lease`; `None` where the runtime cannot make one.
pub(crate) fn create(env: Env, lease: SharedLease) -> napi::Result<Option<SharedBufferValue>> {
    let (start, length) = (lease.start().as_ptr(), lease.length());
    let lease = Box::into_raw(Box::new(lease));
    // SAFETY: the lease keeps the range mapped until the finalizer drops it, or the call has failed.
    let created = unsafe { create_external(env, start.cast(), length, end_lease, lease.cast()) };
    if !matches!(created, Ok(Some(_))) {
        // SAFETY: a call that fails does not run the finalizer.
        drop(unsafe { Box::from_raw(lease) });
    }
    created
}

/// Whether this environment allows them, tested by making one.
pub(crate) fn allowed(env: Env) -> napi::Result<bool> {
    let byte = Box::into_raw(Box::new(0_u8));
    // SAFETY: `byte` lives until the finalizer, or until the call has failed.
    let created = unsafe { create_external(env, byte.cast(), 1, drop_byte, ptr::null_mut()) };
    if !matches!(created, Ok(Some(_))) {
        // SAFETY: a call that fails does not run the finalizer.
        drop(unsafe { Box::from_raw(byte) });
    }
    Ok(created?.is_some())
}

/// Calls `node_api_create_external_sharedarraybuffer`; `None` where the runtime lacks or forbids it (Electron).
///
/// # Safety
/// - `data` stays valid for `length` bytes until `finalize` is called, which happens only after success.
unsafe fn create_external(
    env: Env,
    data: *mut c_void,
    length: usize,
    finalize: Finalize,
    hint: *mut c_void,
) -> napi::Result<Option<SharedBufferValue>> {
    let Some(create) = function() else { return Ok(None) };
    let mut value = ptr::null_mut();
    // SAFETY: the caller's; `env` is that of this call, and `value` outlives it.
    match unsafe { create(env.raw(), data, length, Some(finalize), hint, &raw mut value) } {
        sys::Status::napi_ok => Ok(Some(SharedBufferValue(value))),
        sys::Status::napi_no_external_buffers_allowed => Ok(None),
        status => Err(napi::Error::new(Status::from(status), "the SharedArrayBuffer could not be made")),
    }
}

/// The function of the running program. Node.js has it since 24.16 and 26.1; an import would keep the addon from loading elsewhere.
fn function() -> Option<Create> {
    static FOUND: OnceLock<Option<Create>> = OnceLock::new();
    if cfg!(feature = "refuse-external-buffers") {
        return None;
    }
    *FOUND.get_or_init(|| {
        let program = program()?;
        // SAFETY: this is the function of <js_native_api.h>, and Node keeps its type.
        unsafe {
            program.get::<Create>(b"node_api_create_external_sharedarraybuffer").ok().map(|found| *found)
        }
    })
}

/// The running program, which exports Node-API.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "Windows can refuse it")]
fn program() -> Option<Library> {
    Some(Library::this())
}

#[cfg(windows)]
fn program() -> Option<Library> {
    Library::this().ok()
}

/// No thread can reach the memory any more. Called on any thread, also one of the garbage collector: it calls no Node-API.
unsafe extern "C" fn end_lease(_data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is the lease that `create` boxed, and a finalizer runs once.
    drop(unsafe { Box::from_raw(hint.cast::<SharedLease>()) });
}

unsafe extern "C" fn drop_byte(data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the byte that `allowed` boxed, and a finalizer runs once.
    drop(unsafe { Box::from_raw(data.cast::<u8>()) });
}

impl TypeName for SharedBufferValue {
    fn type_name() -> &'static str {
        "SharedArrayBuffer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for SharedBufferValue {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}
