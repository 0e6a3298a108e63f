//! Whether the kernel undoes the semaphore operations of a dead process: clone(2), semop(2), waitpid(2).

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::error::OsCode;

use crate::sys::system_v::semaphore::{self as sem, SetId};

/// The size of the probe's set. Sets of peers have 1 semaphore, those of this library 3 or more.
const SIZE: usize = 2;

/// The semaphore that the child raises.
const RAISED: u16 = 0;

/// The result of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The child's operation was undone when the child ended.
    Undone,
    /// The child ended, and its operation stayed.
    Stayed,
    /// The set was removed meanwhile, or other processes probe with it at the same time.
    Disturbed,
}

/// Probes with the set of this key, which all processes of the user share.
///
/// A process that is killed here leaves this one set, and the next probe of the user removes it.
/// `EACCES` means that another program uses the key.
pub(crate) fn with_key(key: i32, user: u32) -> Result<Seen, OsCode> {
    let set = sem::open_or_create(key, SIZE, 0o600).map_err(|errno| match errno {
        // The set of this key is smaller: another program created it.
        OsCode::EINVAL => OsCode::EACCES,
        errno => errno,
    })?;
    let status = match sem::status(set) {
        Ok(status) => status,
        Err(OsCode::EIDRM | OsCode::EINVAL) => return Ok(Seen::Disturbed),
        Err(errno) => return Err(errno),
    };
    if status.size != SIZE || status.access.uid != user || status.access.creator_uid != user {
        return Err(OsCode::EACCES);
    }
    let seen = look_at(set);
    // Another process may have removed it by now.
    let _ = sem::remove(set);
    // A raised value may belong to the child of another process that still lives.
    Ok(match seen? {
        Seen::Stayed => Seen::Disturbed,
        seen => seen,
    })
}

/// Probes with a private set. A process that is killed here leaves it behind.
pub(crate) fn with_private_set() -> Result<Seen, OsCode> {
    let set = sem::create(libc::IPC_PRIVATE, SIZE, 0o600)?;
    let seen = look_at(set);
    let _ = sem::remove(set);
    seen
}

/// Lets a child raise the semaphore with undo and end; the value then shows whether the kernel undid it.
fn look_at(set: SetId) -> Result<Seen, OsCode> {
    match in_child(set).and_then(|()| sem::value(set)) {
        Ok(0) => Ok(Seen::Undone),
        Ok(_) => Ok(Seen::Stayed),
        Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(Seen::Disturbed),
        Err(errno) => Err(errno),
    }
}

/// The order to the child, and its answer.
struct Task {
    set: SetId,
    /// The errno of its semop; [`UNANSWERED`] until it has one, 0 for success.
    answer: AtomicI32,
}

const UNANSWERED: i32 = -1;

/// `clone(CLONE_VM | CLONE_VFORK)`: a process that does one semop with undo, and ends.
///
/// The calling thread stops until the child has ended, as with vfork(2), but the child has its own stack.
/// The child also has its own list of undos: only `CLONE_SYSVSEM` would share ours. It sends no signal when it ends.
fn in_child(set: SetId) -> Result<(), OsCode> {
    /// Bytes of the child's stack: the semop of a preloaded library may look up symbols.
    const STACK: usize = 256 << 10;
    let mut stack: Vec<MaybeUninit<u8>> = Vec::new();
    // Without memory the probe fails, and not the process.
    stack.try_reserve_exact(STACK).map_err(|_| OsCode::ECHILD)?;
    let task = Task { set, answer: AtomicI32::new(UNANSWERED) };
    let mask = BlockedSignals::all();
    // SAFETY: the stack grows down from an end that is aligned to 16 bytes, and lives as long as the child, which the
    // flags make us wait for; so does `task`. `raise` takes no lock, allocates nothing and does not unwind, and its
    // signals are blocked, so that no handler runs on our memory.
    let child = OsCode::result(unsafe {
        let end = stack.as_mut_ptr().add(STACK);
        let top = end.sub(end.addr() % 16);
        let argument = (&raw const task).cast_mut().cast::<c_void>();
        libc::clone(raise, top.cast(), libc::CLONE_VM | libc::CLONE_VFORK, argument)
    })
    // EPERM of a filter here tells nothing about System V.
    .map_err(|_| OsCode::ECHILD)?;
    drop(mask);
    // When waitpid returns, the undos are done. It fails if other code waited for the child first.
    let _ = crate::sys::uninterrupted(|| {
        // SAFETY: no status is asked for.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), libc::__WALL) }
    });
    match task.answer.load(Ordering::Acquire) {
        0 => Ok(()),
        // The child was killed.
        UNANSWERED => Err(OsCode::ECHILD),
        errno => Err(OsCode::from_raw(errno)),
    }
}

/// The code of the child. It shares the memory of its parent, so it makes one system call and ends.
extern "C" fn raise(task: *mut c_void) -> c_int {
    // SAFETY: `in_child` passes a `Task` that outlives the child.
    let task = unsafe { &*task.cast::<Task>() };
    let answer = match sem::operate(task.set, &mut [sem::Operation::add(RAISED, 1, sem::Undo::Yes)]) {
        Ok(()) => 0,
        Err(errno) => errno.raw(),
    };
    task.answer.store(answer, Ordering::Release);
    0
}

/// The saved signal mask of this thread; dropping it restores the mask.
struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    /// `pthread_sigmask(SIG_SETMASK)` with every signal that can be blocked.
    fn all() -> Self {
        // SAFETY: sigfillset and pthread_sigmask fill in the sets that they are given; neither fails with these arguments.
        unsafe {
            let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set is the one that pthread_sigmask filled in.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}
