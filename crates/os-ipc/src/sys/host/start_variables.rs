//! The environment variables at the start of this process.

use std::fs;

/// `/proc/self/environ`: the value of a variable at the start of the process, even if the program has set it since;
/// `None` if it was not set, or is not known.
pub(crate) fn value_at_start(name: &str) -> Option<String> {
    let variables = fs::read("/proc/self/environ").ok()?;
    value_in(&variables, name)
}

fn value_in(variables: &[u8], name: &str) -> Option<String> {
    let value = variables
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let variables = b"SIZE_OF=1\0SIZE=2=3\0EMPTY=\0\xff=4";
        assert_eq!(value_in(variables, "SIZE").as_deref(), Some("2=3"));
        assert_eq!(value_in(variables, "EMPTY").as_deref(), Some(""));
        assert_eq!(value_in(variables, "SIZ"), None);
    }
}
