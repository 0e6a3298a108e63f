//! Single steps by ptrace(2), and the events that they find.
//!
//! An event is a system call that is about to be made, or a change of the ledger's bytes. Events have numbers that do not depend
//! on how many instructions lie between them: the calls so far, and the changes since the last call.
//!
//! A step costs a thousand times as much as an instruction. So a process runs from call to call, and by steps only from the
//! call before the event on.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::program::{MARK, traced};

/// The longest that one traced process may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The bytes of a ledger with few processes: its header and its first slots.
const BYTES: usize = 4096;

/// The place of an event: how often the process slept and others did something, the calls since then, itself included, and the
/// changes since the last of the calls. Between two sleeps, the threads of a process meet in many orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub sleeps: usize,
    pub calls: usize,
    pub changes: usize,
}

impl Point {
    /// Whether it is the place of a change after this call.
    fn is_after(self, call: Self) -> bool {
        self.sleeps == call.sleeps && self.calls == call.calls
    }
}

/// What others did while the process sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    Acted,
    Waited,
    /// The process would sleep for ever.
    Stuck,
}

/// What happened to the traced process.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It reached the event.
    Reached,
    /// It made the next call, or reached its second mark, before.
    Passed,
}

/// Whether this system lets a process trace its child. Filters of containers may refuse it.
pub fn is_allowed() -> bool {
    let traced = Traced::start(traced(&["stop".to_owned()]), String::new());
    traced.is_some_and(|traced| {
        traced.kill();
        true
    })
}

/// How the events of an operation are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Calls,
    Steps,
}

/// The ledger's bytes, as they were last seen.
struct Bytes {
    path: String,
    file: Option<File>,
    seen: Vec<u8>,
}

impl Bytes {
    fn of(path: String) -> Self {
        let mut bytes = Self { path, file: None, seen: Vec::new() };
        bytes.look();
        bytes
    }

    /// Whether they changed since the last look.
    fn look(&mut self) -> bool {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let mut now = [0; BYTES];
        let Some(length) = self.file.as_ref().and_then(|file| file.read_at(&mut now, 0).ok()) else {
            return false;
        };
        let changed = self.seen != now[..length];
        if changed {
            self.seen = now[..length].to_vec();
        }
        changed
    }
}

/// How the threads go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// To the next system call.
    Calls,
    /// By one instruction.
    Steps,
}

/// A process that is traced, with all its threads.
pub struct Traced {
    child: Child,
    threads: HashSet<Pid>,
    /// Which threads are inside a system call that was reported; used at [`Pace::Calls`].
    inside: HashMap<Pid, bool>,
    bytes: Bytes,
    at: Point,
    /// Every event so far, if they are recorded.
    pub events: Vec<Point>,
}

impl Traced {
    /// A process that is traced, at its first mark.
    pub fn at_first_mark(child: Child, path: String) -> Self {
        Self::start(child, path).expect("the traced process ended early")
    }

    /// `None` if the process ended before its first mark.
    fn start(mut child: Child, path: String) -> Option<Self> {
        let deadline = Instant::now() + LIMIT;
        // Only the thread that calls ptrace(2) is traced, and those that it starts: the thread of the test harness is not.
        let thread = loop {
            assert!(Instant::now() < deadline, "the traced process does not begin");
            match wait() {
                Ok(WaitStatus::Stopped(thread, MARK)) => break thread,
                Ok(WaitStatus::Stopped(thread, signal)) => ptrace::cont(thread, signal).unwrap(),
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_micros(50)),
                _ => {
                    let _ = child.wait();
                    return None;
                }
            }
        };
        let options =
            Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL;
        ptrace::setoptions(thread, options).unwrap();
        Some(Self {
            child,
            threads: HashSet::from([thread]),
            inside: HashMap::new(),
            bytes: Bytes::of(path),
            at: Point::default(),
            events: Vec::new(),
        })
    }

    /// Runs to the second mark, and records the events.
    ///
    /// By steps it finds all. From call to call it finds the calls, and the first of the changes after a call if the bytes are
    /// other ones at the next call.
    pub fn record(&mut self, by: Record, quiet: impl FnMut(usize) -> Quiet) {
        let end = self.go(None, if by == Record::Steps { Pace::Steps } else { Pace::Calls }, quiet);
        assert_eq!(end, End::Passed);
    }

    /// Runs to the event at `target`.
    ///
    /// `quiet` is called when all threads sleep, with the number of times that it was called before; false if it has nothing to
    /// do any more.
    pub fn run(&mut self, target: Point, quiet: impl FnMut(usize) -> Quiet) -> End {
        let begins = target.sleeps == 0 && target.calls == 0;
        self.go(Some(target), if begins { Pace::Steps } else { Pace::Calls }, quiet)
    }

    fn go(&mut self, target: Option<Point>, mut pace: Pace, mut quiet: impl FnMut(usize) -> Quiet) -> End {
        self.threads.clone().into_iter().for_each(|thread| resume(thread, pace, None));
        let deadline = Instant::now() + LIMIT;
        let mut sleeps = Sleeps::default();
        loop {
            assert!(Instant::now() < deadline, "the traced process hangs at {:?}", self.at);
            let status = match wait() {
                Ok(WaitStatus::StillAlive) => {
                    if sleeps.are_over(&self.threads) {
                        self.note_changes(target, pace);
                        let did = quiet(sleeps.next());
                        assert!(did != Quiet::Stuck, "the traced process waits for ever at {:?}", self.at);
                        if did == Quiet::Acted {
                            self.at = Point { sleeps: self.at.sleeps + 1, ..Point::default() };
                            if target == Some(self.at)
                                || target.is_some_and(|target| target.is_after(self.at))
                            {
                                self.bytes.look();
                                pace = Pace::Steps;
                            }
                        }
                    }
                    continue;
                }
                Ok(status) => status,
                Err(error) => panic!("waitpid: {error}"),
            };
            sleeps.interrupted();
            let Some(thread) = status.pid() else { continue };
            self.threads.insert(thread);
            let mut signal = None;
            let mut happened = false;
            match status {
                WaitStatus::Stopped(_, MARK) => {
                    self.note_changes(target, pace);
                    return End::Passed;
                }
                WaitStatus::Stopped(_, Signal::SIGTRAP) if pace == Pace::Steps => {
                    happened = self.stepped(thread, target);
                }
                // The first stop of a new thread.
                WaitStatus::Stopped(_, Signal::SIGSTOP) | WaitStatus::PtraceEvent(..) => {}
                WaitStatus::Stopped(_, other) => signal = Some(other),
                WaitStatus::PtraceSyscall(_) => {
                    let inside = self.inside.entry(thread).or_default();
                    *inside = !*inside;
                    if *inside {
                        self.note_changes(target, pace);
                        happened = self.calls(target);
                        if target.is_some_and(|target| target.is_after(self.at)) && !happened {
                            self.bytes.look();
                            pace = Pace::Steps;
                        }
                    }
                }
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                    self.threads.remove(&thread);
                    assert!(!self.threads.is_empty(), "the traced process ended: {status:?}");
                    continue;
                }
                other => panic!("{other:?}"),
            }
            if happened {
                return End::Reached;
            }
            if target.is_some_and(|target| self.at > target) {
                return End::Passed;
            }
            resume(thread, pace, signal);
        }
    }

    /// After a step of a thread. True if the target is reached.
    fn stepped(&mut self, thread: Pid, target: Option<Point>) -> bool {
        if self.bytes.look() {
            self.at.changes += 1;
            self.note(target);
            if target == Some(self.at) {
                return true;
            }
        }
        is_at_call(thread) && self.calls(target)
    }

    /// A thread is about to make a system call.
    fn calls(&mut self, target: Option<Point>) -> bool {
        self.at = Point { calls: self.at.calls + 1, changes: 0, ..self.at };
        self.note(target);
        target == Some(self.at)
    }

    /// Notes that there were changes since the last call, while the process is recorded from call to call.
    fn note_changes(&mut self, target: Option<Point>, pace: Pace) {
        if target.is_none() && pace == Pace::Calls && self.bytes.look() {
            self.events.push(Point { changes: 1, ..self.at });
        }
    }

    fn note(&mut self, target: Option<Point>) {
        if target.is_none() {
            self.events.push(self.at);
        }
    }

    /// `kill -9`, and the end of all threads: the last one is the thread that began the process.
    pub fn kill(self) {
        let leader = Pid::from_raw(self.child.id().cast_signed());
        kill(leader, Signal::SIGKILL).unwrap();
        let deadline = Instant::now() + LIMIT;
        loop {
            assert!(Instant::now() < deadline, "a killed process does not end");
            match wait() {
                Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) if pid == leader => return,
                Ok(WaitStatus::StillAlive) => std::thread::yield_now(),
                Ok(_) => {}
                Err(Errno::ECHILD) => return,
                Err(error) => panic!("waitpid: {error}"),
            }
        }
    }
}

/// What a child of this thread does, or a thread that it traces.
fn wait() -> nix::Result<WaitStatus> {
    waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD | WaitPidFlag::WNOHANG))
}

/// Errors mean that the thread was ended by another one, or that it is about to be killed.
fn resume(thread: Pid, pace: Pace, signal: Option<Signal>) {
    let _ = match pace {
        Pace::Calls => ptrace::syscall(thread, signal),
        Pace::Steps => ptrace::step(thread, signal),
    };
}

/// Whether the next instruction is `syscall`: the bytes 0f 05.
fn is_at_call(thread: Pid) -> bool {
    let Ok(registers) = ptrace::getregs(thread) else { return false };
    let word = ptrace::read(thread, registers.rip as ptrace::AddressType);
    word.is_ok_and(|word| word.to_le_bytes()[..2] == [0x0f, 0x05])
}

/// Whether all threads sleep.
#[derive(Default)]
struct Sleeps {
    looks: u32,
    times: usize,
}

impl Sleeps {
    fn interrupted(&mut self) {
        self.looks = 0;
    }

    fn next(&mut self) -> usize {
        self.times += 1;
        self.times - 1
    }

    /// Looks now and then: all threads have to sleep in each of several looks.
    fn are_over(&mut self, threads: &HashSet<Pid>) -> bool {
        const SPINS: u32 = 500;
        const LOOKS: u32 = 8;
        self.looks += 1;
        if self.looks < SPINS {
            std::thread::yield_now();
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
        if !threads.iter().all(|thread| is_asleep(*thread)) {
            self.looks = SPINS;
        }
        let over = self.looks > SPINS + LOOKS;
        if over {
            self.looks = SPINS;
        }
        over
    }
}

fn is_asleep(thread: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{thread}/stat")).unwrap_or_default();
    let state = status.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, None | Some('S' | 'Z' | 'X'))
}
