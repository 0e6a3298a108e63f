//! The list of System V objects: the tables in `/proc/sysvipc`, which every process may read. XNU has none.
//!
//! Without `/proc`, or with its option `subset=pid`, Linux is asked for one object after the other.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::ErrorKind;

#[cfg(target_os = "linux")]
use super::{memory, semaphore};
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
    /// The ids of all objects, even of those that we may not use. `ENOENT` or `ENOSYS` means that the kernel has no System V IPC.
    pub(crate) fn ids(&self) -> Result<Vec<i32>, OsCode> {
        match fs::read_to_string(self.path) {
            // The ids are in the second column of both tables.
            Ok(table) => Ok(table
                .lines()
                .skip(1)
                .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
                .collect()),
            #[cfg(target_os = "linux")]
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(self.asked()?.into_iter().map(|row| row.id).collect())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The owner and mode of an object.
    pub(crate) fn access(&self, by: By) -> Option<Access> {
        let is_it = |row: &Row| match by {
            By::Key(key) => row.key == key,
            By::Id(id) => row.id == id,
        };
        match fs::read_to_string(self.path) {
            Ok(table) => {
                let mut lines = table.lines();
                let titles: Vec<&str> = lines.next()?.split_whitespace().collect();
                lines.filter_map(|line| self.row(&titles, line)).find(is_it)
            }
            #[cfg(target_os = "linux")]
            Err(error) if error.kind() == ErrorKind::NotFound => self.asked().ok()?.into_iter().find(is_it),
            Err(_) => None,
        }
        .map(|row| row.access)
    }

    fn row(&self, titles: &[&str], line: &str) -> Option<Row> {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let cell = |title: &str| cells.get(titles.iter().position(|one| *one == title)?).copied();
        let number = |title: &str| cell(title)?.parse::<i32>().ok();
        let user = |title: &str| cell(title)?.parse::<u32>().ok();
        let mode = u32::from_str_radix(cell("perms")?, 8).ok()? & 0o777;
        Some(Row {
            key: number("key")?,
            id: number(self.id)?,
            access: Access { uid: user("uid")?, creator_uid: user("cuid")?, gid: user("gid")?, mode },
        })
    }

    #[cfg(target_os = "linux")]
    fn asked(&self) -> Result<Vec<Row>, OsCode> {
        if *self == SETS {
            let sets = semaphore::all()?.into_iter();
            return Ok(sets
                .map(|(id, set)| Row { key: set.key, id: id.raw(), access: set.access })
                .collect());
        }
        let segments = memory::all()?.into_iter();
        let row = |(id, segment): (i32, memory::Status)| Row {
            key: segment.key.unwrap_or(libc::IPC_PRIVATE),
            id,
            access: segment.access,
        };
        Ok(segments.map(row).collect())
    }
}

/// An object in its table.
struct Row {
    key: i32,
    id: i32,
    access: Access,
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{SEGMENTS, SETS};

    #[test]
    fn the_kernel_answers_as_its_table_says() {
        for table in [SETS, SEGMENTS] {
            // Other tests make and remove objects meanwhile.
            let is_same = (0..1000).any(|_| {
                let mut asked: Vec<i32> = table.asked().unwrap().iter().map(|row| row.id).collect();
                let mut listed = table.ids().unwrap();
                asked.sort_unstable();
                listed.sort_unstable();
                asked == listed
            });
            assert!(is_same, "{}", table.path);
        }
    }
}
