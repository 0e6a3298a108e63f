//! darwin filters no system calls: nothing is refused.

use crate::error::OsCode;

pub(crate) fn refusal(_call: &str) -> Option<OsCode> {
    None
}
