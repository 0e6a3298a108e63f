//! Waits: started here, driven by one of two executors, settled by JavaScript.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use napi::Task;
use napi::bindgen_prelude::{Either, Env};
use napi_derive::napi;
use os_ipc::{Arrived, Delivery, Executors, Mailbox, PoolWork, Wait, WaiterId, Work};

use crate::environment;
use crate::error::{OrFail, failure, text};
use crate::event_loop;
use crate::pool;
use crate::waitable::Waitable;

/// The work of a driver, as an `AsyncTask` on libuv's pool.
struct Serve(Option<PoolWork>);

impl Task for Serve {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        if let Some(work) = self.0.take() {
            // The panic hook has printed the panic, and another thread goes on; unwinding would abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| work.run()));
        }
        Ok(())
    }

    fn resolve(&mut self, _: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}

/// Takes a unit for good, or a permit, at once, and returns 0; or waits for it, and returns the wait's ticket.
///
/// `referenced` tells whether the wait keeps the event loop alive, as a wait on libuv's pool does.
#[napi]
pub fn start_wait(env: Env, handle: u32, referenced: bool) -> napi::Result<f64> {
    start(&env, handle, referenced, Waitable::start)
}

/// Brings a limit to that number of permits, and returns 0; or waits for a free permit to take away, and returns that wait's ticket:
/// then it is to be called again.
#[napi]
pub fn limit_start_resize(env: Env, handle: u32, permits: u32, referenced: bool) -> napi::Result<f64> {
    start(&env, handle, referenced, |waitable, mailbox, executors| match waitable {
        Waitable::Limit(limit) => limit.start_resize(permits, mailbox, executors),
        Waitable::Semaphore(_) => Err(os_ipc::Error::invalid("this is the handle of a semaphore")),
    })
}

fn start(
    env: &Env,
    handle: u32,
    referenced: bool,
    start: impl FnOnce(&Waitable, &Arc<Mailbox>, Executors) -> os_ipc::Result<Wait>,
) -> napi::Result<f64> {
    let (started, session) = environment::with(env, |environment| {
        let waitable = environment.waitable(handle)?;
        let session = environment.session_of(handle)?;
        environment.check_runs()?;
        let executors = Executors {
            pool: referenced && environment.has_pool && pool::has_started(),
            event_loop: referenced && event_loop::is_open(),
        };
        let is_unit = matches!(waitable, Waitable::Semaphore(_));
        let started = start(waitable, environment.mailbox(session)?, executors).or_fail()?;
        if matches!(started, Wait::Done) && is_unit {
            environment.send(handle);
        }
        Ok((started, session))
    })?;
    match started {
        Wait::Done => Ok(0.0),
        Wait::Pending(ticket, work) => {
            match work {
                Work::Nothing => {}
                // The promise of the task is not used: its waits settle one by one. If the task cannot be queued, the
                // work is dropped, and so goes to a thread of ours.
                Work::Pool(work) => drop(env.spawn(Serve(Some(work)))),
                Work::Poll(poll) => event_loop::plan(session, poll),
            }
            Ok(to_number(ticket))
        }
    }
}

/// Ends a wait: its ticket does not settle any more.
#[napi]
pub fn cancel_wait(env: Env, handle: u32, ticket: f64) -> napi::Result<()> {
    environment::with(&env, |environment| {
        let mailbox = environment.mailbox(environment.session_of(handle)?)?;
        environment.waitable(handle)?.cancel(to_ticket(ticket), mailbox);
        Ok(())
    })
}

/// Ends all waits of a handle.
#[napi]
pub fn cancel_waits(env: Env, handle: u32) -> napi::Result<()> {
    environment::with(&env, |environment| {
        let mailbox = environment.mailbox(environment.session_of(handle)?)?;
        environment.waitable(handle)?.cancel_all(mailbox);
        Ok(())
    })
}

/// Sets whether libuv's pool, if this thread has one, may block for the waits of a handle: a wait on the pool keeps the
/// event loop alive.
#[napi]
pub fn allow_pool(env: Env, handle: u32, allowed: bool) -> napi::Result<()> {
    environment::with(&env, |environment| {
        let has_pool = environment.has_pool;
        environment.waitable(handle)?.allow_pool(allowed && has_pool);
        Ok(())
    })
}

/// Forgets a handle. A handle that has permits stays, since the process holds them; then this returns false.
#[napi]
pub fn drop_handle(env: Env, handle: u32) -> napi::Result<bool> {
    let dropped = environment::with(&env, |environment| {
        if environment.waitable(handle)?.is_held() {
            return Ok(None);
        }
        Ok(environment.waitables.remove(handle))
    })?;
    Ok(dropped.is_some())
}

/// The waits that ended since the last call.
#[napi(object, object_from_js = false)]
pub struct Settled {
    /// Tickets that have their unit now.
    pub granted: Vec<f64>,
    /// Tickets that failed, each followed by its error in `errors`.
    pub failed: Vec<f64>,
    /// Errors, in the form that failed calls return.
    pub errors: Vec<String>,
}

/// All waits ended, since the process was about to exit.
const LEFT: f64 = -1.0;

/// Collects the ended waits of a session. Mostly one wait has its unit: then only its ticket is returned; -1 if all waits
/// were ended, since the process was about to exit.
#[napi]
pub fn collect_settled(env: Env, session: u32) -> napi::Result<Either<f64, Settled>> {
    environment::with(&env, |environment| {
        let Arrived { delivered: mut collected, planned } = environment.mailbox(session)?.collect();
        for poll in planned {
            event_loop::plan(session, poll);
        }
        if std::mem::take(&mut environment.session_mut(session)?.left) {
            return Ok(Either::A(LEFT));
        }
        // Only if JavaScript will see it: a unit that is dropped goes on to the next waiter.
        let runs = environment.runs();
        if collected.len() == 1
            && runs
            && let Some((ticket, delivery)) = collected.pop_first()
        {
            match delivery {
                Delivery::Granted(unit) => {
                    unit.hand_over();
                    return Ok(Either::A(to_number(ticket)));
                }
                failed @ Delivery::Failed(_) => drop(collected.insert(ticket, failed)),
            }
        }
        let mut settled = Settled { granted: Vec::new(), failed: Vec::new(), errors: Vec::new() };
        for (ticket, delivery) in collected {
            match delivery {
                Delivery::Granted(unit) if runs => {
                    unit.hand_over();
                    settled.granted.push(to_number(ticket));
                }
                Delivery::Granted(unit) => drop(unit),
                Delivery::Failed(error) => {
                    settled.failed.push(to_number(ticket));
                    settled.errors.push(text(&failure(&error)));
                }
            }
        }
        Ok(Either::B(settled))
    })
}

/// Moves waits that still queue for a pool thread to threads of ours.
#[napi]
pub fn leave_pool_queue() {
    os_ipc::leave_pool_queue();
}

/// Tickets count from 1; 2^53 of them would take centuries.
#[allow(clippy::cast_precision_loss, reason = "a ticket stays below 2^53")]
pub(crate) fn to_number(ticket: WaiterId) -> f64 {
    ticket as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`to_number` made the number")]
fn to_ticket(number: f64) -> WaiterId {
    number as WaiterId
}
