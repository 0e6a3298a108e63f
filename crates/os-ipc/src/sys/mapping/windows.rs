//! Windows has no memory objects of this library yet: no range is ever mapped.

use std::cell::Cell;
use std::convert::Infallible;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::error::OsCode;

/// Never created here.
pub(crate) struct Mapping(Infallible);

impl Mapping {
    pub(crate) fn start(&self) -> NonNull<u8> {
        match self.0 {}
    }

    pub(crate) fn length(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn load(&self, _position: usize, _target: &[Cell<u8>]) {
        match self.0 {}
    }

    pub(crate) fn byte(&self, _position: usize) -> u8 {
        match self.0 {}
    }

    pub(crate) fn store(&self, _position: usize, _source: &[u8]) {
        match self.0 {}
    }

    pub(crate) fn store_cells(&self, _position: usize, _source: &[Cell<u8>]) {
        match self.0 {}
    }

    pub(crate) fn word(&self, _position: usize) -> &AtomicU32 {
        match self.0 {}
    }

    pub(crate) fn long(&self, _position: usize) -> &AtomicU64 {
        match self.0 {}
    }

    pub(crate) fn clear(&self) {
        match self.0 {}
    }

    pub(crate) fn can_be_cut(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn expect_cut(&self) {
        match self.0 {}
    }

    pub(crate) fn torn(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn vacate(&self) -> Result<(), OsCode> {
        match self.0 {}
    }
}
