//! The checks that every engine has to pass, for the tests of each.

use crate::waiting::{Counter, Request};

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
