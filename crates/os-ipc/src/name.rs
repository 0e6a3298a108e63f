//! Names of objects: their rules and their spelling.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;
use std::sync::Arc;

use crate::error::{Code, Error, Remedy, Result};
use crate::sys;

/// The most bytes that may follow the slash.
pub const MAX_NAME_BYTES: usize = 250;

/// The most bytes after the slash of a name that another program chose: NAME_MAX of Linux's file systems.
pub(crate) const MAX_FOREIGN_BYTES: usize = 255;

/// A name with its leading slash, checked: 1 to 250 bytes after it, no other slash, no NUL, no `..`.
///
/// A name that exists already may have up to 255 bytes, and `..` in it: other programs are not so strict.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// Ends with a NUL, for C.
    terminated: Arc<str>,
}

impl Name {
    /// The name of a semaphore; a missing leading slash is added.
    pub fn semaphore(text: &str) -> Result<Self> {
        Self::existing_semaphore(text)?.of_ours()
    }

    /// The name of a semaphore that another program may have made.
    pub fn existing_semaphore(text: &str) -> Result<Self> {
        Self::checked(&with_slash(text))?.at_most(sys::SEMAPHORE_NAME_MAX)
    }

    /// The name of a memory object; a missing leading slash is added.
    pub fn memory(text: &str) -> Result<Self> {
        Self::existing_memory(text)?.of_ours()
    }

    /// The name of a memory object that another program may have made.
    pub fn existing_memory(text: &str) -> Result<Self> {
        let text = with_slash(text);
        if matches!(&*text, "/." | "/..") {
            return Err(Error::invalid(format!("'{text}' is a directory, not a name")));
        }
        Self::checked(&text)?.at_most(sys::MEMORY_NAME_MAX)
    }

    /// Checks the rules for all names.
    fn checked(text: &str) -> Result<Self> {
        let rest = &text[1..];
        if rest.is_empty() {
            return Err(Error::invalid("the name is empty"));
        }
        if rest.contains('/') {
            return Err(Error::invalid(format!("a name has no slash but the first: '{text}'")));
        }
        if rest.contains('\0') {
            return Err(Error::invalid("a name has no NUL byte"));
        }
        if sys::BACKSLASH_SEPARATES && rest.contains('\\') {
            return Err(Error::invalid(format!("a name has no backslash on this platform: '{text}'")));
        }
        at_most_after_slash(rest, MAX_FOREIGN_BYTES)?;
        let units = rest.encode_utf16().count();
        if let Some(most) = sys::NAME_UNITS_MAX.filter(|&most| units > most && rest.len() <= MAX_NAME_BYTES) {
            return Err(Error::new(
                Code::NotSupported,
                format!("this platform's names have at most {most} UTF-16 units, this one has {units}"),
            ));
        }
        Ok(Self { terminated: [text, "\0"].concat().into() })
    }

    /// Checks the rules for names that we create.
    fn of_ours(self) -> Result<Self> {
        let rest = &self.as_str()[1..];
        if rest.as_bytes().windows(2).any(|pair| pair == b"..") {
            return Err(Error::invalid(format!("a name has no '..': '{self}'"))
                .with_hint("only an object that another program created may have such a name")
                .with_remedy(Remedy::OpenExisting));
        }
        at_most_after_slash(rest, MAX_NAME_BYTES)?;
        Ok(self)
    }

    fn at_most(self, limit: Option<usize>) -> Result<Self> {
        let length = self.as_str().len();
        match limit {
            Some(limit) if length > limit => Err(Error::invalid(format!(
                "this platform's names have at most {limit} bytes with the slash, this one has {length}: '{self}'"
            ))),
            _ => Ok(self),
        }
    }

    /// The name with its slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.terminated[..self.terminated.len() - 1]
    }

    /// The name as a C string.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_with_nul(self.terminated.as_bytes()).unwrap_or_default()
    }
}

fn with_slash(text: &str) -> Cow<'_, str> {
    if text.starts_with('/') { text.into() } else { format!("/{text}").into() }
}

fn at_most_after_slash(rest: &str, limit: usize) -> Result<()> {
    if rest.len() <= limit {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a name has at most {limit} bytes after its slash, this one has {}",
        rest.len()
    )))
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(out)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(not(any(target_vendor = "apple", windows)))]
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        Name::semaphore(text).unwrap_err().to_string()
    }

    #[test]
    fn a_missing_slash_is_added() {
        assert_eq!(Name::semaphore("jobs").unwrap().as_str(), "/jobs");
        assert_eq!(Name::semaphore("/jobs").unwrap().as_str(), "/jobs");
        assert_eq!(Name::semaphore("日本").unwrap().as_str(), "/日本");
        assert_eq!(Name::memory("frames").unwrap().as_str(), "/frames");
        assert_eq!(Name::memory("/frames").unwrap().as_str(), "/frames");
    }

    #[test]
    fn memory_cannot_have_the_name_of_a_directory() {
        for name in ["/.", ".", "/..", ".."] {
            assert!(Name::memory(name).is_err(), "{name}");
            assert!(Name::existing_memory(name).is_err(), "{name}");
        }
    }

    #[test]
    fn impossible_names_are_refused() {
        assert_eq!(refusal(""), "the name is empty");
        assert_eq!(refusal("/"), "the name is empty");
        assert_eq!(refusal("a/b"), "a name has no slash but the first: '/a/b'");
        assert_eq!(refusal("//a"), "a name has no slash but the first: '//a'");
        assert_eq!(refusal(".."), "a name has no '..': '/..'");
        assert_eq!(refusal("a\0b"), "a name has no NUL byte");
    }

    #[test]
    #[cfg(windows)]
    fn a_name_has_no_backslash_and_at_most_200_utf_16_units() {
        assert_eq!(refusal("a\\b"), "a name has no backslash on this platform: '/a\\b'");
        assert!(Name::semaphore(&"é".repeat(100)).is_ok());
        assert!(Name::semaphore(&"a".repeat(200)).is_ok());
        assert_eq!(Name::semaphore(&"a".repeat(201)).unwrap_err().code(), Code::NotSupported);
    }

    #[test]
    #[cfg(not(any(target_vendor = "apple", windows)))]
    fn the_limit_counts_bytes_after_the_slash() {
        assert!(Name::semaphore(&"a".repeat(250)).is_ok());
        assert!(Name::semaphore(&"a".repeat(251)).is_err());
        assert!(Name::semaphore(&"é".repeat(125)).is_ok());
        assert!(Name::semaphore(&"é".repeat(126)).is_err());
    }

    #[test]
    #[cfg(not(any(target_vendor = "apple", windows)))]
    fn an_existing_name_may_be_longer_and_have_dots() {
        for name in ["/..", "/a..b", "/.", "/...", &format!("/{}", "a".repeat(255))] {
            assert!(Name::existing_semaphore(name).is_ok(), "{name}");
            assert_eq!(Name::existing_memory(name).is_ok(), !matches!(name, "/." | "/.."), "{name}");
        }
        assert_eq!(Name::existing_memory("a..b").unwrap().as_str(), "/a..b");
        for name in ["", "/", "/a/b", "//a", "/a\0b", &format!("/{}", "a".repeat(256))] {
            assert!(
                Name::existing_semaphore(name).is_err() && Name::existing_memory(name).is_err(),
                "{name}"
            );
        }
    }

    /// The rules of a semaphore's name, written a second time.
    #[cfg(not(any(target_vendor = "apple", windows)))]
    fn allowed(text: &str) -> bool {
        let rest = text.strip_prefix('/').unwrap_or(text).as_bytes();
        (1..=250).contains(&rest.len())
            && !rest.contains(&b'/')
            && !rest.contains(&0)
            && !rest.windows(2).any(|pair| pair == b"..")
    }

    #[cfg(not(any(target_vendor = "apple", windows)))]
    proptest! {
        #[test]
        #[cfg_attr(miri, ignore = "the fuzzer's own regular expressions take Miri many minutes")]
        fn any_text_is_a_name_or_refused_and_never_changed(text in "[/.\\PC\0]{0,6}|\\PC{0,300}") {
            match Name::semaphore(&text) {
                Ok(name) => {
                    prop_assert!(allowed(&text));
                    prop_assert_eq!(name.as_str().strip_prefix('/'), Some(text.strip_prefix('/').unwrap_or(&text)));
                }
                Err(_) => prop_assert!(!allowed(&text)),
            }
            let memory = Name::memory(&text);
            prop_assert_eq!(memory.is_ok(), allowed(&text) && !matches!(&*text, "/." | "."));
            if let Ok(memory) = memory {
                prop_assert_eq!(memory, Name::semaphore(&text).unwrap());
            }
        }
    }
}
