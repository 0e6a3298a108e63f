//! Threads of our own, kept for a moment after use: starting one takes longer than a hand-over between processes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::{interrupt, module};

/// The work of a thread.
type Job = Box<dyn FnOnce() + Send>;

/// The time for which an idle thread is kept: 1 s.
const IDLE: Duration = Duration::from_secs(1);

/// The stack of a thread: it holds a system call, a few frames, and the message of a panic.
const STACK_BYTES: usize = 256 * 1024;

static IDLE_THREADS: Mutex<IdleThreads> = Mutex::new(IdleThreads { waiting: Vec::new(), next: 0 });

struct IdleThreads {
    waiting: Vec<(u64, Sender<Job>)>,
    next: u64,
}

fn idle_threads() -> MutexGuard<'static, IdleThreads> {
    IDLE_THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `job` on an idle thread or a new one.
pub(crate) fn run(job: impl FnOnce() + Send + 'static) -> Result<()> {
    let job: Job = Box::new(job);
    let idle = idle_threads().waiting.pop();
    let job = match idle {
        Some((_, thread)) => match thread.send(job) {
            Ok(()) => return Ok(()),
            Err(refused) => refused.0,
        },
        None => job,
    };
    module::pin();
    Builder::new()
        .name("os-ipc".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || live(job))
        .map(drop)
        .map_err(|error| {
            Error::system("cannot wait", "pthread_create", "for a waiting thread", error.into()).with_hint(
                "the limit of processes and threads is reached (ulimit -u, or pids.max of the cgroup), or the limit of address space (ulimit -v)",
            )
        })
}

fn live(first: Job) {
    interrupt::block_other_signals();
    let mut job = first;
    loop {
        // The panic hook has printed the panic; unwinding any further would abort the whole program.
        let _ = catch_unwind(AssertUnwindSafe(job));
        let Some(next) = next_job() else { return };
        job = next;
    }
}

/// Waits for the next job; `None` if none came for a while.
fn next_job() -> Option<Job> {
    let (sender, receiver) = channel();
    let number = {
        let mut idle = idle_threads();
        idle.next += 1;
        let number = idle.next;
        idle.waiting.push((number, sender));
        number
    };
    match receiver.recv_timeout(IDLE) {
        Ok(job) => Some(job),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => leave(number, &receiver),
    }
}

/// Removes the thread from the list; if a caller has taken the thread for a job meanwhile, waits for that job.
fn leave(number: u64, receiver: &Receiver<Job>) -> Option<Job> {
    let listed = {
        let mut idle = idle_threads();
        let before = idle.waiting.len();
        idle.waiting.retain(|(other, _)| *other != number);
        idle.waiting.len() != before
    };
    if listed { None } else { receiver.recv().ok() }
}
