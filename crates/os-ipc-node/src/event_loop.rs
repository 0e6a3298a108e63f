//! The spin of the event loop before its sleep: it polls for units that are likely to come at once.
//!
//! It never blocks, and stops as soon as the loop has anything else to do.

#![allow(unsafe_code, reason = "it is called by libuv, and calls JavaScript as libuv's callbacks do")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Env, check_status};
use napi::sys;
use os_ipc::{Mailbox, Poll};

use crate::libuv::Loop;
use crate::session;

/// The longest that a wait is polled for while other units come: 20 ms. Then it gets its place in the kernel's queue.
const PLACE_AFTER: Duration = Duration::from_millis(20);

/// The polls between two checks whether the loop has other work: 16.
const TRIES: usize = 16;

/// The event loop of a thread, its sessions, and their planned polls.
struct EventLoop {
    uv_loop: Loop,
    parties: Vec<Party>,
    planned: VecDeque<Planned>,
}

/// A session of this event loop.
struct Party {
    session: u32,
    env: sys::napi_env,
    /// The function that empties the mailbox.
    settle: sys::napi_ref,
    mailbox: Arc<Mailbox>,
}

/// A planned poll; the oldest is polled first.
struct Planned {
    since: Instant,
    session: u32,
    poll: Poll,
}

thread_local! {
    /// Only on the main thread: the loop of a worker ends while it may still be in use.
    static EVENT_LOOP: RefCell<Option<EventLoop>> = const { RefCell::new(None) };

    /// The activity of this thread.
    static TURN: Cell<Turn> = const { Cell::new(Turn::Elsewhere) };

    /// The sessions for which this spin found something.
    static FOUND: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Anything else.
    Elsewhere,
    /// It spins.
    Spinning,
    /// It spun, and a mailbox is no longer empty.
    Found,
}

/// A delivery to the mailbox of a session of this thread. True if this thread is about to empty the mailbox anyway.
pub(crate) fn takes_delivery(session: u32) -> bool {
    let spins = matches!(TURN.get(), Turn::Spinning | Turn::Found);
    if spins {
        TURN.set(Turn::Found);
        FOUND.with_borrow_mut(|found| found.push(session));
    }
    spins
}

/// Adds a session to the event loop of this thread; without libuv's functions there is no such loop.
pub(crate) fn enter(
    env: &Env,
    session: u32,
    settle: sys::napi_ref,
    mailbox: &Arc<Mailbox>,
) -> napi::Result<()> {
    let known = is_open();
    let opened = if known { None } else { open(env)? };
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        if !known {
            *event_loop = opened;
        }
        if let Some(event_loop) = event_loop {
            let mailbox = Arc::clone(mailbox);
            event_loop.parties.push(Party { session, env: env.raw(), settle, mailbox });
        }
    });
    Ok(())
}

fn open(env: &Env) -> napi::Result<Option<EventLoop>> {
    let mut uv_loop = ptr::null_mut();
    // SAFETY: `env` is this thread's, and the place outlives the call.
    let uv_loop = unsafe {
        check_status!(sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop))?;
        Loop::of(uv_loop)
    };
    Ok(uv_loop.map(|uv_loop| EventLoop { uv_loop, parties: Vec::new(), planned: VecDeque::new() }))
}

/// Whether this thread has an event loop that can spin.
pub(crate) fn is_open() -> bool {
    EVENT_LOOP.with_borrow(Option::is_some)
}

/// Plans a poll before the loop's next sleep.
pub(crate) fn plan(session: u32, poll: Poll) {
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        if let Some(event_loop) = event_loop {
            event_loop.planned.push_back(Planned { since: Instant::now(), session, poll });
            event_loop.uv_loop.call_before_sleep(before_sleep);
        }
    });
}

/// The session ends: threads take over its planned polls.
pub(crate) fn leave(session: u32) {
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        if let Some(event_loop) = event_loop {
            event_loop.parties.retain(|party| party.session != session);
            event_loop.planned.retain(|planned| planned.session != session);
        }
    });
}

/// The thread's last environment ends.
pub(crate) fn close() {
    if let Some(event_loop) = EVENT_LOOP.take() {
        event_loop.uv_loop.close();
    }
}

impl EventLoop {
    fn party(&self, session: u32) -> Option<&Party> {
        self.parties.iter().find(|party| party.session == session)
    }

    /// Spins until a poll finds something, the loop has something else to do, or the time of a spin is over.
    fn spin(&mut self) {
        let mut sessions: Vec<_> = self.planned.iter().map(|planned| planned.session).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let mailboxes: Vec<_> = sessions
            .into_iter()
            .filter_map(|session| Some(Arc::clone(&self.party(session)?.mailbox)))
            .collect();
        let Some(spin) = mailboxes.first().map(|mailbox| mailbox.spin()) else { return };
        TURN.set(Turn::Spinning);
        let mut next = 0;
        let failed = loop {
            let found = self.poll_some(&mut next, spin.began());
            if found || self.planned.is_empty() || !self.uv_loop.would_sleep() {
                break false;
            }
            if !spin.goes_on() {
                break true;
            }
        };
        for mailbox in mailboxes {
            mailbox.spun(&spin, !failed);
        }
        if failed {
            self.planned.clear();
        }
    }

    /// Polls the next planned ones, and starts again after the last. True if one found something.
    fn poll_some(&mut self, next: &mut usize, now: Instant) -> bool {
        for _ in 0..TRIES.min(self.planned.len()) {
            if *next >= self.planned.len() {
                *next = 0;
            }
            let Some(planned) = self.planned.get_mut(*next) else { break };
            let waits = planned.poll.try_all();
            let found = TURN.get() == Turn::Found;
            if found {
                planned.since = now;
            }
            if found || !waits {
                // It is the youngest now, or has no waiters left.
                let still_planned = self.planned.remove(*next).filter(|_| waits);
                self.planned.extend(still_planned);
            } else {
                *next += 1;
            }
            if found {
                return true;
            }
        }
        false
    }

    /// Leaves the oldest polls to threads, which give them a place in the kernel's queue.
    fn give_up_old(&mut self) {
        while self.planned.front().is_some_and(|planned| planned.since.elapsed() > PLACE_AFTER) {
            self.planned.pop_front();
        }
    }
}

/// The loop is about to sleep, or to ask for events of its files.
unsafe extern "C" fn before_sleep(_: *mut u64) {
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        let Some(event_loop) = event_loop else { return };
        event_loop.uv_loop.allow_sleep();
        event_loop.spin();
    });
    TURN.set(Turn::Elsewhere);
    for session in FOUND.take() {
        let party = EVENT_LOOP.with_borrow(|event_loop| {
            let party = event_loop.as_ref()?.party(session)?;
            Some((party.env, party.settle))
        });
        if let Some((env, settle)) = party {
            // SAFETY: they belong to a session of this loop, which leaves the loop before its reference is deleted.
            unsafe { session::call(env, settle, session::Frame::EventLoop) };
        }
    }
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        let Some(event_loop) = event_loop else { return };
        event_loop.give_up_old();
        if event_loop.planned.is_empty() {
            event_loop.uv_loop.call_nobody();
        } else {
            // The next turn comes at once, and spins again.
            event_loop.uv_loop.stay_awake();
        }
    });
}
