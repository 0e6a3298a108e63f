//! Where the words of a channel lie, in bytes: docs/interop.md has all of them.

pub(super) const HEADER: usize = 8192;
pub(super) const INSTANCE: usize = 24;
pub(super) const END: usize = 64;
pub(super) const SEND_LOCK: usize = 68;
pub(super) const BEGIN: usize = 128;
pub(super) const RECEIVE_LOCK: usize = 132;

pub(super) const SLOTS: u32 = 255;
pub(super) const FIRST_SLOT: usize = 4096;
/// The size of a slot.
pub(super) const SLOT: usize = 16;
/// The fields of a slot.
pub(super) const IDENTITY: usize = 0;
pub(super) const GENERATION: usize = 8;
pub(super) const ROLE: usize = 12;
