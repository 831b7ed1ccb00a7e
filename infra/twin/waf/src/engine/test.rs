//! What a rule asks of a request: a statement, compiled.

use std::{cmp::Ordering, hash::Hasher, sync::Arc};

use memchr::memmem;
use regex::bytes::Regex;

use super::{
    address::{Found, Origin, SharedRanges, bits},
    component::{arguments, cookies},
    rate::RateTable,
    request::Context,
    transform::Transform,
};

/// A compiled statement. A `usize` is the index of a source.
#[derive(Debug)]
pub(crate) enum Test {
    Bytes(usize, Position, Box<memmem::Finder<'static>>),
    /// The length compared with the number is one of these.
    Size(usize, &'static [Ordering], u64),
    Regex(usize, Regex),
    Patterns(usize, Arc<SharedPatterns>),
    Sqli(usize),
    Xss(usize),
    Address(Origin, Arc<SharedRanges>),
    /// A label of this name.
    Label(LabelPattern),
    Rate(Box<Rate>),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    /// Nothing matches: a list that is empty here.
    Never,
}

/// `PositionalConstraint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Exactly,
    StartsWith,
    EndsWith,
    Contains,
    ContainsWord,
}

/// A set of patterns that rules refer to; it changes under them.
pub(crate) type SharedPatterns = arc_swap::ArcSwap<Vec<Regex>>;

/// What a label must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelPattern {
    /// The namespace of the rule's own labels, when the key has no `awswaf:` in front.
    pub(crate) own: Option<String>,
    pub(crate) key: String,
    /// Whether the key is a namespace, with a colon at its end.
    pub(crate) namespace: bool,
}

/// A rate-based statement.
#[derive(Debug)]
pub(crate) struct Rate {
    pub(crate) keys: RateKeys,
    pub(crate) scope: Option<Test>,
    pub(crate) table: Arc<RateTable>,
}

/// What requests are counted by.
#[derive(Debug)]
pub(crate) enum RateKeys {
    Address(Origin),
    /// All together.
    Constant,
    Custom(Vec<RateKey>),
}

/// One of the parts of a custom key.
#[derive(Debug)]
pub(crate) enum RateKey {
    Address(Origin),
    Header(http::HeaderName, Vec<Transform>),
    Cookie(String, Vec<Transform>),
    Argument(String, Vec<Transform>),
    Query(Vec<Transform>),
    Path(Vec<Transform>),
    Method,
    LabelNamespace(String),
}

impl Test {
    pub(crate) fn matches(&self, context: &Context<'_>) -> bool {
        match self {
            Self::Bytes(source, position, needle) => context.read(*source).any(|value| position.holds(needle, value)),
            Self::Size(source, wanted, size) => {
                context.read(*source).any(|value| wanted.contains(&(value.len() as u64).cmp(size)))
            }
            Self::Regex(source, regex) => context.read(*source).any(|value| regex.is_match(value)),
            Self::Patterns(source, patterns) => {
                let patterns = patterns.load();
                context.read(*source).any(|value| patterns.iter().any(|regex| regex.is_match(value)))
            }
            Self::Sqli(source) => context.read(*source).any(is_sqli),
            Self::Xss(source) => context.read(*source).any(is_xss),
            Self::Address(origin, ranges) => match origin.find(context.seen) {
                Found::Nothing => false,
                Found::Invalid => origin.invalid_matches(),
                Found::Addresses(addresses) => {
                    let ranges = ranges.load();
                    addresses.iter().any(|address| ranges.contains(*address))
                }
            },
            Self::Label(pattern) => context.labels.iter().any(|label| pattern.holds(label)),
            Self::Rate(rate) => rate.matches(context),
            Self::And(tests) => tests.iter().all(|test| test.matches(context)),
            Self::Or(tests) => tests.iter().any(|test| test.matches(context)),
            Self::Not(test) => !test.matches(context),
            Self::Never => false,
        }
    }

    /// The rate table in it; a rate-based statement is never nested.
    pub(crate) fn rate(&self) -> Option<&Rate> {
        match self {
            Self::Rate(rate) => Some(rate),
            _ => None,
        }
    }
}

impl Position {
    fn holds(self, needle: &memmem::Finder<'_>, value: &[u8]) -> bool {
        match self {
            Self::Exactly => value == needle.needle(),
            Self::StartsWith => value.starts_with(needle.needle()),
            Self::EndsWith => value.ends_with(needle.needle()),
            Self::Contains => needle.find(value).is_some(),
            Self::ContainsWord => needle.find_iter(value).any(|start| {
                let is_word =
                    |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
                let before = start.checked_sub(1).and_then(|at| value.get(at));
                !is_word(before) && !is_word(value.get(start + needle.needle().len()))
            }),
        }
    }
}

impl LabelPattern {
    fn holds(&self, label: &str) -> bool {
        let Some(own) = &self.own else {
            return if self.namespace { label.starts_with(&self.key) } else { label == self.key };
        };
        // The key has the end of the label's namespaces, from any of them on.
        let Some(rest) = label.strip_prefix(own.as_str()) else { return false };
        let mut starts = std::iter::once(rest).chain(rest.match_indices(':').map(|(at, _)| &rest[at + 1..]));
        starts.any(|rest| if self.namespace { rest.starts_with(&self.key) } else { rest == self.key })
    }
}

impl Rate {
    fn matches(&self, context: &Context<'_>) -> bool {
        if self.scope.as_ref().is_some_and(|scope| !scope.matches(context)) {
            return false;
        }
        match self.key(context) {
            Ok(key) => self.table.hit(key, context.seen.now_ms),
            Err(without_a_key) => without_a_key,
        }
    }

    /// The request's key. Err: it has none, and what that means.
    fn key(&self, context: &Context<'_>) -> Result<u128, bool> {
        match &self.keys {
            RateKeys::Constant => Ok(0),
            RateKeys::Address(origin) => address(origin, context),
            RateKeys::Custom(keys) => {
                // Two hashes: 128 bits in which two keys do not meet by chance.
                let mut hashers = [std::hash::DefaultHasher::new(), std::hash::DefaultHasher::new()];
                hashers[1].write_u8(1);
                for key in keys {
                    let mut part = |bytes: &[u8]| {
                        for hasher in &mut hashers {
                            hasher.write_usize(bytes.len());
                            hasher.write(bytes);
                        }
                    };
                    if !key.feed(context, &mut part)? {
                        return Err(false);
                    }
                }
                Ok(u128::from(hashers[0].finish()) << 64 | u128::from(hashers[1].finish()))
            }
        }
    }
}

fn address(origin: &Origin, context: &Context<'_>) -> Result<u128, bool> {
    match origin.find(context.seen) {
        Found::Nothing => Err(false),
        Found::Invalid => Err(origin.invalid_matches()),
        Found::Addresses(addresses) => addresses.first().map(|address| bits(*address)).ok_or(false),
    }
}

impl RateKey {
    /// Gives its bytes. False: the request has none, and is not counted.
    fn feed(&self, context: &Context<'_>, part: &mut impl FnMut(&[u8])) -> Result<bool, bool> {
        let head = context.seen.head;
        let (value, transforms): (Option<&[u8]>, &[Transform]) = match self {
            Self::Address(origin) => {
                part(&address(origin, context)?.to_be_bytes());
                return Ok(true);
            }
            Self::Method => (Some(head.method.as_str().as_bytes()), &[]),
            Self::Path(transforms) => (Some(head.uri.path().as_bytes()), transforms),
            Self::Query(transforms) => (head.uri.query().map(str::as_bytes), transforms),
            Self::Header(name, transforms) => (head.headers.get(name).map(http::HeaderValue::as_bytes), transforms),
            Self::Cookie(name, transforms) => {
                (cookies(&head.headers).find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value), transforms)
            }
            Self::Argument(name, transforms) => {
                let found = arguments(context.seen).find(|(key, _)| key.eq_ignore_ascii_case(name));
                (found.map(|(_, value)| value.as_bytes()), transforms)
            }
            Self::LabelNamespace(namespace) => {
                let mut any = false;
                for label in context.labels.iter().filter(|label| label.starts_with(namespace.as_str())) {
                    part(label.as_bytes());
                    any = true;
                }
                return Ok(any);
            }
        };
        let Some(value) = value else { return Ok(false) };
        part(&transforms.iter().fold(value.into(), |value, transform| transform.apply(value)));
        Ok(true)
    }
}

/// Whether the text could be anything but words, numbers and paths. Nothing else is an injection, and most values are nothing else.
fn is_suspicious(text: &[u8]) -> bool {
    !text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-'))
}

fn is_sqli(text: &[u8]) -> bool {
    // Two dashes are a comment in SQL.
    (is_suspicious(text) || memmem::find(text, b"--").is_some()) && libinjectionrs::detect_sqli(text).is_injection()
}

fn is_xss(text: &[u8]) -> bool {
    is_suspicious(text) && libinjectionrs::detect_xss(text).is_injection()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stand_alone() {
        for (value, wanted) in [
            ("a bad bot", true),
            ("badminton", false),
            ("bad", true),
            ("a_bad", false),
            ("-bad-", true),
            ("bads bad", true),
        ] {
            assert_eq!(Position::ContainsWord.holds(&memmem::Finder::new(b"bad"), value.as_bytes()), wanted, "{value}");
        }
    }

    #[test]
    fn labels_match_within_their_context_or_in_full() {
        let label = "awswaf:1:webacl:golden:slow:client";
        let own = |key: &str, namespace| LabelPattern {
            own: Some("awswaf:1:webacl:golden:".into()),
            key: key.into(),
            namespace,
        };
        assert!(own("client", false).holds(label) && own("slow:client", false).holds(label));
        assert!(!own("slow", false).holds(label) && own("slow:", true).holds(label) && !own("low:", true).holds(label));
        let full = |key: &str, namespace| LabelPattern { own: None, key: key.into(), namespace };
        assert!(full(label, false).holds(label) && full("awswaf:1:", true).holds(label));
        assert!(!full("awswaf:managed:aws:", true).holds(label));
    }

    proptest! {
        #[test]
        fn plain_text_is_never_an_injection(text in "[A-Za-z0-9/._-]{0,60}") {
            prop_assert!(!libinjectionrs::detect_xss(text.as_bytes()).is_injection());
            prop_assert!(text.contains("--") || !libinjectionrs::detect_sqli(text.as_bytes()).is_injection());
        }

        #[test]
        fn no_text_makes_the_detectors_panic(text in prop::collection::vec(any::<u8>(), 0..300), like in "[<>a-z'\"`=/!\\-\\[\\]{}()*;:&#x0-9 ]{0,80}") {
            for text in [&text[..], like.as_bytes()] {
                is_sqli(text);
                is_xss(text);
            }
        }
    }
}
