//! Windows has no ledgers of this library yet.

use std::convert::Infallible;
use std::marker::PhantomData;

use crate::sys::OsCode;

/// Never created here.
pub(crate) struct Guard(Infallible);

/// Never created here.
pub(crate) struct Held<'a>(Infallible, PhantomData<&'a ()>);

impl Guard {
    pub(crate) fn try_hold(&self) -> Result<Option<Held<'_>>, OsCode> {
        match self.0 {}
    }
}
