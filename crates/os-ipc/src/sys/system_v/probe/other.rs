//! For platforms without filters of system calls: no call is refused.

use crate::error::OsCode;

pub(crate) fn refusal(_call: &str) -> Option<OsCode> {
    None
}
