//! For platforms where no peer can truncate a memory object (XNU sizes one only once): no page goes missing.

#![allow(clippy::unused_self, reason = "the same face as the real one")]

pub(crate) struct Guard(());

pub(crate) fn renew() {}

pub(crate) fn renew_soon() {}

impl Guard {
    pub(crate) fn over(_start: usize, _length: usize) -> Self {
        Self(())
    }

    pub(crate) fn torn(&self) -> bool {
        false
    }

    pub(crate) fn mend(&self) {}
}
