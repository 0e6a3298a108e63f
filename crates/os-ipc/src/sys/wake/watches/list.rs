//! One descriptor or handle a process, all of which one call waits for.

use crate::sys::death::{ProcessId, Watch};

/// The processes whose deaths end a sleep.
#[derive(Debug, Default)]
pub(crate) struct Watches(Vec<(ProcessId, Watch)>);

impl Watches {
    pub(crate) fn add(&mut self, id: ProcessId, watch: Watch) {
        self.0.push((id, watch));
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(ProcessId) -> bool) {
        self.0.retain(|(id, _)| keep(*id));
    }

    /// What the call waits for.
    pub(in crate::sys::wake) fn polled(&self) -> impl Iterator<Item = &Watch> {
        self.0.iter().map(|(_, watch)| watch)
    }

    /// The processes that have died. `ready` tells of each of [`polled`](Self::polled) whether it ended the sleep.
    pub(in crate::sys::wake) fn dead(&self, ready: impl Iterator<Item = bool>) -> Vec<ProcessId> {
        self.0.iter().zip(ready).filter(|(_, ready)| *ready).map(|((id, _), _)| *id).collect()
    }
}
