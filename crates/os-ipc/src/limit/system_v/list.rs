//! What the sets of limits say.

use super::holder::{self, pid_of};
use crate::error::{OsCode, Result};
use crate::limit::LimitEngine;
use crate::limit::info::{Holding, LimitInfo};
use crate::record::{self, COUNTER, LIMIT_SIZE, PERMITS_AT, Record};
use crate::semaphore::system_v_sets;
use crate::sys::system_v::semaphore::{self as sys, SetId, Values};

/// Every limit that we may read. One that is gone by now is not on the list.
pub(super) fn list() -> Result<Vec<LimitInfo>> {
    Ok(system_v_sets()?
        .into_iter()
        .filter(|set| is_limit(*set))
        .filter_map(|set| describe(set, true).ok())
        .collect())
}

fn is_limit(set: SetId) -> bool {
    let of_size = |set| sys::status(set).is_ok_and(|status| status.size == LIMIT_SIZE);
    of_size(set)
        && sys::values(set, LIMIT_SIZE).is_ok_and(|values| matches!(record::read(&values), Record::Limit(_)))
}

/// What a set says; `recorded` is whether it has a record and words for holders.
pub(super) fn describe(set: SetId, recorded: bool) -> std::result::Result<LimitInfo, OsCode> {
    let status = sys::status(set)?;
    let (values, holders) =
        if recorded { with_holders(set)? } else { (sys::values(set, status.size)?, Vec::new()) };
    let name = match record::read(&values) {
        Record::Limit(name) => Some(name).filter(|name| !name.is_empty()),
        _ => None,
    };
    let at = |index: u16| values.get(usize::from(index)).copied().unwrap_or_default();
    let (free, permits) = (at(COUNTER), at(PERMITS_AT));
    let named: u32 = holders.iter().map(|holding| holding.permits).sum();
    let held = u32::from(permits.saturating_sub(free));
    Ok(LimitInfo {
        engine: LimitEngine::SystemV,
        name,
        key: Some(status.key),
        id: Some(set.raw()),
        permits: recorded.then_some(permits),
        free,
        holders: recorded.then_some(holders),
        unnamed: recorded.then(|| held.saturating_sub(named)),
        stopped: None,
        waiters: u32::from(sys::waiters(set)?),
        pending: 0,
        last_pid: Some(sys::last_pid(set)?).filter(|pid| *pid != 0),
        uid: status.access.uid,
        gid: status.access.gid,
        mode: status.access.mode,
        operated_at: Some(status.operated).filter(|time| *time != 0),
        changed_at: status.changed,
        verified: recorded,
    })
}

/// The values of a set, and whose the words are: looked at until both fit together.
fn with_holders(set: SetId) -> std::result::Result<(Values, Vec<Holding>), OsCode> {
    /// In a busy limit the words change faster than they can be read.
    const LOOKS: usize = 10;
    let mut values = sys::values(set, LIMIT_SIZE)?;
    for look in 1.. {
        let holders = holders(set, &values);
        let again = sys::values(set, LIMIT_SIZE)?;
        if *again == *values || look == LOOKS {
            return Ok((values, holders));
        }
        values = again;
    }
    unreachable!("the loop has no end")
}

/// A process that has several words is named once.
fn holders(set: SetId, values: &Values) -> Vec<Holding> {
    let mut holders: Vec<Holding> = Vec::new();
    for word in holder::words() {
        let permits = u32::from(holder::permits(values[usize::from(word)]));
        if permits == 0 {
            continue;
        }
        let Some(pid) = pid_of(set, word) else { continue };
        match holders.iter_mut().find(|holding| holding.pid == pid) {
            Some(holding) => holding.permits += permits,
            None => holders.push(Holding { pid, permits }),
        }
    }
    holders.sort_by_key(|holding| holding.pid);
    holders
}
