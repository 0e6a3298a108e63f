//! The words of a ledger in its file.

use super::Place;
use crate::sync::{AtomicU32, AtomicU64};
use crate::sys::ledger_file::LedgerFile;

#[cfg(not(loom))]
impl Place for LedgerFile {
    fn word(&self, at: usize) -> &AtomicU32 {
        self.mapping().word(at)
    }

    fn long(&self, at: usize) -> &AtomicU64 {
        self.mapping().long(at)
    }
}

/// The model checker has words of its own, and no files.
#[cfg(loom)]
impl Place for LedgerFile {
    fn word(&self, _: usize) -> &AtomicU32 {
        unreachable!("the model checker opens no file")
    }

    fn long(&self, _: usize) -> &AtomicU64 {
        unreachable!("the model checker opens no file")
    }
}
