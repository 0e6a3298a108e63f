//! The tickets that wait for one counter.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::counter::{Counter, Hold, Origin};
use super::glance::Glance;
use super::lanes::{self, Lane, Lanes, PoolWork, Service};
use super::mailbox::{Delivery, Mailbox};
use super::nudger;
use super::unit::{Holder, Unit};
use crate::error::{Error, Result};
use crate::sync::{AtomicU32, Mutex, MutexGuard, pause};
use crate::sys::clock;
use crate::sys::thread::{self, Station};

/// A pending wait; a smaller one came first.
pub type TicketId = u64;

/// What became of a wait at its start.
#[must_use]
pub enum Wait {
    /// A unit was there.
    Done,
    /// The outcome comes to the mailbox, once the caller has seen to the work.
    Pending(TicketId, Work),
}

/// What is left to do for a wait that was started.
#[must_use]
pub enum Work {
    /// Nothing: somebody is at it.
    Nothing,
    /// To be run on libuv's pool.
    Pool(PoolWork),
    /// For the event loop's thread, when it has nothing else to do.
    Glance(Glance),
}

/// A place in the line.
pub(crate) struct Ticket {
    pub(crate) hold: Hold,
    pub(crate) holder: Arc<Holder>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) lanes: Lanes,
}

/// The tickets of this process that wait for one counter, and the thread that serves them.
pub(crate) struct Queue {
    counter: Box<dyn Counter>,
    state: Mutex<State>,
    /// Counts what went back to the kernel since nobody here wanted it.
    returned: AtomicU32,
    me: Weak<Queue>,
}

#[derive(Default)]
struct State {
    tickets: BTreeMap<TicketId, Ticket>,
    /// How many of them a pool thread may serve.
    for_pool: usize,
    /// How many of them an event loop may look for.
    for_event_loop: usize,
    server: Server,
    /// Counts the servers, so that one that was replaced before it came to run knows.
    generation: u64,
    /// Counts the reasons to look at the state again; `seen` is the last one that the server looked at.
    changes: u64,
    seen: u64,
    /// What the server takes.
    serving: Option<Hold>,
}

#[derive(Default)]
enum Server {
    #[default]
    None,
    /// Sent to its lane, not there yet.
    Coming(Lane),
    /// At its station, in the kernel or on its way there or back.
    Here(Lane, Station),
    /// The thread of an event loop, which looks when it has nothing else to do.
    Glance,
}

/// What a server does next.
enum Next {
    /// It takes this.
    Take(Hold),
    /// Nothing: it is not needed any more, or replaced.
    Nothing,
    /// It leaves its place to the event loop of the first in the line.
    Glance(Glance, Arc<Mailbox>),
}

/// How many units one look takes at the most: who got one wants to go on.
const A_LOOK_TAKES: usize = 64;

/// How long a call is held up by a server that was called away: it comes within microseconds where a processor is free.
const A_MOMENT: Duration = Duration::from_millis(20);

impl Queue {
    pub(crate) fn new(counter: impl Counter + 'static) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            counter: Box::new(counter),
            state: Mutex::default(),
            returned: AtomicU32::new(0),
            me: Weak::clone(me),
        })
    }

    pub(crate) fn counter(&self) -> &dyn Counter {
        &*self.counter
    }

    /// Takes a unit, at once if nobody waits and one is there, else as the last in the line.
    pub(crate) fn wait(&self, ticket: Ticket) -> Result<Wait> {
        if self.take_at_once(ticket.hold, &ticket.holder)? { Ok(Wait::Done) } else { self.line_up(ticket) }
    }

    /// Takes a unit if nobody of this process waits and one is there.
    pub(crate) fn take_at_once(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        Ok(self.lock().tickets.is_empty() && self.take_now(hold, holder)?)
    }

    /// Waits as the last in the line.
    pub(crate) fn line_up(&self, ticket: Ticket) -> Result<Wait> {
        let id = next_ticket();
        let mut state = self.lock();
        let lanes = ticket.lanes;
        let quick = ticket.mailbox.expect();
        state.for_pool += usize::from(lanes.pool);
        state.for_event_loop += usize::from(lanes.event_loop);
        let hold = ticket.hold;
        ticket.holder.asks(clock::microseconds());
        state.tickets.insert(id, ticket);
        self.counter.lined_up(hold, true, state.oldest());
        if !matches!(state.server, Server::None) {
            // It may be on its way through libuv's pool for tickets that are gone, and be long in coming.
            self.release_server(&mut state);
            if !lanes.event_loop {
                self.replace_planned_glance(&mut state);
            }
            return Ok(Wait::Pending(id, Work::Nothing));
        }
        match self.start_server(&mut state, lanes.event_loop && quick) {
            Ok(work) => Ok(Wait::Pending(id, work)),
            Err(error) => {
                self.remove(&mut state, id);
                Err(error)
            }
        }
    }

    /// Takes a unit if one is there now, past those who wait.
    pub(crate) fn try_take(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        let returned = self.returned.load(Ordering::Acquire);
        if self.take_now(hold, holder)? {
            return Ok(true);
        }
        // A server that was called away may have had it just then.
        let again = self.await_leaving_server(A_MOMENT) || self.returned.load(Ordering::Acquire) != returned;
        Ok(again && self.take_now(hold, holder)?)
    }

    /// Takes what is asked for if it is there now and nobody in this process waits.
    pub(crate) fn try_take_in_turn(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        if self.lock().tickets.is_empty() { self.try_take(hold, holder) } else { Ok(false) }
    }

    /// Takes what is asked for if it is there now, and counts it where it has an owner.
    fn take_now(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        let Some(origin) = self.counter.try_take(hold)? else { return Ok(false) };
        if hold != Hold::Loose {
            holder.add(origin);
        }
        Ok(true)
    }

    /// Waits for a server that was called away and may still win a unit, which it gives back; true when there was one.
    ///
    /// Without it, a unit posted right after the last wait was cancelled would not be there for a moment.
    pub(crate) fn await_leaving_server(&self, patience: Duration) -> bool {
        const LOOK_EVERY: Duration = Duration::from_micros(20);
        let leaving = || {
            let state = self.lock();
            state.tickets.is_empty() && matches!(state.server, Server::Here(..))
        };
        if !leaving() {
            return false;
        }
        let start = Instant::now();
        while leaving() && start.elapsed() < patience {
            pause(LOOK_EVERY);
        }
        true
    }

    /// Waits until no thread serves those who gave up, be it in the kernel or on its way there.
    pub(crate) fn await_no_server(&self, patience: Duration) {
        const LOOK_EVERY: Duration = Duration::from_micros(20);
        let start = Instant::now();
        let served = || {
            let state = self.lock();
            state.tickets.is_empty() && !matches!(state.server, Server::None)
        };
        while served() && start.elapsed() < patience {
            pause(LOOK_EVERY);
        }
    }

    /// Forgets all who wait, and calls the server away: the process ends, and nobody is there to be told.
    pub(crate) fn abandon(&self) {
        let abandoned = {
            let mut state = self.lock();
            (state.for_pool, state.for_event_loop) = (0, 0);
            let abandoned = std::mem::take(&mut state.tickets);
            self.release_server(&mut state);
            abandoned
        };
        drop(abandoned);
    }

    /// Ends a wait: nothing arrives for it any more. A unit that is already there goes on to the next.
    pub(crate) fn cancel(&self, ticket: TicketId, mailbox: &Mailbox) {
        let withdrawn = {
            let mut state = self.lock();
            self.remove(&mut state, ticket);
            mailbox.withdraw(ticket)
        };
        // Not under the lock: a unit that goes on takes it.
        drop(withdrawn);
    }

    /// Ends every wait of one handle, as [`cancel`](Self::cancel) does.
    pub(crate) fn cancel_all(&self, holder: &Arc<Holder>, mailbox: &Mailbox) {
        let withdrawn = {
            let mut state = self.lock();
            let theirs = |ticket: &Ticket| Arc::ptr_eq(&ticket.holder, holder);
            let tickets: Vec<_> =
                state.tickets.iter().filter(|(_, ticket)| theirs(ticket)).map(|(id, _)| *id).collect();
            for ticket in tickets {
                self.remove(&mut state, ticket);
            }
            mailbox.withdraw_all(holder)
        };
        drop(withdrawn);
    }

    /// Says whether a pool thread may serve the waits of one handle: it keeps the event loop alive.
    pub(crate) fn allow_pool(&self, holder: &Arc<Holder>, allowed: bool) {
        let mut state = self.lock();
        for ticket in state.tickets.values_mut().filter(|ticket| Arc::ptr_eq(&ticket.holder, holder)) {
            ticket.lanes.pool = allowed;
        }
        state.for_pool = state.tickets.values().filter(|ticket| ticket.lanes.pool).count();
        self.release_server(&mut state);
    }

    /// How many wait here, in this process.
    pub(crate) fn pending(&self) -> usize {
        self.lock().tickets.len()
    }

    /// Whether nobody waits and nobody serves.
    #[cfg(all(loom, test))]
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.lock();
        state.tickets.is_empty() && matches!(state.server, Server::None)
    }

    /// Takes units for the tickets until there are none, or until the lane is not theirs any more.
    ///
    /// This is the one function that blocks, on either lane.
    pub(super) fn serve(&self, generation: u64, lane: Lane) {
        let stay = Station::enter();
        let mut delivered = false;
        loop {
            match self.next(generation, lane, stay.station(), delivered) {
                Next::Take(hold) => match self.counter.take(hold) {
                    Ok(Some(origin)) => {
                        self.hand_on(&mut self.lock(), hold, origin);
                        delivered = true;
                    }
                    Ok(None) => {}
                    Err(error) => self.fail_all(&error),
                },
                Next::Nothing => return,
                // Refused, it is dropped, and somebody else serves.
                Next::Glance(glance, mailbox) => return drop(mailbox.plan(glance)),
            }
        }
    }

    /// Takes for the tickets what is there; false when there are none, or somebody else serves them.
    pub(super) fn glance(&self, generation: u64) -> bool {
        let mut state = self.lock();
        if state.generation != generation {
            return false;
        }
        self.take_for_all(&mut state)
    }

    /// What a look does.
    fn take_for_all(&self, state: &mut State) -> bool {
        for _ in 0..A_LOOK_TAKES {
            let Some(hold) = state.first() else { break };
            match self.counter.try_take(hold) {
                Ok(Some(origin)) => self.hand_on(state, hold, origin),
                Ok(None) => return true,
                Err(error) => self.fail_tickets(state, &error),
            }
        }
        let waits = !state.tickets.is_empty();
        if !waits {
            self.leave(state);
        }
        waits
    }

    /// Somebody is about to read the counter, and must not see what an event loop is going to take for those who wait.
    pub(crate) fn before_reading(&self) {
        let mut state = self.lock();
        if matches!(state.server, Server::Glance) {
            self.take_for_all(&mut state);
        } else {
            drop(state);
            self.await_leaving_server(A_MOMENT);
        }
    }

    /// The calling thread is about to block, and may be the one that was to look.
    pub(crate) fn before_blocking(&self) {
        self.replace_planned_glance(&mut self.lock());
    }

    /// A look that is planned may be long in coming: its event loop may be at something else.
    fn replace_planned_glance(&self, state: &mut State) {
        if matches!(state.server, Server::Glance) {
            self.start_own_server(state);
        }
    }

    /// What the server does next, which may have delivered something before.
    fn next(&self, generation: u64, lane: Lane, station: &Station, delivered: bool) -> Next {
        let mut state = self.lock();
        if state.generation != generation {
            return Next::Nothing;
        }
        state.seen = state.changes;
        let Some(hold) = state.first() else {
            self.leave(&mut state);
            return Next::Nothing;
        };
        // Only who just woke that event loop: it is about to look.
        if delivered && let Some(mailbox) = self.event_loop(&state) {
            state.generation += 1;
            state.server = Server::Glance;
            return Next::Glance(Glance::new(self.strong(), state.generation), mailbox);
        }
        if lane == Lane::Pool && (state.for_pool == 0 || !lanes::pool_is_open()) {
            self.start_own_server(&mut state);
            return Next::Nothing;
        }
        if !matches!(state.server, Server::Here(..)) {
            state.server = Server::Here(lane, station.clone());
        }
        state.serving = Some(hold);
        Next::Take(hold)
    }

    /// The mailbox of the event loop that may look for all of the tickets, and whose waits are short.
    fn event_loop(&self, state: &State) -> Option<Arc<Mailbox>> {
        let (_, first) = state.tickets.first_key_value()?;
        let may_look = self.counter.may_be_tried() && state.for_event_loop == state.tickets.len();
        (may_look && first.mailbox.is_quick()).then(|| Arc::clone(&first.mailbox))
    }

    /// There is no server any more.
    fn leave(&self, state: &mut State) {
        state.server = Server::None;
        state.serving = None;
        self.counter.rest();
    }

    /// Gives what this process took to the next ticket, or back to the kernel.
    pub(super) fn pass_on(&self, hold: Hold, origin: Origin) {
        let mut state = self.lock();
        self.hand_on(&mut state, hold, origin);
        self.release_server(&mut state);
    }

    fn hand_on(&self, state: &mut State, taken: Hold, origin: Origin) {
        while state.first().is_some_and(|hold| hold.is_like(taken))
            && let Some((id, ticket)) = state.tickets.pop_first()
        {
            self.left(state, &ticket);
            let unit = Unit::new(self.strong(), ticket.holder, ticket.hold, origin);
            match ticket.mailbox.deliver(id, Delivery::Granted(unit)) {
                Err(Delivery::Granted(refused)) => refused.disarm(),
                _ => return,
            }
        }
        // A removed set has nothing to give back to. At 32,767 somebody else filled the counter, and the kernel
        // keeps the unit as an undo of this process.
        let _ = self.counter.give_back(taken, origin);
        self.returned.fetch_add(1, Ordering::Release);
    }

    fn fail_all(&self, error: &Error) {
        let mut state = self.lock();
        self.fail_tickets(&mut state, error);
    }

    fn fail_tickets(&self, state: &mut State, error: &Error) {
        (state.for_pool, state.for_event_loop) = (0, 0);
        for (id, ticket) in std::mem::take(&mut state.tickets) {
            self.counter.lined_up(ticket.hold, false, None);
            // A mailbox that is closed has nobody to tell.
            let _ = ticket.mailbox.deliver(id, Delivery::Failed(error.clone()));
        }
    }

    fn remove(&self, state: &mut State, ticket: TicketId) {
        if let Some(ticket) = state.tickets.remove(&ticket) {
            self.left(state, &ticket);
            self.release_server(state);
        }
    }

    /// The ticket is not in the line any more.
    fn left(&self, state: &mut State, ticket: &Ticket) {
        state.for_pool -= usize::from(ticket.lanes.pool);
        state.for_event_loop -= usize::from(ticket.lanes.event_loop);
        self.counter.lined_up(ticket.hold, false, state.oldest());
    }

    /// Calls the server away when it has nothing more to do where it is.
    fn release_server(&self, state: &mut State) {
        let idle = state.tickets.is_empty();
        match state.server {
            Server::Here(..) if state.takes_in_vain() => self.nudge(state),
            Server::Here(Lane::Own, _) if idle => self.nudge(state),
            Server::Here(Lane::Pool, _) if idle || state.for_pool == 0 => self.nudge(state),
            // It cannot be called yet, and libuv may be long in coming to it.
            Server::Coming(Lane::Pool) if !idle && state.for_pool == 0 => self.start_own_server(state),
            _ => {}
        }
    }

    fn nudge(&self, state: &mut State) {
        if let Server::Here(_, station) = &state.server {
            state.changes += 1;
            station.interrupt();
            nudger::watch(self.strong());
        }
    }

    /// Signals once more; false when the server has seen every change.
    pub(super) fn nudge_again(&self) -> bool {
        let state = self.lock();
        match &state.server {
            Server::Here(_, station) if state.seen != state.changes => {
                station.interrupt();
                true
            }
            _ => false,
        }
    }

    /// Moves the service from libuv's pool to a thread of ours. True while a pool thread is still at it.
    pub(super) fn leave_pool(&self) -> bool {
        self.leave_pool_queue();
        let mut state = self.lock();
        match state.server {
            Server::Here(Lane::Pool, _) => {
                self.nudge(&mut state);
                true
            }
            _ => false,
        }
    }

    /// Moves a service that waits for a free thread of libuv's pool to a thread of ours.
    pub(super) fn leave_pool_queue(&self) {
        let mut state = self.lock();
        if let Server::Coming(Lane::Pool) = state.server {
            self.start_own_server(&mut state);
        }
    }

    fn start_server(&self, state: &mut State, look: bool) -> Result<Work> {
        state.generation += 1;
        if look && self.counter.may_be_tried() {
            state.server = Server::Glance;
            return Ok(Work::Glance(Glance::new(self.strong(), state.generation)));
        }
        install_interrupt()?;
        if state.for_pool > 0
            && let Some(work) = PoolWork::reserve(&self.strong(), state.generation)
        {
            state.server = Server::Coming(Lane::Pool);
            return Ok(Work::Pool(work));
        }
        Service::start(self.strong(), state.generation)?;
        state.server = Server::Coming(Lane::Own);
        Ok(Work::Nothing)
    }

    /// Replaces whatever server there is; where no thread can be had, the tickets learn of it.
    fn start_own_server(&self, state: &mut State) {
        state.generation += 1;
        state.server = Server::Coming(Lane::Own);
        let started = install_interrupt().and_then(|()| Service::start(self.strong(), state.generation));
        if let Err(error) = started {
            self.fail_tickets(state, &error);
            self.leave(state);
        }
    }

    /// A service was dropped before it ran, or while it ran: somebody else has to do it.
    pub(super) fn service_lost(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation != generation || matches!(state.server, Server::None) {
            return;
        }
        if state.tickets.is_empty() {
            self.leave(&mut state);
        } else {
            self.start_own_server(&mut state);
        }
    }

    fn strong(&self) -> Arc<Self> {
        self.me.upgrade().expect("whoever calls holds the queue")
    }

    /// A thread that panicked left nothing half-done here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the first in the line asks for.
    fn first(&self) -> Option<Hold> {
        self.tickets.values().next().map(|ticket| ticket.hold)
    }

    /// When the first in the line asked.
    fn oldest(&self) -> Option<u64> {
        self.tickets.values().next().map(|ticket| ticket.holder.asked())
    }

    /// Whether what the server is about to get is not what the first in the line asks for.
    fn takes_in_vain(&self) -> bool {
        matches!((self.serving, self.first()), (Some(taken), Some(hold)) if !hold.is_like(taken))
    }
}

/// What gets a server out of the kernel; somebody may have taken it away since the last time.
fn install_interrupt() -> Result<()> {
    thread::install_interrupt().map_err(|errno| Error::system("cannot wait", "sigaction", "SIGURG", errno))
}

/// Tickets are numbered over the whole process, so that a mailbox keeps the order of several queues.
fn next_ticket() -> TicketId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
