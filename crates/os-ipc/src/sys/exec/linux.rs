//! execve(2), and what a runtime has changed before it.

use std::ffi::{CString, c_char, c_int};
use std::ptr;

use super::{Program, Surroundings};
use crate::sys::OsCode;

/// Signals whose action every process chooses for itself. Those of real time a runtime leaves as they are.
const CLASSIC: std::ops::RangeInclusive<c_int> = 1..=31;

const STANDARD_STREAMS: std::ops::RangeInclusive<c_int> = 0..=2;

/// `execvpe(name, words, environment)`: this process becomes the program. It returns only when it could not.
///
/// The pid, the kernel's list of undos and open files that are inherited stay. All other threads end. A handler does not
/// survive, and what is ignored does: so the actions of signals, and the mask of this thread, are set before. They come back
/// when the call fails. `ENOENT`, `EACCES`: there is no such program, or it is not for us to run.
pub(crate) fn become_program(program: &Program, surroundings: &Surroundings) -> OsCode {
    let Some(name) = program.words.first() else { return OsCode::EINVAL };
    let (words, environment) = (pointers(&program.words), pointers(&program.environment));
    for fd in STANDARD_STREAMS.chain(surroundings.open.iter().copied()) {
        keep_open(fd);
    }
    for fd in STANDARD_STREAMS.filter(|fd| !surroundings.nonblocking.contains(fd)) {
        make_blocking(fd);
    }
    if let Some(most) = surroundings.most_open {
        allow_open(most);
    }
    let actions: Vec<_> =
        CLASSIC.map(|signal| (signal, set_action(signal, surroundings.ignored.contains(&signal)))).collect();
    // What is blocked when it starts, a runtime has unblocked, and so has the shell before it.
    let mask = set_mask(&no_signals());
    // SAFETY: the name and both lists are strings that outlive the call, and each list ends with a null pointer.
    unsafe { libc::execvpe(name.as_ptr(), words.as_ptr(), environment.as_ptr()) };
    let code = OsCode::last();
    set_mask(&mask);
    for (signal, action) in actions.into_iter().filter_map(|(signal, action)| Some((signal, action?))) {
        // SAFETY: the action is what was there before.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
    code
}

/// `signal(number, SIG_IGN or SIG_DFL)` for each of these. An unknown number changes nothing.
pub(crate) fn set_actions(signals: impl IntoIterator<Item = (c_int, bool)>) {
    for (signal, ignored) in signals {
        set_action(signal, ignored);
    }
}

/// A list of strings as C has it.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// `fcntl(fd, F_SETFD, not FD_CLOEXEC)`. One that is closed stays closed.
fn keep_open(fd: c_int) {
    // SAFETY: the call takes no pointer.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFD);
        if flags >= 0 && flags & libc::FD_CLOEXEC != 0 {
            libc::fcntl(fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC);
        }
    }
}

/// `fcntl(fd, F_SETFL, not O_NONBLOCK)`: all who have the file share that flag.
fn make_blocking(fd: c_int) {
    // SAFETY: the call takes no pointer.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        if flags >= 0 && flags & libc::O_NONBLOCK != 0 {
            libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK);
        }
    }
}

/// `setrlimit(RLIMIT_NOFILE)`: the soft limit, at most the hard one. Node raises it when it starts.
fn allow_open(most: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` outlives both calls. A failure leaves what is there.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = most.min(limit.rlim_max);
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// `sigaction(number)`: the earlier action, or `None` for a signal whose action nobody may choose.
fn set_action(signal: c_int, ignored: bool) -> Option<libc::sigaction> {
    // SAFETY: an action of zeros is the default one, without flags, with an empty mask; both places outlive the call.
    unsafe {
        let (mut action, mut earlier) = std::mem::zeroed::<(libc::sigaction, libc::sigaction)>();
        action.sa_sigaction = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
        (libc::sigaction(signal, &raw const action, &raw mut earlier) == 0).then_some(earlier)
    }
}

fn no_signals() -> libc::sigset_t {
    // SAFETY: sigemptyset initialises the set.
    unsafe {
        let mut mask = std::mem::zeroed();
        libc::sigemptyset(&raw mut mask);
        mask
    }
}

/// `pthread_sigmask(SIG_SETMASK)`: the earlier mask.
fn set_mask(mask: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: both masks outlive the call, whose only error is an unknown `how`.
    unsafe {
        let mut earlier = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, mask, &raw mut earlier);
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_leaves_everything_as_it_was() {
        let actions = || CLASSIC.map(action_of).collect::<Vec<_>>();
        let before = actions();
        let words = vec![c"/no/such/program".to_owned()];
        let program = Program { words, environment: vec![] };
        let surroundings = Surroundings { ignored: vec![libc::SIGHUP], ..Default::default() };
        let masked = || nix::sys::signal::SigSet::thread_get_mask().unwrap();
        let mask = masked();
        assert_eq!(become_program(&program, &surroundings), OsCode::ENOENT);
        assert_eq!(actions(), before);
        assert_eq!(masked(), mask);
    }

    fn action_of(signal: c_int) -> Option<usize> {
        // SAFETY: the place outlives the call, which changes nothing.
        unsafe {
            let mut action = std::mem::zeroed::<libc::sigaction>();
            (libc::sigaction(signal, ptr::null(), &raw mut action) == 0).then_some(action.sa_sigaction)
        }
    }
}
