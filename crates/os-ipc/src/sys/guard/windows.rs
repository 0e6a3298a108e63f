//! A named mutex. The system releases it when its holder dies: the next one finds it abandoned, and goes on.

use std::marker::PhantomData;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{CreateMutexW, ReleaseMutex, WaitForSingleObject};

use crate::sys::OsCode;
use crate::sys::failure::Refusal;
use crate::sys::kernel_object::{self, Owned};

/// A mutex that is the guard.
pub(crate) struct Guard(OwnedHandle);

/// The guard, until this is dropped, by the thread that took it.
pub(crate) struct Held<'a>(BorrowedHandle<'a>, PhantomData<*const ()>);

impl Guard {
    /// `CreateMutex(Local\os-ipc.guard.<name>)`: opens it, or creates it without an owner.
    pub(crate) fn open(name: &str) -> Result<Self, Refusal> {
        let attributes = kernel_object::attributes()?;
        let name = kernel_object::local("guard", name);
        // SAFETY: `attributes` and `name`, which ends with a NUL, outlive the call. The handle is closed by its owner alone.
        let mutex = unsafe {
            kernel_object::owned(CreateMutexW(&raw const attributes, 0, name.as_ptr()), "CreateMutex")?
        };
        if kernel_object::owner(mutex.as_handle()) != Owned::Trusted {
            return Err(Refusal::NotAnObject("a mutex of another user"));
        }
        Ok(Self(mutex))
    }

    /// `WaitForSingleObject(mutex, 0)`: the guard, if no other thread has it.
    pub(crate) fn try_hold(&self) -> Result<Option<Held<'_>>, OsCode> {
        // SAFETY: the handle is open.
        match unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) } {
            WAIT_OBJECT_0 | WAIT_ABANDONED => Ok(Some(Held(self.0.as_handle(), PhantomData))),
            WAIT_TIMEOUT => Ok(None),
            _ => Err(OsCode::last()),
        }
    }
}

impl Drop for Held<'_> {
    /// `ReleaseMutex(mutex)`
    fn drop(&mut self) {
        // SAFETY: the handle is open. The only error is that of a thread that does not hold it, and this one does.
        unsafe { ReleaseMutex(self.0.as_raw_handle()) };
    }
}
