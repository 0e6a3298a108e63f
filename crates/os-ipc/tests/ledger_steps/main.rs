//! Kills a process at every event of every operation on a ledger: after each change of the shared bytes, and before each system
//! call. Afterwards no permit is lost or doubled, and the waiters of living processes are served.
//!
//! | file | holds |
//! |---|---|
//! | `program` | what the processes of this test do: commands, one a line |
//! | `trace` | single steps by ptrace(2), and the events that they find |
//! | `cases` | the operations, what other processes do meanwhile, and what has to be true afterwards |
//!
//! With `OS_IPC_STEPS=whole`, as in the stress, no event is left out.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod cases;
mod program;
mod trace;

/// The other processes of this test run this test alone.
#[test]
fn program() {
    program::run();
}
