//! The identity of a file or mapping, independent of its name.

#[cfg(unix)]
use std::fs::Metadata;
#[cfg(unix)]
use std::os::unix::fs::MetadataExt;

/// One file: another file has another inode, even under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    pub(in crate::sys) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The identity of a mapping, which all processes know by this number.
    #[cfg(windows)]
    pub(in crate::sys) fn of_number(number: u64) -> Self {
        Self { device: 0, inode: number }
    }

    /// The number of the file in its file system, the same for all processes.
    pub(crate) fn number(self) -> u64 {
        self.inode
    }
}
