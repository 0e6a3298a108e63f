//! Owners and access control of kernel objects.
//!
//! Every object of this library has an explicit list: its owner and SYSTEM may do everything, and no other user anything.

use std::fmt;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    CopySid, EqualSid, GetKernelObjectSecurity, GetSecurityDescriptorOwner, GetTokenInformation,
    IsWellKnownSid, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, TOKEN_QUERY,
    TOKEN_USER, TokenUser, WinBuiltinAdministratorsSid, WinLocalSystemSid,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::PWSTR;

use crate::sys::OsCode;
use crate::sys::failure::Failure;

/// More than the text of any security identifier: 15 numbers of at most 10 digits, and their marks.
const TEXT_UNITS: usize = 200;

/// The owner of an object, as far as trust goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owned {
    /// This process's user, SYSTEM, or the administrators.
    Trusted,
    /// Another user, with this security identifier.
    Foreign(Sid),
    /// A user that this process may not know.
    Unknown,
}

/// A security identifier: at most 68 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sid([u64; SID_WORDS]);

const SID_WORDS: usize = 9;
const SID_BYTES: u32 = 72;

/// `S-1-5-21-...`
impl fmt::Display for Sid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sid = self.0.as_ptr().cast_mut().cast();
        out.write_str(text_of(sid).as_deref().unwrap_or("another user"))
    }
}

/// The user of this process.
struct User {
    /// A `TOKEN_USER`, whose pointer is into the same buffer.
    token: Box<[u64]>,
    /// The descriptor of objects that this user creates: allocated by the system, and kept until the process ends.
    descriptor: PSECURITY_DESCRIPTOR,
}

// SAFETY: neither buffer is written again.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl User {
    fn current() -> Result<&'static Self, Failure> {
        static USER: OnceLock<Result<User, Failure>> = OnceLock::new();
        USER.get_or_init(Self::read).as_ref().map_err(|failure| *failure)
    }

    /// `OpenProcessToken`, `GetTokenInformation(TokenUser)`, and the descriptor
    /// `O:<user>D:P(A;;GA;;;<user>)(A;;GA;;;SY)`.
    fn read() -> Result<Self, Failure> {
        let mut token: HANDLE = ptr::null_mut();
        // SAFETY: the pseudo handle of this process is always valid, and `token` outlives the call.
        if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
            return Err(Failure("OpenProcessToken", OsCode::last()));
        }
        // SAFETY: the call has just opened it for us.
        let handle = unsafe { OwnedHandle::from_raw_handle(token) };
        // A security identifier has at most 68 bytes.
        let mut token = vec![0_u64; 32].into_boxed_slice();
        let (bytes, mut length) = (u32::try_from(size_of_val(&*token)).unwrap_or(0), 0);
        // SAFETY: the buffer has `bytes` bytes, and both places outlive the call.
        let read = unsafe {
            GetTokenInformation(
                handle.as_raw_handle(),
                TokenUser,
                token.as_mut_ptr().cast(),
                bytes,
                &raw mut length,
            )
        };
        if read == 0 {
            return Err(Failure("GetTokenInformation", OsCode::last()));
        }
        let mut user = Self { token, descriptor: ptr::null_mut() };
        let sid = text_of(user.sid())?;
        let list: Vec<u16> = format!("O:{sid}D:P(A;;GA;;;{sid})(A;;GA;;;SY)\0").encode_utf16().collect();
        // SAFETY: `list` ends with a NUL, and the place outlives the call.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                list.as_ptr(),
                SDDL_REVISION_1,
                &raw mut user.descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 {
            let call = "ConvertStringSecurityDescriptorToSecurityDescriptor";
            return Err(Failure(call, OsCode::last()));
        }
        Ok(user)
    }

    fn sid(&self) -> PSID {
        // SAFETY: GetTokenInformation filled the buffer, which is aligned for a pointer.
        unsafe { (*self.token.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}

/// The attributes of a new object: only its owner and SYSTEM may use it, and no child process inherits its handle.
pub(crate) fn attributes() -> Result<SECURITY_ATTRIBUTES, Failure> {
    Ok(SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
        lpSecurityDescriptor: User::current()?.descriptor,
        bInheritHandle: 0,
    })
}

/// `GetKernelObjectSecurity(OWNER_SECURITY_INFORMATION)`: who owns an object, whose handle has `READ_CONTROL`.
pub(crate) fn owner(object: BorrowedHandle<'_>) -> Owned {
    let Ok(user) = User::current() else { return Owned::Unknown };
    let mut descriptor = [0_u64; 64];
    let (bytes, mut length) = (u32::try_from(size_of_val(&descriptor)).unwrap_or(0), 0);
    let place: PSECURITY_DESCRIPTOR = descriptor.as_mut_ptr().cast();
    // SAFETY: the handle is open, the buffer has `bytes` bytes, and both places outlive the call.
    let read = unsafe {
        GetKernelObjectSecurity(
            object.as_raw_handle(),
            OWNER_SECURITY_INFORMATION,
            place,
            bytes,
            &raw mut length,
        )
    };
    if read == 0 {
        return Owned::Unknown;
    }
    let (mut sid, mut defaulted): (PSID, i32) = (ptr::null_mut(), 0);
    // SAFETY: the call before filled the descriptor, and the places outlive the call.
    if unsafe { GetSecurityDescriptorOwner(place, &raw mut sid, &raw mut defaulted) } == 0 || sid.is_null() {
        return Owned::Unknown;
    }
    // SAFETY: both identifiers are valid: the system wrote them.
    let trusted = unsafe {
        EqualSid(sid, user.sid()) != 0
            || IsWellKnownSid(sid, WinLocalSystemSid) != 0
            || IsWellKnownSid(sid, WinBuiltinAdministratorsSid) != 0
    };
    if trusted {
        return Owned::Trusted;
    }
    let mut copy = [0; SID_WORDS];
    // SAFETY: the identifier is valid, so it has the length that its head says, at most that of `copy`.
    let copied = unsafe { CopySid(SID_BYTES, copy.as_mut_ptr().cast(), sid) };
    if copied == 0 { Owned::Unknown } else { Owned::Foreign(Sid(copy)) }
}

/// `ConvertSidToStringSid`: `S-1-5-21-...`. The few bytes of the system's text are not freed: this happens once, or in the
/// way of an error.
fn text_of(sid: PSID) -> Result<String, Failure> {
    let mut text: PWSTR = ptr::null_mut();
    // SAFETY: the identifier is valid, and the place outlives the call.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(Failure("ConvertSidToStringSid", OsCode::last()));
    }
    // SAFETY: the text ends with a NUL, and nothing writes to it.
    let units = unsafe {
        let length = (0..TEXT_UNITS).take_while(|&index| *text.add(index) != 0).count();
        std::slice::from_raw_parts(text, length)
    };
    Ok(String::from_utf16_lossy(units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_of_this_user_can_be_made() {
        assert!(attributes().is_ok_and(|attributes| !attributes.lpSecurityDescriptor.is_null()));
        assert!(text_of(User::current().unwrap().sid()).unwrap().starts_with("S-1-5-"));
    }
}
