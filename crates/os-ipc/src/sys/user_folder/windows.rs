//! The folder of a user's programs on Windows.

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::ptr;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::TOKEN_QUERY;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::UI::Shell::GetUserProfileDirectoryW;

use crate::error::OsCode;

/// The call that errors name.
pub(crate) const CALL: &str = "GetUserProfileDirectory";

/// `GetUserProfileDirectory`: `C:\Users\<user>\AppData\Local`, the same for all programs.
///
/// Not the variables `LOCALAPPDATA` and `TEMP`, which can differ between programs.
pub(crate) fn user_folder() -> Result<PathBuf, OsCode> {
    /// The longest path, in UTF-16 units.
    const MOST: usize = 32_768;
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the pseudo handle of this process is always valid, and `token` outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(OsCode::last());
    }
    // SAFETY: the call has just opened it for us.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let mut path = vec![0_u16; MOST];
    let mut length = u32::try_from(path.len()).unwrap_or(0);
    // SAFETY: the handle is open, the buffer has `length` units, and the places outlive the call.
    let read = unsafe { GetUserProfileDirectoryW(token.as_raw_handle(), path.as_mut_ptr(), &raw mut length) };
    if read == 0 {
        return Err(OsCode::last());
    }
    let length = path.iter().position(|&unit| unit == 0).unwrap_or(0);
    let folder = PathBuf::from(OsString::from_wide(&path[..length])).join("AppData").join("Local");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
