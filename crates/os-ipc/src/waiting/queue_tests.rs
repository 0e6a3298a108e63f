//! The queue over a counter in this process.

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::error::{Error, OsCode};
use crate::waiting::executors;
use crate::waiting::mailbox::Delivery;
use crate::waiting::source::Token;

/// A counter in this process; its first `panics` takes panic.
#[derive(Default)]
struct Fake {
    units: Mutex<usize>,
    panics: AtomicUsize,
}

impl Counter for Arc<Fake> {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        Ok(None)
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        let less = |panics: usize| panics.checked_sub(1);
        assert!(
            self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err(),
            "this panic is part of the test"
        );
        std::thread::sleep(Duration::from_millis(1));
        let mut units = self.units.lock().unwrap();
        let Some(left) = units.checked_sub(1) else { return Ok(None) };
        *units = left;
        Ok(Some(Token::default()))
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        *self.units.lock().unwrap() += 1;
        Ok(())
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(act, "take", "a fake", errno)
    }
}

fn mailbox() -> (Arc<Mailbox>, Receiver<()>) {
    let (arrived, arrival) = channel();
    let mailbox = Mailbox::new(move || arrived.send(()).unwrap());
    (Arc::new(mailbox), arrival)
}

fn start(queue: &Queue, mailbox: &Arc<Mailbox>, executors: Executors) -> (WaiterId, Work) {
    let waiter =
        Waiter { request: Request::Permit, holder: Arc::default(), mailbox: Arc::clone(mailbox), executors };
    match queue.wait(waiter).unwrap() {
        Wait::Pending(id, work) => (id, work),
        Wait::Done => panic!("the counter has no unit at once"),
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_driver_that_panics_is_replaced() {
    let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(3) });
    let queue = Queue::of_units(Arc::clone(&fake));
    let (mailbox, arrival) = mailbox();
    let (id, _) = start(&queue, &mailbox, Executors::THREAD);
    arrival.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(mailbox.collect().delivered.remove(&id), Some(Delivery::Granted(_))));
}

#[test]
fn an_uncollected_unit_goes_to_the_next_mailbox_or_back() {
    let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(0) });
    let queue = Queue::of_units(Arc::clone(&fake));
    let ((first, first_arrival), (second, second_arrival)) = (mailbox(), mailbox());
    let _ = start(&queue, &first, Executors::THREAD);
    let _ = start(&queue, &second, Executors::THREAD);
    first_arrival.recv_timeout(PATIENCE).unwrap();
    first.close();
    second_arrival.recv_timeout(PATIENCE).unwrap();
    second.close();
    assert_eq!(*fake.units.lock().unwrap(), 1);
    assert_eq!(queue.pending(), 0);
}

#[test]
fn a_waiter_that_allows_no_pool_does_not_wait_for_a_busy_pool() {
    executors::set_pool_size(4);
    let fake = Arc::new(Fake { units: Mutex::new(1), panics: AtomicUsize::new(0) });
    let queue = Queue::of_units(Arc::clone(&fake));
    let (mailbox, arrival) = mailbox();
    let (gone, work) = start(&queue, &mailbox, Executors::POOL);
    let Work::Pool(work) = work else { panic!("the pool should have a free place") };
    queue.cancel(gone, &mailbox);
    let (id, _) = start(&queue, &mailbox, Executors::THREAD);
    arrival.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(mailbox.collect().delivered.remove(&id), Some(Delivery::Granted(_))));
    // When libuv comes to the work, nothing is left to do.
    work.run();
}

#[test]
fn a_wait_ends_when_its_driver_has_left_the_source() {
    const ROUNDS: usize = 20;
    /// On a busy machine the driver may have no processor in most rounds, but not for ever.
    const TRIES: usize = 20;
    let queue = Queue::of_units(Arc::<Fake>::default());
    let (mailbox, _arrival) = mailbox();
    let driver = || queue.lock().state.driver();
    let has_left = |_| {
        let (id, _) = start(&queue, &mailbox, Executors::THREAD);
        pause_while(|| !matches!(driver(), Driver::Running(_)), PATIENCE);
        queue.cancel(id, &mailbox);
        driver() == Driver::None
    };
    let mostly = |_| (0..ROUNDS).filter(|round| has_left(*round)).count() > ROUNDS / 2;
    assert!((0..TRIES).any(mostly));
}
