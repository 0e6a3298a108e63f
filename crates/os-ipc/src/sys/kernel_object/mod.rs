//! Named kernel objects of Windows: their names, their owners and their directory.
//!
//! They live in the session of the user (`Local\`), and end with their last handle.

mod directory;
mod security;

use std::os::windows::io::{FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{GetLastError, HANDLE};

pub(crate) use directory::names_with;
pub(crate) use security::{Owned, attributes, owner};

use super::OsCode;
use super::failure::{Failure, Refusal};

/// The name of an object in the session, ended by a NUL: `Local\os-ipc.<kind>.<name>`.
pub(crate) fn local(kind: &str, name: &str) -> Vec<u16> {
    format!("Local\\os-ipc.{kind}.{}\0", name.trim_start_matches('/')).encode_utf16().collect()
}

/// The code of a call that has just failed, and whether it failed because the name belongs to another kind of object.
///
/// `ERROR_INVALID_HANDLE` (6) is that answer of the calls that create and open named objects.
pub(crate) fn refusal(call: &'static str) -> Refusal {
    const INVALID_HANDLE: u32 = 6;
    // SAFETY: it reads a number of this thread.
    if unsafe { GetLastError() } == INVALID_HANDLE {
        return Refusal::NotAnObject("a kernel object of another kind");
    }
    Refusal::Failed(Failure(call, OsCode::last()))
}

/// The handle that a call returned, null if it failed.
///
/// # Safety
/// - `handle` is null, or open and of no other owner.
pub(crate) unsafe fn owned(handle: HANDLE, call: &'static str) -> Result<OwnedHandle, Refusal> {
    if handle.is_null() {
        return Err(refusal(call));
    }
    // SAFETY: the caller's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}
