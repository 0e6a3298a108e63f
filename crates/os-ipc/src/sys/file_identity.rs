//! The identity of a file, independent of its name.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// One file: another file has another inode, even under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    pub(in crate::sys) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The number of the file in its file system, the same for all processes.
    pub(crate) fn number(self) -> u64 {
        self.inode
    }
}
