//! What the event loop does instead of going to sleep: it looks for units that are likely to come at once.
//!
//! It never blocks, and stops as soon as the loop has anything else to do.

#![allow(unsafe_code, reason = "it is called by libuv, and calls JavaScript as libuv's callbacks do")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Env, Function, JsValue, check_status};
use napi::sys;
use os_ipc::{Mailbox, Poll};

use crate::libuv::Loop;

/// A wait that was looked for so long, since other units came first, gets its place in the kernel's queue.
const PLACE_AFTER: Duration = Duration::from_millis(20);

/// After so many tries a look sees what else there is to do.
const TRIES: usize = 16;

/// The event loop of one environment, and those that it looks for.
struct EventLoop {
    uv_loop: Loop,
    env: sys::napi_env,
    /// The function that empties the mailbox.
    settle: sys::napi_ref,
    mailbox: Arc<Mailbox>,
    /// Since when it looks for each: the oldest comes first, in a look too.
    planned: VecDeque<(Instant, Poll)>,
}

thread_local! {
    /// Of the main thread alone, which has one environment: a worker's loop ends while it may still be in use.
    static EVENT_LOOP: RefCell<Option<EventLoop>> = const { RefCell::new(None) };

    /// What this thread is at.
    static TURN: Cell<Turn> = const { Cell::new(Turn::Elsewhere) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Not before the loop's sleep.
    Elsewhere,
    /// It looks for units.
    Looking,
    /// It looked, and something is in the mailbox.
    Found,
}

/// Somebody delivers to the mailbox of an environment. True where this thread is about to empty it anyway.
pub(crate) fn takes_delivery() -> bool {
    let looking = matches!(TURN.get(), Turn::Looking | Turn::Found);
    if looking {
        TURN.set(Turn::Found);
    }
    looking
}

/// Finds the event loop of `env`; without libuv's functions there is none that could look for anybody.
pub(crate) fn open(env: &Env, settle: &Function<'_, (), ()>, mailbox: &Arc<Mailbox>) -> napi::Result<()> {
    let (mut uv_loop, mut reference) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is this thread's, and the places outlive the calls.
    let uv_loop = unsafe {
        check_status!(sys::napi_get_uv_event_loop(env.raw(), &raw mut uv_loop))?;
        check_status!(sys::napi_create_reference(env.raw(), settle.raw(), 1, &raw mut reference))?;
        Loop::of(uv_loop)
    };
    EVENT_LOOP.set(uv_loop.map(|uv_loop| EventLoop {
        uv_loop,
        env: env.raw(),
        settle: reference,
        mailbox: Arc::clone(mailbox),
        planned: VecDeque::new(),
    }));
    Ok(())
}

/// Whether this thread has an event loop that can look.
pub(crate) fn is_open() -> bool {
    EVENT_LOOP.with_borrow(Option::is_some)
}

/// Has the loop look for it before it goes to sleep.
pub(crate) fn plan(poll: Poll) {
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        if let Some(event_loop) = event_loop {
            event_loop.planned.push_back((Instant::now(), poll));
            event_loop.uv_loop.call_before_sleep(before_sleep);
        }
    });
}

/// The environment ends.
pub(crate) fn close() {
    if let Some(event_loop) = EVENT_LOOP.take() {
        event_loop.uv_loop.close();
    }
}

impl EventLoop {
    /// Looks until something is found, or the loop has something else to do, or for as long as a look takes.
    fn look(&mut self) {
        let look = self.mailbox.spin();
        TURN.set(Turn::Looking);
        let mut next = 0;
        let in_vain = loop {
            let found = self.try_some(&mut next, look.began());
            if found || self.planned.is_empty() || !self.uv_loop.would_sleep() {
                break false;
            }
            if !look.goes_on() {
                break true;
            }
        };
        self.mailbox.spun(&look, !in_vain);
        if in_vain {
            self.planned.clear();
        }
    }

    /// Tries for the next ones, and begins anew after the last. True where there was something.
    fn try_some(&mut self, next: &mut usize, now: Instant) -> bool {
        for _ in 0..TRIES.min(self.planned.len()) {
            if *next >= self.planned.len() {
                *next = 0;
            }
            let Some((since, poll)) = self.planned.get_mut(*next) else { break };
            let waits = poll.try_all();
            let found = TURN.get() == Turn::Found;
            if found {
                *since = now;
            }
            if found || !waits {
                // It is the youngest now, or not looked for any more.
                let looked_for = self.planned.remove(*next).filter(|_| waits);
                self.planned.extend(looked_for);
            } else {
                *next += 1;
            }
            if found {
                return true;
            }
        }
        false
    }

    /// Leaves to threads what would have had its place in the kernel's queue for a while by now.
    fn give_up_old(&mut self) {
        while self.planned.front().is_some_and(|(since, _)| since.elapsed() > PLACE_AFTER) {
            self.planned.pop_front();
        }
    }
}

/// The loop is about to sleep, or to have a look at its files.
unsafe extern "C" fn before_sleep(_: *mut u64) {
    let found = EVENT_LOOP.with_borrow_mut(|event_loop| {
        let event_loop = event_loop.as_mut()?;
        event_loop.uv_loop.allow_sleep();
        event_loop.look();
        (TURN.get() == Turn::Found).then_some((event_loop.env, event_loop.settle))
    });
    TURN.set(Turn::Elsewhere);
    if let Some((env, settle)) = found {
        // SAFETY: they are those of the environment that this loop runs.
        unsafe { call(env, settle) };
    }
    EVENT_LOOP.with_borrow_mut(|event_loop| {
        let Some(event_loop) = event_loop else { return };
        event_loop.give_up_old();
        if event_loop.planned.is_empty() {
            event_loop.uv_loop.call_nobody();
        } else {
            // This turn's moment before the sleep is over: the next one's is to come at once.
            event_loop.uv_loop.stay_awake();
        }
    });
}

/// Calls a function as libuv's own callbacks call JavaScript: what it resolves goes on before this returns.
///
/// Where JavaScript does not run any more, the mailbox keeps what it has, and gives it back when it closes.
///
/// # Safety
/// - This is the thread of `env`, and the reference is one of it.
unsafe fn call(env: sys::napi_env, function: sys::napi_ref) {
    let (mut scope, mut global, mut value, mut thrown) =
        (ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's; the places outlive the calls, and the scope is closed where it was opened.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return;
        }
        sys::napi_get_global(env, &raw mut global);
        sys::napi_get_reference_value(env, function, &raw mut value);
        let status =
            sys::napi_make_callback(env, ptr::null_mut(), global, value, 0, ptr::null(), ptr::null_mut());
        if status == sys::Status::napi_pending_exception
            && sys::napi_get_and_clear_last_exception(env, &raw mut thrown) == sys::Status::napi_ok
        {
            sys::napi_fatal_exception(env, thrown);
        }
        sys::napi_close_handle_scope(env, scope);
    }
}
