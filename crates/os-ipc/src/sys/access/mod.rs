//! The owner of an object, and the user of this process.
//!
//! Each platform has `own_uid`. Unix has `Users`: the users that it cannot tell apart; Windows has `Owned`.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub(crate) use imp::*;

/// The owner of an object, and the users who may use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// The user who owns it.
    pub(crate) uid: u32,
    /// The user who created it, and can still remove it.
    pub(crate) creator_uid: u32,
    /// The group that it belongs to.
    pub(crate) gid: u32,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Whether the owner is trusted.
    #[cfg(windows)]
    pub(crate) owned: Owned,
}
