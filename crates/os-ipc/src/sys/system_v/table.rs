//! The list of System V objects: the tables in `/proc/sysvipc`, which every process may read. XNU has none.

use std::fs;

use crate::sys::OsCode;
use crate::sys::access::Access;

/// A kind of object, and its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The path, for messages.
    pub(crate) path: &'static str,
    /// The title of the column with the ids.
    id: &'static str,
}

/// Semaphore sets.
pub(crate) const SETS: Table = Table { path: "/proc/sysvipc/sem", id: "semid" };
/// Memory segments.
pub(crate) const SEGMENTS: Table = Table { path: "/proc/sysvipc/shm", id: "shmid" };

/// The way to find an object in its table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Key(i32),
    Id(i32),
}

impl Table {
    /// The ids of all objects, even of those that we may not use.
    ///
    /// `ENOENT` means that there is no table: the kernel has no System V IPC, or `/proc` is not mounted.
    pub(crate) fn ids(&self) -> Result<Vec<i32>, OsCode> {
        let table = fs::read_to_string(self.path)?;
        // The ids are in the second column of both tables.
        Ok(table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).collect())
    }

    /// The owner and mode of an object.
    pub(crate) fn access(&self, by: By) -> Option<Access> {
        let table = fs::read_to_string(self.path).ok()?;
        let mut lines = table.lines();
        let titles: Vec<&str> = lines.next()?.split_whitespace().collect();
        lines.find_map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let cell = |title: &str| cells.get(titles.iter().position(|one| *one == title)?).copied();
            let number = |title: &str| cell(title)?.parse::<i32>().ok();
            let is_it = match by {
                By::Key(key) => number("key") == Some(key),
                By::Id(id) => number(self.id) == Some(id),
            };
            if !is_it {
                return None;
            }
            let user = |title: &str| cell(title)?.parse::<u32>().ok();
            let mode = u32::from_str_radix(cell("perms")?, 8).ok()? & 0o777;
            Some(Access { uid: user("uid")?, creator_uid: user("cuid")?, gid: user("gid")?, mode })
        })
    }
}
