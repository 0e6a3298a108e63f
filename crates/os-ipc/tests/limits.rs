//! Limits: made, found, waited for, resized, removed.

mod common;

use std::sync::Arc;
use std::thread;

use common::{LIMIT, Party, by_three_threads, settled, until};
use os_ipc::{
    Code, Delivery, Executors, HAS_LIMITS, Limit, LimitCreation, LimitEngine, LimitId, Mailbox, OsCode,
    Owner, Wait, WaiterId, Work, list_limits,
};

/// A name of its own; unlinked on drop. `None` where there are no limits.
struct Named(common::Named);

impl Named {
    fn new() -> Option<Self> {
        let backend = common::backends().next()?;
        HAS_LIMITS.then(|| Self(common::Named::new(backend)))
    }

    fn id(&self) -> LimitId {
        LimitId::named(&self.0.name).unwrap()
    }

    fn create(&self, permits: u32) -> Limit {
        Limit::create(&self.id(), LimitCreation { permits, mode: 0o600 }, None).unwrap()
    }

    fn open(&self) -> Limit {
        Limit::open(&self.id(), Owner::Default, None).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = Limit::unlink_id(&self.id(), None);
    }
}

fn free(limit: &Limit) -> u16 {
    settled(|| limit.info().unwrap().free)
}

fn pending(started: os_ipc::Result<Wait>) -> WaiterId {
    match started.unwrap() {
        Wait::Pending(ticket, Work::Nothing) => ticket,
        _ => panic!("it was to wait"),
    }
}

fn acquire(limit: &Limit, mailbox: &Arc<Mailbox>) -> WaiterId {
    pending(limit.start_acquire(mailbox, Executors::THREAD))
}

/// Takes what arrived; says for which tickets it was.
fn take(delivered: impl IntoIterator<Item = (WaiterId, Delivery)>) -> Vec<WaiterId> {
    let taken = delivered.into_iter().map(|(ticket, delivery)| match delivery {
        Delivery::Granted(permit) => {
            permit.hand_over();
            ticket
        }
        Delivery::Failed(error) => panic!("{error}"),
    });
    taken.collect()
}

fn until_blocked(limit: &Limit, threads: u32) {
    until("threads are blocked", || limit.info().unwrap().waiters == threads);
}

#[test]
fn create_open_and_unlink() {
    let Some(named) = Named::new() else {
        assert_eq!(LimitId::named("/x").unwrap_err().code(), Code::NotSupported);
        return;
    };
    assert_eq!(Limit::open(&named.id(), Owner::Default, None).err().unwrap().errno(), Some(OsCode::ENOENT));
    let made = named.create(3);
    assert!(made.created() && made.verified());
    assert_eq!((made.name(), made.permits().unwrap()), (named.0.name.as_str(), Some(3)));
    let again = Limit::create(&named.id(), LimitCreation { permits: 1, mode: 0o600 }, None);
    assert_eq!(again.err().unwrap().errno(), Some(OsCode::EEXIST));
    let found =
        Limit::open_or_create(&named.id(), LimitCreation { permits: 9, mode: 0o600 }, Owner::Default, None);
    assert_eq!(found.unwrap().permits().unwrap(), Some(3));
    let listed = list_limits().unwrap();
    assert_eq!(listed.iter().filter(|info| info.name.as_deref() == Some(&*named.0.name)).count(), 1);
    assert!(Limit::unlink_id(&named.id(), None).unwrap());
    assert!(!Limit::unlink_id(&named.id(), None).unwrap());
    let after = named.create(7);
    made.unlink().unwrap();
    assert_eq!(free(&after), 7);
    for permits in [32_768, u32::MAX] {
        let error = Limit::create(&named.id(), LimitCreation { permits, mode: 0o600 }, None).err().unwrap();
        assert_eq!(error.code(), Code::OutOfRange);
    }
}

#[test]
fn a_limit_is_removed_after_its_handle_is_gone() {
    let Some(named) = Named::new() else { return };
    let identity = named.create(1).identity();
    // A limit of Windows has ended with its last handle, which an identity is not.
    assert_eq!(Limit::open(&named.id(), Owner::Default, None).is_ok(), cfg!(unix));
    identity.remove().unwrap();
    assert_eq!(Limit::open(&named.id(), Owner::Default, None).err().unwrap().errno(), Some(OsCode::ENOENT));
    // Another limit of the same name stays.
    let another = named.create(7);
    identity.remove().unwrap();
    assert_eq!(named.open().permits().unwrap(), another.permits().unwrap());
}

#[test]
fn open_or_create_succeeds_against_any_number_of_unlinks() {
    for engine in LimitEngine::of_this_host() {
        let Some(named) = Named::new() else { return };
        let creation = LimitCreation { permits: 1, mode: 0o600 };
        by_three_threads(|| {
            Limit::open_or_create(&named.id(), creation, Owner::Default, Some(engine)).unwrap();
            Limit::unlink_id(&named.id(), Some(engine)).unwrap();
        });
    }
}

#[test]
fn a_handle_gives_its_permits_back_when_it_is_dropped() {
    let Some(named) = Named::new() else { return };
    let (watch, holder) = (named.create(3), named.open());
    assert!(holder.try_acquire().unwrap() && holder.try_acquire().unwrap());
    assert_eq!((holder.held(), free(&watch)), (2, 1));
    holder.release().unwrap();
    drop(holder);
    assert_eq!(free(&watch), 3);
    assert_eq!(watch.release().unwrap_err().code(), Code::InvalidValue);
}

#[test]
fn a_permit_belongs_to_the_handle_that_waited() {
    let Some(named) = Named::new() else { return };
    let (limit, holder, party) = (named.create(1), named.open(), Party::new());
    assert!(limit.try_acquire().unwrap());
    let ticket = acquire(&holder, &party.mailbox);
    limit.release().unwrap();
    let delivered = party.collect();
    assert_eq!(holder.held(), 0, "it is on its way");
    assert_eq!(take(delivered), [ticket]);
    assert_eq!((holder.held(), limit.held()), (1, 0));
    drop(holder);
    assert_eq!(free(&limit), 1);
}

#[test]
fn a_released_permit_goes_straight_to_the_next_waiter_of_this_process() {
    let Some(named) = Named::new() else { return };
    let (limit, party) = (named.create(1), Party::new());
    for blocked in [true, false] {
        assert!(limit.try_acquire().unwrap());
        let tickets = [acquire(&limit, &party.mailbox), acquire(&limit, &party.mailbox)];
        if blocked {
            until_blocked(&limit, 1);
        }
        for ticket in tickets {
            limit.release().unwrap();
            assert!(!limit.try_acquire().unwrap(), "the waiter has it");
            assert_eq!(take(party.mailbox.collect().delivered), [ticket]);
        }
        limit.release().unwrap();
        assert_eq!((free(&limit), limit.held()), (1, 0));
    }
}

#[test]
fn a_permit_goes_to_the_longest_waiter_in_the_kernel() {
    let Some(named) = Named::new() else { return };
    let (limit, party) = (named.create(1), Party::new());
    if limit.engine() != LimitEngine::SystemV {
        // All waits of a process are one in the line of a ledger.
        return;
    }
    assert!(limit.try_acquire().unwrap());
    // This thread blocks in the kernel itself, as a thread of another process would.
    let (other, release) = (named.open(), std::sync::mpsc::channel::<()>());
    let blocked = thread::spawn(move || {
        assert!(other.acquire(Some(LIMIT)).unwrap());
        release.1.recv().unwrap();
        other.release().unwrap();
    });
    until_blocked(&limit, 1);
    let ticket = acquire(&limit, &party.mailbox);
    until_blocked(&limit, 2);
    limit.release().unwrap();
    until("the first one has it", || limit.info().unwrap().waiters == 1);
    assert!(party.mailbox.collect().delivered.is_empty());
    release.0.send(()).unwrap();
    blocked.join().unwrap();
    assert_eq!(take(party.collect()), [ticket]);
    limit.release().unwrap();
    assert_eq!(free(&limit), 1);
}

#[test]
fn a_permit_that_nobody_wants_goes_back() {
    let Some(named) = Named::new() else { return };
    let (limit, party) = (named.create(1), Party::new());
    assert!(limit.try_acquire().unwrap());
    let ticket = acquire(&limit, &party.mailbox);
    limit.release().unwrap();
    until("it is delivered", || limit.info().unwrap().pending == 0);
    limit.cancel(ticket, &party.mailbox);
    let info = limit.info().unwrap();
    assert_eq!((info.free, info.holders, info.unnamed), (1, Some(vec![]), Some(0)));
}

/// Resizes on a thread of its own, step by step as `lib/limit/limit.ts` does.
fn resize(limit: &Limit, permits: u32) {
    let party = Party::new();
    while let Wait::Pending(..) = limit.start_resize(permits, &party.mailbox, Executors::THREAD).unwrap() {
        take(party.collect());
    }
}

#[test]
fn a_limit_grows_at_once_and_shrinks_by_what_is_free() {
    let Some(named) = Named::new() else { return };
    let limit = named.create(2);
    // Each step of a shrinking is a call of the system, and under Wine a slow one.
    let most: u16 = if cfg!(windows) { 200 } else { 32_767 };
    let numbers = || (limit.permits().unwrap().unwrap(), free(&limit));
    for (permits, then) in [(8, (8, 8)), (3, (3, 3)), (0, (0, 0)), (most, (most, most)), (1, (1, 1))] {
        resize(&limit, permits.into());
        assert_eq!(numbers(), then);
    }
    let error = limit.start_resize(32_768, &Party::new().mailbox, Executors::THREAD).err().unwrap();
    assert_eq!(error.code(), Code::OutOfRange);
}

#[test]
fn a_shrinking_waits_in_the_line_for_what_is_held() {
    let Some(named) = Named::new() else { return };
    let (limit, before, shrink, after) = (named.create(2), Party::new(), Party::new(), Party::new());
    assert!(limit.try_acquire().unwrap() && limit.try_acquire().unwrap());
    let first = acquire(&limit, &before.mailbox);
    let step = pending(limit.start_resize(1, &shrink.mailbox, Executors::THREAD));
    let last = acquire(&limit, &after.mailbox);
    limit.release().unwrap();
    assert_eq!(take(before.collect()), [first]);
    assert_eq!(limit.permits().unwrap(), Some(2));
    limit.release().unwrap();
    assert_eq!(take(shrink.collect()), [step]);
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(1), 0));
    assert!(matches!(limit.start_resize(1, &shrink.mailbox, Executors::THREAD).unwrap(), Wait::Done));
    limit.release().unwrap();
    assert_eq!(take(after.collect()), [last]);
    limit.release().unwrap();
    assert_eq!((free(&limit), limit.held()), (1, 0));
}

#[test]
fn a_shrinking_that_is_given_up_leaves_numbers_that_fit_together() {
    let Some(named) = Named::new() else { return };
    let (limit, party) = (named.create(3), Party::new());
    assert!(limit.try_acquire().unwrap() && limit.try_acquire().unwrap());
    // One is free, and taken away; the next step waits.
    let step = pending(limit.start_resize(0, &party.mailbox, Executors::THREAD));
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(2), 0));
    limit.cancel(step, &party.mailbox);
    limit.release().unwrap();
    // The thread that gives up the step may be without a processor, and give back later what it took.
    until("it took nothing", || (limit.permits().unwrap(), free(&limit)) == (Some(2), 1));
    // The same for a step that was taken, and that no call collects.
    assert!(limit.try_acquire().unwrap());
    let step = pending(limit.start_resize(0, &party.mailbox, Executors::THREAD));
    until_blocked(&limit, 1);
    limit.release().unwrap();
    until("it is delivered", || limit.info().unwrap().pending == 0);
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(1), 0));
    limit.cancel(step, &party.mailbox);
    assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(1), 0));
    limit.release().unwrap();
    assert_eq!(free(&limit), 1);
}

#[test]
fn a_shrinking_that_is_given_up_leaves_the_number_of_another_resize() {
    let engines = [LimitEngine::SystemV, LimitEngine::Ledger];
    for engine in engines.into_iter().filter(|engine| !cfg!(windows) || *engine == LimitEngine::Ledger) {
        let Some(named) = Named::new() else { return };
        let limit =
            Limit::create(&named.id(), LimitCreation { permits: 4, mode: 0o600 }, Some(engine)).unwrap();
        let (party, other) = (Party::new(), Limit::open(&named.id(), Owner::Default, Some(engine)).unwrap());
        for _ in 0..4 {
            assert!(limit.try_acquire().unwrap());
        }
        let step = pending(limit.start_resize(2, &party.mailbox, Executors::THREAD));
        limit.release().unwrap();
        until("the step is delivered", || limit.permits().unwrap() == Some(3));
        assert!(matches!(other.start_resize(4, &party.mailbox, Executors::THREAD).unwrap(), Wait::Done));
        limit.cancel(step, &party.mailbox);
        assert_eq!((limit.permits().unwrap(), free(&limit)), (Some(4), 1), "{engine:?}");
        limit.unlink().unwrap();
    }
}

#[test]
fn of_two_that_resize_each_ends_at_its_own_number() {
    let Some(named) = Named::new() else { return };
    let rounds = if cfg!(windows) { 2 } else { 20 };
    for _ in 0..rounds {
        let limit = named.create(32);
        let held: Vec<_> = (0..32).map(|_| named.open()).collect();
        for holder in &held {
            assert!(holder.try_acquire().unwrap());
        }
        thread::scope(|scope| {
            scope.spawn(|| resize(&named.open(), 5));
            scope.spawn(|| resize(&named.open(), 9));
            scope.spawn(|| drop(held));
        });
        let ended = limit.permits().unwrap().unwrap();
        assert!(ended == 5 || ended == 9, "{ended}");
        let info = limit.info().unwrap();
        assert_eq!((info.free, info.holders, info.unnamed), (ended, Some(vec![]), Some(0)));
        limit.unlink().unwrap();
    }
}

#[test]
fn unlink_fails_every_wait() {
    let Some(named) = Named::new() else { return };
    let (limit, party) = (named.create(1), Party::new());
    assert!(limit.try_acquire().unwrap());
    let _ =
        (acquire(&limit, &party.mailbox), pending(limit.start_resize(0, &party.mailbox, Executors::THREAD)));
    until_blocked(&limit, 1);
    limit.unlink().unwrap();
    for (_, delivery) in party.collect_all(2) {
        match delivery {
            Delivery::Failed(error) => assert_eq!(error.errno(), Some(OsCode::EIDRM)),
            Delivery::Granted(_) => panic!("a permit out of nothing"),
        }
    }
    limit.release().unwrap();
    assert_eq!(limit.held(), 0);
}
