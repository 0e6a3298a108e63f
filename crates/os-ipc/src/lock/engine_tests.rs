//! The checks that every engine has to pass, for the tests of each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::waiting::{Counter, Locking, Request, Token};

/// A shared holder excludes an exclusive request, and the other way round; `one` and `two` are two users of a lock.
pub(super) fn check_exclusion(one: &impl Counter, two: &impl Counter) {
    let first = one.try_take(Request::Shared).unwrap().unwrap();
    let second = two.try_take(Request::Shared).unwrap().unwrap();
    assert_eq!(one.try_take(Request::Exclusive).unwrap(), None);
    one.give_back(Request::Shared, first).unwrap();
    assert_eq!(one.try_take(Request::Exclusive).unwrap(), None);
    two.give_back(Request::Shared, second).unwrap();
    let alone = one.try_take(Request::Exclusive).unwrap().unwrap();
    assert_eq!(two.try_take(Request::Shared).unwrap(), None);
    assert_eq!(two.try_take(Request::Exclusive).unwrap(), None);
    one.give_back(Request::Exclusive, alone).unwrap();
    assert!(two.try_take(Request::Shared).unwrap().is_some());
}

/// A free lock is had, even while others remove what is left of it; `visit` is one such user, who came and goes.
pub(super) fn check_removals(user: impl Fn() -> Box<dyn Locking>, visit: impl Fn() + Sync) {
    const ROUNDS: usize = 2_000;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    visit();
                }
            });
        }
        let refused = (0..ROUNDS).find(|_| {
            let lock = user();
            let taken = try_at_once(&*lock);
            if let Ok(Some(token)) = taken {
                lock.give_back(Request::Exclusive, token).unwrap();
            }
            end(&*lock);
            taken.is_err()
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(refused, None, "the round in which the free lock was refused");
    });
}

/// Tries to take a lock that is free. An error if it is refused at once: after 100 ms it may be, since the thread that removes
/// something of it can be without a processor for so long.
pub(super) fn try_at_once(lock: &dyn Counter) -> Result<Option<Token>, &'static str> {
    let began = Instant::now();
    let taken = lock.try_take(Request::Exclusive).unwrap();
    if taken.is_none() && began.elapsed() < Duration::from_millis(90) {
        return Err("a free lock was refused at once");
    }
    Ok(taken)
}

/// The user of a lock leaves it.
pub(super) fn end(lock: &dyn Locking) {
    lock.part();
    assert!(lock.close_unused(false));
}
