//! An inbox is a named event, which holds one hint without a key: its reader looks at everything.

use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, GetLastError, HANDLE, SetLastError, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, INFINITE, OpenEventW, SetEvent, WaitForMultipleObjects,
    WaitForSingleObject,
};

use super::{Watches, Woken};
use crate::sys::OsCode;
use crate::sys::death::ProcessId;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::kernel_object;

/// `MAXIMUM_WAIT_OBJECTS`: the most handles of one WaitForMultipleObjects.
const HANDLES_MAX: usize = 64;

/// The longest sleep while there are more handles than one call waits for: 20 ms, as for processes that cannot be watched.
const SLICE: Duration = Duration::from_millis(20);

/// The session is the folder of all inboxes.
fn name(id: ProcessId) -> Vec<u16> {
    kernel_object::local("wake", &format!("{:016x}", id.0))
}

/// Puts a hint into the inbox of a process. It never blocks.
///
/// `OpenEvent(EVENT_MODIFY_STATE)` and `SetEvent`; an event that cannot be opened means that the process does not wait.
pub(crate) fn hint(_folder: &Path, id: ProcessId, _key: u64) {
    let name = name(id);
    // SAFETY: `name` ends with a NUL and outlives the call, and the handle is closed by its owner alone.
    let event =
        unsafe { kernel_object::owned(OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()), "OpenEvent") };
    if let Ok(event) = event {
        set(event.as_handle());
    }
}

/// An inbox ends with its process.
pub(crate) fn remove(_folder: &Path, _id: ProcessId) {}

/// The inbox of this process.
#[derive(Debug)]
pub(crate) struct Inbox(OwnedHandle);

impl Inbox {
    /// `CreateEvent(auto reset, Local\os-ipc.wake.<process>)`
    ///
    /// `EBUSY` means that another copy of this library in this process reads the inbox.
    pub(crate) fn make(_folder: &Path) -> Result<Self, Refusal> {
        let attributes = kernel_object::attributes()?;
        let name = name(ProcessId::own());
        // SAFETY: `attributes` and `name` outlive the call, and the handle is closed by its owner alone.
        unsafe {
            SetLastError(0);
            let event = CreateEventW(&raw const attributes, 0, 0, name.as_ptr());
            let is_new = GetLastError() != ERROR_ALREADY_EXISTS;
            let event = kernel_object::owned(event, "CreateEvent")?;
            if is_new { Ok(Self(event)) } else { Err(Failure("CreateEvent", OsCode::EBUSY).into()) }
        }
    }
}

/// A wake-up between the threads of this process.
#[derive(Debug)]
pub(crate) struct Bell(OwnedHandle);

impl Bell {
    /// `CreateEvent(auto reset, without a name)`
    pub(crate) fn new() -> Result<Self, Failure> {
        // SAFETY: the call needs no pointer, and the handle is closed by its owner alone.
        let event =
            unsafe { kernel_object::owned(CreateEventW(ptr::null(), 0, 0, ptr::null()), "CreateEvent") };
        event.map(Self).map_err(|refusal| match refusal {
            Refusal::Failed(failure) => failure,
            Refusal::NotAnObject(_) => Failure("CreateEvent", OsCode::EIO),
        })
    }

    /// Ends the sleep of the thread in [`wait`], or its next one.
    pub(crate) fn ring(&self) {
        set(self.0.as_handle());
    }
}

/// `SetEvent`; it cannot fail for an open event.
fn set(event: BorrowedHandle<'_>) {
    // SAFETY: the handle is open.
    unsafe { SetEvent(event.as_raw_handle()) };
}

/// `WaitForMultipleObjects`: sleeps until the bell rings, a hint arrives, a process dies or the time is over.
pub(crate) fn wait(
    bell: Option<&Bell>,
    inboxes: &[&Inbox],
    watches: &Watches,
    timeout: Option<Duration>,
) -> Woken {
    let bells = bell.map(|bell| bell.0.as_raw_handle());
    let first_inbox = bells.iter().count();
    let handles: Vec<HANDLE> = bells
        .into_iter()
        .chain(inboxes.iter().map(|inbox| inbox.0.as_raw_handle()))
        .chain(watches.polled().map(|watch| watch.as_handle().as_raw_handle()))
        .collect();
    if handles.is_empty() {
        std::thread::sleep(timeout.unwrap_or(SLICE));
        return Woken::default();
    }
    let first = &handles[..handles.len().min(HANDLES_MAX)];
    let timeout = if first.len() < handles.len() {
        Some(timeout.map_or(SLICE, |timeout| timeout.min(SLICE)))
    } else {
        timeout
    };
    let count = u32::try_from(first.len()).unwrap_or(0);
    // SAFETY: the handles are open, and there are as many as passed, at most 64.
    let answer =
        unsafe { WaitForMultipleObjects(count, first.as_ptr(), 0, timeout.map_or(INFINITE, milliseconds)) };
    // The call resets the first event that is set, and no other.
    let reset = usize::try_from(answer.wrapping_sub(WAIT_OBJECT_0)).unwrap_or(usize::MAX);
    // SAFETY: the handle is open.
    let is_set =
        |place: usize| place == reset || unsafe { WaitForSingleObject(handles[place], 0) } == WAIT_OBJECT_0;
    let mut woken = Woken::default();
    for place in 0..first_inbox + inboxes.len() {
        let set = is_set(place);
        woken.overflow |= set && place >= first_inbox;
    }
    woken.dead = watches.dead((first_inbox + inboxes.len()..handles.len()).map(is_set));
    woken
}

/// Rounded up: a sleep that ends too early would be repeated.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_nanos().div_ceil(1_000_000)).map_or(INFINITE - 1, |time| time.min(INFINITE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::death::{Sight, is_dead, watch};
    use std::process::{Command, Stdio};

    const NOWHERE: &str = "";
    const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

    #[test]
    fn a_hint_and_a_bell_end_a_sleep() {
        let bell = Bell::new().unwrap();
        bell.ring();
        assert_eq!(wait(Some(&bell), &[], &Watches::default(), None), Woken::default());
        let inbox = Inbox::make(Path::new(NOWHERE)).unwrap();
        assert!(Inbox::make(Path::new(NOWHERE)).is_err(), "a second reader is refused");
        hint(Path::new(NOWHERE), ProcessId::own(), 7);
        assert!(wait(Some(&bell), &[&inbox], &Watches::default(), PATIENCE).overflow);
        assert_eq!(wait(Some(&bell), &[&inbox], &Watches::default(), Some(Duration::ZERO)), Woken::default());
    }

    #[test]
    fn the_death_of_a_process_ends_a_sleep_and_is_proved() {
        let own = ProcessId::own();
        assert!(!is_dead(own));
        assert!(is_dead(ProcessId(own.0 ^ 1)), "another process had the pid");
        let mut child = Command::new("cmd")
            .args(["/c", "pause"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id().cast_signed()).unwrap();
        let Sight::Alive(watch) = watch(id) else { panic!("the child runs") };
        let mut alive = Watches::default();
        alive.add(id, watch);
        let bell = Bell::new().unwrap();
        assert_eq!(wait(Some(&bell), &[], &alive, Some(Duration::ZERO)), Woken::default());
        child.kill().unwrap();
        assert_eq!(wait(Some(&bell), &[], &alive, PATIENCE).dead, [id]);
        child.wait().unwrap();
        assert!(is_dead(id));
    }

    #[test]
    fn more_watches_than_one_call_waits_for_are_all_seen() {
        let bell = Bell::new().unwrap();
        let mut child = Command::new("cmd")
            .args(["/c", "pause"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id().cast_signed()).unwrap();
        let mut watches = Watches::default();
        for _ in 0..100 {
            let Sight::Alive(watch) = watch(id) else { panic!("the child runs") };
            watches.add(id, watch);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(wait(Some(&bell), &[], &watches, PATIENCE).dead.len(), 100);
    }
}
