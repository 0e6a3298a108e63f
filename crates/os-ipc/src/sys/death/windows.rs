//! Process handles: they are signalled when their process ends.

use std::ffi::c_int;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{FILETIME, GetLastError, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use super::{ProcessId, Sight};

/// The code of OpenProcess for a pid that no process has: `ERROR_INVALID_PARAMETER`.
const NO_PROCESS: u32 = 87;

/// A handle that is signalled when a process ends.
#[derive(Debug)]
pub(crate) struct Watch(OwnedHandle);

impl AsHandle for Watch {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

impl Watch {
    /// `WaitForSingleObject(process, 0)`: whether the process has died. All of its threads have ended then.
    pub(crate) fn is_over(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }
}

/// Begins to watch a process. `ERROR_ACCESS_DENIED` (5), of another user's process, does not prove that it is dead.
pub(crate) fn watch(id: ProcessId) -> Sight {
    match open(id.pid(), PROCESS_SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION) {
        _ if !id.can_exist() => Sight::Dead,
        // A handle keeps its pid from being given to another process, so this order is safe.
        Ok(process) if Watch::is_over(&process) || id.is_reused() => Sight::Dead,
        Ok(process) => Sight::Alive(process),
        Err(Absent::Proved) => Sight::Dead,
        Err(Absent::Refused) => Sight::Blind,
    }
}

/// Windows stops threads, not processes, and does not tell.
pub(crate) fn is_stopped(_: ProcessId) -> bool {
    false
}

/// `GetProcessTimes`: the low 32 bits of the time at which the process of this pid was created, in units of 100 ns.
pub(super) fn start(pid: c_int) -> Option<u32> {
    let process = open(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    let mut times = [FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 }; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open, and the four places outlive the call.
    let read = unsafe { GetProcessTimes(process.0.as_raw_handle(), created, exited, kernel, user) };
    // 0 stands for a time that is not known.
    (read != 0).then_some(created.dwLowDateTime.max(1))
}

/// Why a process has no handle.
enum Absent {
    /// No process has the pid.
    Proved,
    Refused,
}

/// `OpenProcess(access, FALSE, pid)`
fn open(pid: c_int, access: u32) -> Result<Watch, Absent> {
    // SAFETY: the call takes numbers. A handle that it returns is open and of no other owner.
    unsafe {
        let process = OpenProcess(access, 0, pid.cast_unsigned());
        if !process.is_null() {
            return Ok(Watch(OwnedHandle::from_raw_handle(process)));
        }
        match GetLastError() {
            NO_PROCESS => Err(Absent::Proved),
            _ => Err(Absent::Refused),
        }
    }
}
