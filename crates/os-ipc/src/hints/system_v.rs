//! What is known of a System V object that a call failed at: its row in `/proc/sysvipc`, which everybody may read.

use crate::error::OsCode;

use super::usual::{SEGMENTS_REFUSED, SETS_REFUSED};
use super::{SEGMENT, SET, Thing, may_not};
use crate::error::Error;
use crate::sys::system_v::probe;

/// How an object is found in its table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Key(i32),
    Id(i32),
}

/// A row of `/proc/sysvipc/sem` or `shm`.
struct Row {
    uid: u32,
    creator_uid: u32,
    mode: u32,
}

/// Explains an error of semget, semop or semctl. `elsewhere` is what else has the name, if anything does.
pub(crate) fn set(error: Error, by: By, elsewhere: impl FnOnce() -> Option<&'static str>) -> Error {
    explain(error, &SET, by, elsewhere)
}

/// Explains an error of shmget, shmat or shmctl.
pub(crate) fn segment(error: Error, by: By) -> Error {
    explain(error, &SEGMENT, by, || None)
}

/// Explains an error of a call about sets that is refused whatever it is about.
pub(crate) fn refused_set(error: Error) -> Error {
    error.with_hint(SETS_REFUSED)
}

/// Explains an error of a call about segments that is refused whatever it is about.
pub(crate) fn refused_segment(error: Error) -> Error {
    error.with_hint(SEGMENTS_REFUSED)
}

fn explain(error: Error, thing: &Thing, by: By, elsewhere: impl FnOnce() -> Option<&'static str>) -> Error {
    let (Some(call), Some(errno)) = (error.syscall(), error.errno()) else { return error };
    if error.is_explained() {
        return error;
    }
    match errno {
        OsCode::EPERM | OsCode::EACCES | OsCode::ENOSYS => refused(error, thing, by, call, errno),
        OsCode::EEXIST => match Row::of(thing, by) {
            Some(row) => error
                .with_hint(format!(
                    "there is one, of {} with mode {:03o}: `open` or `openOrCreate` it",
                    super::user(row.uid),
                    row.mode
                ))
                .with_owner(row.uid, Some(row.mode)),
            None => error,
        },
        OsCode::ENOENT => match elsewhere() {
            Some(hint) => error.with_hint(hint),
            None => error,
        },
        _ => error,
    }
}

/// Nothing but the mode is `EACCES`, nothing but the owner is `EPERM`: where neither can be it, somebody else refuses.
fn refused(error: Error, thing: &Thing, by: By, call: &str, errno: OsCode) -> Error {
    let everybody = if thing.table == SET.table { SETS_REFUSED } else { SEGMENTS_REFUSED };
    let row = Row::of(thing, by).filter(|_| errno != OsCode::ENOSYS && probe::refusal(call).is_none());
    let Some(row) = row else { return error.with_hint(everybody) };
    let own = nix::unistd::geteuid().as_raw();
    if errno == OsCode::EPERM && (own == 0 || own == row.uid || own == row.creator_uid) {
        return error.with_hint(everybody);
    }
    let hint = may_not(errno, row.uid, row.mode, own);
    error.with_hint(hint).with_owner(row.uid, Some(row.mode))
}

impl Row {
    fn of(thing: &Thing, by: By) -> Option<Self> {
        let table = std::fs::read_to_string(thing.table).ok()?;
        let mut lines = table.lines();
        let titles: Vec<&str> = lines.next()?.split_whitespace().collect();
        lines.find_map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let cell = |title: &str| cells.get(titles.iter().position(|one| *one == title)?).copied();
            let number = |title: &str| cell(title)?.parse::<i32>().ok();
            let is_it = match by {
                By::Key(key) => number("key") == Some(key),
                By::Id(id) => number(thing.id) == Some(id),
            };
            if !is_it {
                return None;
            }
            let uid = |title: &str| cell(title)?.parse::<u32>().ok();
            let mode = u32::from_str_radix(cell("perms")?, 8).ok()? & 0o777;
            Some(Self { uid: uid("uid")?, creator_uid: uid("cuid")?, mode })
        })
    }
}
