//! poll(2) looks at each of its files on every call. So more than a few pidfds are behind an epoll(7), which is one file.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::sys::death::{ProcessId, Watch};

/// The most pidfds that are polled one by one: so few do not pay for a descriptor more.
const FEW: usize = 4;

/// The most deaths that one call tells. The next sleep ends at once if there are more.
const DEATHS_MAX: usize = 64;

/// The processes whose deaths end a sleep.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    /// Those that are polled one by one: as long as they are few, and all that the epoll refused.
    single: Vec<(ProcessId, Watch)>,
    grouped: Vec<(ProcessId, Watch)>,
    /// Made for the first process that it is needed for.
    epoll: Option<Epoll>,
}

impl Watches {
    pub(crate) fn add(&mut self, id: ProcessId, watch: Watch) {
        self.single.push((id, watch));
        if self.epoll.is_some() || self.single.len() > FEW {
            let (grouped, single) =
                std::mem::take(&mut self.single).into_iter().partition(|(id, watch)| self.group(*id, watch));
            self.single = single;
            self.grouped.extend::<Vec<_>>(grouped);
        }
    }

    /// `epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, {EPOLLIN, id})`; false if there is no descriptor or no room for it.
    fn group(&mut self, id: ProcessId, watch: &Watch) -> bool {
        if self.epoll.is_none() {
            self.epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).ok();
        }
        let event = EpollEvent::new(EpollFlags::EPOLLIN, id.0);
        self.epoll.as_ref().is_some_and(|epoll| epoll.add(watch, event).is_ok())
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(ProcessId) -> bool) {
        self.single.retain(|(id, _)| keep(*id));
        let epoll = &self.epoll;
        self.grouped.retain(|(id, watch)| {
            let kept = keep(*id);
            if !kept && let Some(epoll) = epoll {
                // Closing it is not enough: a forked child has it open too.
                let _ = epoll.delete(watch);
            }
            kept
        });
        if self.grouped.is_empty() {
            self.epoll = None;
        }
    }

    /// What the call waits for.
    pub(in crate::sys::wake) fn polled(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.single
            .iter()
            .map(|(_, watch)| watch.as_fd())
            .chain(self.epoll.iter().map(|epoll| epoll.0.as_fd()))
    }

    /// The processes that have died. `ready` tells of each of [`polled`](Self::polled) whether it ended the sleep.
    pub(in crate::sys::wake) fn dead(&self, mut ready: impl Iterator<Item = bool>) -> Vec<ProcessId> {
        let single = self.single.iter().zip(&mut ready).filter(|(_, ready)| *ready).map(|((id, _), _)| *id);
        let mut dead: Vec<_> = single.collect();
        if ready.next() == Some(true) {
            dead.extend(self.dead_of_group());
        }
        dead
    }

    fn dead_of_group(&self) -> Vec<ProcessId> {
        let mut events = [EpollEvent::empty(); DEATHS_MAX];
        let count =
            self.epoll.as_ref().map_or(0, |epoll| epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0));
        events[..count].iter().map(|event| ProcessId(event.data())).collect()
    }
}
