//! RLIMIT_FSIZE: the largest file that this process may write.

/// `getrlimit(RLIMIT_FSIZE)`: bytes; `None` if there is no limit.
///
/// It is read before a file is made: a call that passes the limit raises SIGXFSZ, which ends a process that does not
/// handle it (Node ignores it, other programs do not).
pub(crate) fn limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a rlimit that outlives the call.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    (answer == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}
