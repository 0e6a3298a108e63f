//! The tickets that wait for one counter.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::counter::{Counter, Hold};
use super::lanes::{self, Lane, PoolWork, Service};
use super::mailbox::{Delivery, Mailbox};
use super::nudger;
use super::unit::{Holder, Unit};
use crate::error::{Error, Result};
use crate::sync::{Mutex, MutexGuard, pause};
use crate::sys::thread::{self, Station};

/// A pending wait; a smaller one came first.
pub type TicketId = u64;

/// What became of a wait at its start.
#[must_use]
pub enum Wait {
    /// A unit was there.
    Done,
    /// The outcome comes to the mailbox. The work, if any, is for libuv's pool.
    Pending(TicketId, Option<PoolWork>),
}

/// A place in the line.
pub(crate) struct Ticket {
    pub(crate) hold: Hold,
    pub(crate) holder: Arc<Holder>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Whether a thread of libuv's pool may serve it.
    pub(crate) pool: bool,
}

/// The tickets of this process that wait for one counter, and the thread that serves them.
pub(crate) struct Queue {
    counter: Box<dyn Counter>,
    state: Mutex<State>,
    me: Weak<Queue>,
}

#[derive(Default)]
struct State {
    tickets: BTreeMap<TicketId, Ticket>,
    /// How many of them a pool thread may serve.
    for_pool: usize,
    server: Server,
    /// Counts the servers, so that one that was replaced before it came to run knows.
    generation: u64,
    /// Counts the reasons to look at the state again; `seen` is the last one that the server looked at.
    changes: u64,
    seen: u64,
}

#[derive(Default)]
enum Server {
    #[default]
    None,
    /// Sent to its lane, not there yet.
    Coming(Lane),
    /// At its station, in the kernel or on its way there or back.
    Here(Lane, Station),
}

impl Queue {
    pub(crate) fn new(counter: impl Counter + 'static) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            counter: Box::new(counter),
            state: Mutex::default(),
            me: Weak::clone(me),
        })
    }

    pub(crate) fn counter(&self) -> &dyn Counter {
        &*self.counter
    }

    /// Takes a unit, at once if nobody waits and one is there, else as the last in the line.
    pub(crate) fn wait(&self, ticket: Ticket) -> Result<Wait> {
        if self.lock().tickets.is_empty() && self.take_now(ticket.hold, &ticket.holder)? {
            return Ok(Wait::Done);
        }
        thread::install_interrupt()
            .map_err(|errno| Error::system("cannot wait", "sigaction", "SIGURG", errno))?;
        let id = next_ticket();
        let mut state = self.lock();
        state.for_pool += usize::from(ticket.pool);
        state.tickets.insert(id, ticket);
        if !matches!(state.server, Server::None) {
            // It may be on its way through libuv's pool for tickets that are gone, and be long in coming.
            self.release_server(&mut state);
            return Ok(Wait::Pending(id, None));
        }
        match self.start_server(&mut state) {
            Ok(work) => Ok(Wait::Pending(id, work)),
            Err(error) => {
                self.remove(&mut state, id);
                Err(error)
            }
        }
    }

    /// Takes a unit if one is there now, past those who wait.
    pub(crate) fn try_take(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        Ok(self.take_now(hold, holder)? || self.await_leaving_server() && self.take_now(hold, holder)?)
    }

    /// Waits for a server that was called away and may still win a unit, which it gives back; true when there was one.
    ///
    /// Without it, a unit posted right after the last wait was cancelled would not be there for a moment.
    pub(crate) fn await_leaving_server(&self) -> bool {
        const PATIENCE: Duration = Duration::from_millis(20);
        const LOOK_EVERY: Duration = Duration::from_micros(20);
        let leaving = || {
            let state = self.lock();
            state.tickets.is_empty() && matches!(state.server, Server::Here(..))
        };
        if !leaving() {
            return false;
        }
        let start = Instant::now();
        while leaving() && start.elapsed() < PATIENCE {
            pause(LOOK_EVERY);
        }
        true
    }

    /// Takes a unit if one is there now, and counts it where it is a permit.
    fn take_now(&self, hold: Hold, holder: &Holder) -> Result<bool> {
        let taken = self.counter.try_take(hold);
        let taken = taken.map_err(|errno| self.counter.failure("take a unit from", errno))?;
        if taken && hold == Hold::Owned {
            holder.add();
        }
        Ok(taken)
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
            ticket.pool = allowed;
        }
        state.for_pool = state.tickets.values().filter(|ticket| ticket.pool).count();
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
        while self.look(generation, lane, stay.station()) {
            match self.counter.take() {
                Ok(()) => {
                    self.hand_on(&mut self.lock());
                }
                Err(Errno::EINTR) => {}
                Err(errno) => self.fail_all(&self.counter.failure("wait for", errno)),
            }
        }
    }

    /// Whether the server is to go on; when not, it leaves its place or hands it to the other lane.
    fn look(&self, generation: u64, lane: Lane, station: &Station) -> bool {
        let mut state = self.lock();
        if state.generation != generation {
            return false;
        }
        state.seen = state.changes;
        if state.tickets.is_empty() {
            state.server = Server::None;
            return false;
        }
        if lane == Lane::Pool && (state.for_pool == 0 || !lanes::pool_is_open()) {
            self.start_own_server(&mut state);
            return false;
        }
        if !matches!(state.server, Server::Here(..)) {
            state.server = Server::Here(lane, station.clone());
        }
        true
    }

    /// Gives a unit of this process to the next ticket, or back to the kernel.
    pub(super) fn pass_on(&self) {
        let mut state = self.lock();
        self.hand_on(&mut state);
        self.release_server(&mut state);
    }

    fn hand_on(&self, state: &mut State) {
        while let Some((id, ticket)) = state.tickets.pop_first() {
            state.for_pool -= usize::from(ticket.pool);
            let unit = Unit::new(self.strong(), ticket.holder, ticket.hold);
            match ticket.mailbox.deliver(id, Delivery::Granted(unit)) {
                Err(Delivery::Granted(refused)) => refused.disarm(),
                _ => return,
            }
        }
        // A removed set has nothing to give back to. At 32,767 somebody else filled the counter, and the kernel
        // keeps the unit as an undo of this process.
        let _ = self.counter.give_back();
    }

    fn fail_all(&self, error: &Error) {
        let mut state = self.lock();
        fail_tickets(&mut state, error);
    }

    fn remove(&self, state: &mut State, ticket: TicketId) {
        if let Some(ticket) = state.tickets.remove(&ticket) {
            state.for_pool -= usize::from(ticket.pool);
            self.release_server(state);
        }
    }

    /// Calls the server away when it has nothing more to do where it is.
    fn release_server(&self, state: &mut State) {
        let idle = state.tickets.is_empty();
        match state.server {
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

    fn start_server(&self, state: &mut State) -> Result<Option<PoolWork>> {
        state.generation += 1;
        if state.for_pool > 0
            && let Some(work) = PoolWork::reserve(&self.strong(), state.generation)
        {
            state.server = Server::Coming(Lane::Pool);
            return Ok(Some(work));
        }
        Service::start(self.strong(), state.generation)?;
        state.server = Server::Coming(Lane::Own);
        Ok(None)
    }

    /// Replaces whatever server there is; where no thread can be had, the tickets learn of it.
    fn start_own_server(&self, state: &mut State) {
        state.generation += 1;
        state.server = Server::Coming(Lane::Own);
        if let Err(error) = Service::start(self.strong(), state.generation) {
            state.server = Server::None;
            fail_tickets(state, &error);
        }
    }

    /// A service was dropped before it ran, or while it ran: somebody else has to do it.
    pub(super) fn service_lost(&self, generation: u64) {
        let mut state = self.lock();
        if state.generation != generation || matches!(state.server, Server::None) {
            return;
        }
        if state.tickets.is_empty() {
            state.server = Server::None;
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

fn fail_tickets(state: &mut State, error: &Error) {
    state.for_pool = 0;
    for (id, ticket) in std::mem::take(&mut state.tickets) {
        // A mailbox that is closed has nobody to tell.
        let _ = ticket.mailbox.deliver(id, Delivery::Failed(error.clone()));
    }
}

/// Tickets are numbered over the whole process, so that a mailbox keeps the order of several queues.
fn next_ticket() -> TicketId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    /// A counter of its own process, which panics so many times before it takes anything.
    #[derive(Default)]
    struct Fake {
        units: Mutex<usize>,
        panics: AtomicUsize,
    }

    impl Counter for Arc<Fake> {
        fn try_take(&self, _: Hold) -> std::result::Result<bool, Errno> {
            Ok(false)
        }

        fn take(&self) -> std::result::Result<(), Errno> {
            let less = |panics: usize| panics.checked_sub(1);
            assert!(
                self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err(),
                "this panic is part of the test"
            );
            std::thread::sleep(Duration::from_millis(1));
            let mut units = self.units.lock().unwrap();
            *units = units.checked_sub(1).ok_or(Errno::EINTR)?;
            Ok(())
        }

        fn give_back(&self) -> std::result::Result<(), Errno> {
            *self.units.lock().unwrap() += 1;
            Ok(())
        }

        fn disown(&self) -> std::result::Result<(), Errno> {
            Ok(())
        }

        fn failure(&self, act: &str, errno: Errno) -> Error {
            Error::system(act, "take", "a fake", errno)
        }
    }

    fn mailbox() -> (Arc<Mailbox>, Receiver<()>) {
        let (arrived, arrival) = channel();
        let mailbox = Mailbox::new(move || arrived.send(()).unwrap());
        (Arc::new(mailbox), arrival)
    }

    fn start(queue: &Queue, mailbox: &Arc<Mailbox>, pool: bool) -> (TicketId, Option<PoolWork>) {
        let ticket = Ticket { hold: Hold::Owned, holder: Arc::default(), mailbox: Arc::clone(mailbox), pool };
        match queue.wait(ticket).unwrap() {
            Wait::Pending(id, work) => (id, work),
            Wait::Done => panic!("nothing is there at once"),
        }
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_server_that_panics_is_replaced() {
        let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(3) });
        let queue = Queue::new(Arc::clone(&fake));
        let (mailbox, arrival) = mailbox();
        let (id, _) = start(&queue, &mailbox, false);
        arrival.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(mailbox.collect().remove(&id), Some(Delivery::Granted(_))));
    }

    #[test]
    fn a_unit_that_nobody_collected_goes_to_the_next_mailbox_or_back() {
        let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(0) });
        let queue = Queue::new(Arc::clone(&fake));
        let ((first, first_arrival), (second, second_arrival)) = (mailbox(), mailbox());
        start(&queue, &first, false);
        start(&queue, &second, false);
        first_arrival.recv_timeout(PATIENCE).unwrap();
        first.close();
        second_arrival.recv_timeout(PATIENCE).unwrap();
        second.close();
        assert_eq!(*fake.units.lock().unwrap(), 1);
        assert_eq!(queue.pending(), 0);
    }

    #[test]
    fn a_ticket_for_no_pool_does_not_wait_for_a_pool_that_is_busy() {
        super::super::set_pool_size(4);
        let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(0) });
        let queue = Queue::new(Arc::clone(&fake));
        let (mailbox, arrival) = mailbox();
        let (gone, work) = start(&queue, &mailbox, true);
        assert!(work.is_some(), "a place in the pool is free");
        queue.cancel(gone, &mailbox);
        let (id, _) = start(&queue, &mailbox, false);
        arrival.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(mailbox.collect().remove(&id), Some(Delivery::Granted(_))));
        // When libuv comes to it, there is nothing left to do.
        work.unwrap().run();
    }
}
