//! The bytes of a `Uint8Array` that JavaScript passed.

#![allow(
    unsafe_code,
    reason = "napi-rs gives a slice, which may not overlap the segment; Node-API gives the address"
)]

use std::cell::Cell;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Status, ValueType, check_status, sys};

/// The bytes of a `Uint8Array`, during the call that it was passed to.
///
/// They may lie in the segment that they are copied to or from. A length-tracking or detached array has its current
/// length.
pub struct Bytes {
    start: *const Cell<u8>,
    length: usize,
}

impl Bytes {
    pub(crate) fn cells(&self) -> &[Cell<u8>] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the array shows `length` bytes from `start` on; JavaScript, which alone could move them, does not run
        // while the call it made is at work, and `Bytes` does not outlive that call.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

impl TypeName for Bytes {
    fn type_name() -> &'static str {
        "Uint8Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Bytes {}

impl FromNapiValue for Bytes {
    /// # Safety
    /// - `env` and `value` are those of the call that is at work.
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let (mut kind, mut length, mut start) = (0, 0, ptr::null_mut());
        // SAFETY: the caller's; the places outlive the call, and what is not wanted is null.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut start,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check_status!(status, "not a typed array")?;
        if kind != sys::TypedarrayType::uint8_array {
            return Err(napi::Error::new(Status::InvalidArg, "not a Uint8Array"));
        }
        Ok(Self { start: start.cast(), length })
    }
}
