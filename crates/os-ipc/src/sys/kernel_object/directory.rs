//! The directory in which the named objects of a session are.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{HANDLE, RtlNtStatusToDosError, UNICODE_STRING};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::Win32::System::Threading::GetCurrentProcessId;

use crate::sys::OsCode;
use crate::sys::failure::Failure;

const DIRECTORY_QUERY: u32 = 1;
const STATUS_MORE_ENTRIES: i32 = 0x105;

/// An entry as the system writes it: the name and the type.
#[repr(C)]
struct Entry {
    name: UNICODE_STRING,
    kind: UNICODE_STRING,
}

/// `NtQueryDirectoryObject`: what follows `os-ipc.<kind>.` in the names of this session's objects.
pub(crate) fn names_with(kind: &str) -> Result<Vec<String>, Failure> {
    let prefix = format!("os-ipc.{kind}.");
    let directory = open()?;
    let mut buffer = vec![0_u64; 8192].into_boxed_slice();
    let bytes = u32::try_from(size_of_val(&*buffer)).unwrap_or(0);
    let (mut context, mut names, mut first) = (0, Vec::new(), true);
    loop {
        let mut used = 0;
        // SAFETY: the handle is open, the buffer has `bytes` bytes, and the places outlive the call.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.as_raw_handle(),
                buffer.as_mut_ptr().cast(),
                bytes,
                false,
                first,
                &raw mut context,
                &raw mut used,
            )
        };
        first = false;
        if status < 0 {
            // STATUS_NO_MORE_ENTRIES: there was nothing left.
            const NO_MORE_ENTRIES: i32 = 0x8000_001A_u32.cast_signed();
            return if status == NO_MORE_ENTRIES {
                Ok(names)
            } else {
                Err(failure("NtQueryDirectoryObject", status))
            };
        }
        let mut entry = buffer.as_ptr().cast::<Entry>();
        // SAFETY: the system wrote entries, and after the last one an empty one; their texts are in the buffer.
        unsafe {
            while !(*entry).name.Buffer.is_null() {
                let name = &(*entry).name;
                let units = std::slice::from_raw_parts(name.Buffer, usize::from(name.Length / 2));
                if let Some(rest) =
                    String::from_utf16(units).ok().as_deref().and_then(|name| name.strip_prefix(&prefix))
                {
                    names.push(rest.to_owned());
                }
                entry = entry.add(1);
            }
        }
        if status != STATUS_MORE_ENTRIES {
            return Ok(names);
        }
    }
}

/// `NtOpenDirectoryObject(\Sessions\<session>\BaseNamedObjects)`, which `Local\` stands for.
fn open() -> Result<OwnedHandle, Failure> {
    let mut session = 0;
    // SAFETY: the place outlives the call.
    if unsafe { ProcessIdToSessionId(GetCurrentProcessId(), &raw mut session) } == 0 {
        return Err(Failure("ProcessIdToSessionId", OsCode::last()));
    }
    let path = if session == 0 {
        "\\BaseNamedObjects".to_owned()
    } else {
        format!("\\Sessions\\{session}\\BaseNamedObjects")
    };
    let mut path: Vec<u16> = path.encode_utf16().collect();
    let length = u16::try_from(size_of_val(&*path)).unwrap_or(0);
    let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: path.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: u32::try_from(size_of::<OBJECT_ATTRIBUTES>()).unwrap_or(0),
        RootDirectory: ptr::null_mut(),
        ObjectName: &raw const name,
        Attributes: 0,
        SecurityDescriptor: ptr::null(),
        SecurityQualityOfService: ptr::null(),
    };
    let mut handle: HANDLE = ptr::null_mut();
    // SAFETY: `attributes` and what it points to outlive the call.
    let status = unsafe { NtOpenDirectoryObject(&raw mut handle, DIRECTORY_QUERY, &raw const attributes) };
    if status < 0 {
        return Err(failure("NtOpenDirectoryObject", status));
    }
    // SAFETY: the call has just opened it for us.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn failure(call: &'static str, status: i32) -> Failure {
    // SAFETY: it maps one number to another.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Failure(call, std::io::Error::from_raw_os_error(code.cast_signed()).into())
}
