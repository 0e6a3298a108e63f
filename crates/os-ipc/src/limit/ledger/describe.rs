//! What ledgers say.

use std::path::Path;

use crate::error::{Error, Result};
use crate::ledger::{Entry, Kind, Layout, Ledger};
use crate::limit::LimitEngine;
use crate::limit::info::{Holding, LimitInfo};
use crate::sys::death::{self, ProcessId};
use crate::sys::failure::{Failure, readable};
use crate::sys::ledger_file::{self as sys, LedgerFile, Status, own_origin};

use super::counter::LedgerCounter;
use super::opening::failed;

/// Every ledger that we may read. One that is gone by now is not on the list.
pub(super) fn list() -> Result<Vec<LimitInfo>> {
    Ok(of_kind(Kind::Limit)?.into_iter().map(|(info, _)| info).collect())
}

/// The ledgers of semaphores, as a list of limits has them, and their values.
#[cfg(windows)]
pub(crate) fn semaphores() -> Result<Vec<(LimitInfo, u32)>> {
    of_kind(Kind::Semaphore)
}

fn of_kind(kind: Kind) -> Result<Vec<(LimitInfo, u32)>> {
    // A host without a folder for ledgers has none.
    let Ok(folder) = sys::folder() else { return Ok(Vec::new()) };
    let failed = |Failure(call, errno)| {
        Error::system(
            format!("cannot list the {}s", kind.noun()),
            call,
            format_args!("'{}'", folder.display()),
            errno,
        )
    };
    let mut all = Vec::new();
    for name in sys::names(folder).map_err(failed)? {
        all.extend(of_file(folder, &name, kind).map_err(failed)?);
    }
    Ok(all)
}

/// `None` if it is no ledger of this kind, or if this user may not read it. Fails if this process cannot find that out.
fn of_file(folder: &Path, name: &str, kind: Kind) -> std::result::Result<Option<(LimitInfo, u32)>, Failure> {
    let opened = readable(LedgerFile::open(folder, name, false, |_| Ok(())))?;
    let Some((file, status)) = opened else { return Ok(None) };
    let Ok(layout) = Layout::check(&file, file.mapping().length(), kind) else { return Ok(None) };
    let Some(name) = Layout::name(&file) else { return Ok(None) };
    let origin = own_origin()?;
    let is_ours = Layout::origin(&file) == (origin.boot, origin.space);
    let ledger = Ledger::new(file, layout);
    Ok((!ledger.is_retired()).then(|| describe(&ledger, name, &status, is_ours)))
}

/// What an open ledger says.
pub(super) fn of_open(counter: &LedgerCounter) -> Result<LimitInfo> {
    Ok(with_value(counter)?.0)
}

/// What an open ledger says, and its value.
pub(crate) fn with_value(counter: &LedgerCounter) -> Result<(LimitInfo, u32)> {
    let status =
        counter.ledger().place().status().map_err(|failure| failed("read", counter.name_of(), failure))?;
    Ok(describe(counter.ledger(), counter.name().to_owned(), &status, true))
}

/// `knows` is whether this process can tell the dead from the living.
fn describe(ledger: &Ledger<LedgerFile>, name: String, status: &Status, knows: bool) -> (LimitInfo, u32) {
    let (total, entries) = settled(ledger);
    // What a dead process held is free: whoever needs it next takes it from there.
    let living: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.held > 0 || entry.ticket != 0)
        .filter(|entry| !knows || !death::is_dead(ProcessId(entry.id)))
        .collect();
    let held: u32 = living.iter().map(|entry| entry.held).sum();
    let stopped = living.iter().map(|entry| entry.id).chain([ledger.guard_holder()]);
    let mut stopped: Vec<_> = stopped
        .filter(|id| knows && *id != 0 && death::is_stopped(ProcessId(*id)))
        .map(|id| ProcessId(id).pid())
        .collect();
    stopped.sort_unstable();
    stopped.dedup();
    let value = total.saturating_sub(held);
    let info = LimitInfo {
        engine: LimitEngine::Ledger,
        name: Some(name),
        key: None,
        id: None,
        permits: Some(narrow(total)),
        free: narrow(value),
        holders: Some(if knows { holders(&living) } else { Vec::new() }),
        unnamed: Some(if knows { 0 } else { held }),
        stopped: Some(stopped),
        waiters: u32::try_from(living.iter().filter(|entry| entry.ticket != 0).count()).unwrap_or(u32::MAX),
        pending: 0,
        last_pid: None,
        uid: status.access.uid,
        gid: status.access.gid,
        mode: status.access.mode,
        operated_at: ledger.taken().map(i64::from),
        changed_at: status.changed,
        verified: true,
    };
    (info, value)
}

/// The number of permits and who has them: looked at until two looks agree.
fn settled(ledger: &Ledger<LedgerFile>) -> (u32, Vec<Entry>) {
    /// In a busy limit the slots change faster than they can be read.
    const LOOKS: usize = 10;
    let look = || (ledger.total(), ledger.entries().collect::<Vec<_>>());
    let mut seen = look();
    for _ in 0..LOOKS {
        let again = look();
        if again == seen {
            break;
        }
        seen = again;
    }
    seen
}

/// A process that has several slots is named once.
fn holders(entries: &[Entry]) -> Vec<Holding> {
    let mut holders: Vec<Holding> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.held > 0) {
        let pid = ProcessId(entry.id).pid();
        match holders.iter_mut().find(|holding| holding.pid == pid) {
            Some(holding) => holding.permits += entry.held,
            None => holders.push(Holding { pid, permits: entry.held }),
        }
    }
    holders.sort_by_key(|holding| holding.pid);
    holders
}

/// A number of permits: at most [`PERMITS_MAX`](crate::limit::PERMITS_MAX), but where another program wrote.
pub(super) fn narrow(permits: u32) -> u16 {
    u16::try_from(permits).unwrap_or(u16::MAX)
}
