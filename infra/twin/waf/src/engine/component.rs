//! The components of a request that statements look at (`FieldToMatch`), and how each is read.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header};

use super::{json_body::JsonBody, read::Read, request::Seen, transform::Transform};

/// AWS inspects the first 8 KB and the first 200 of a request's headers, and of its cookies.
const MOST_BYTES: usize = 8 * 1024;
const MOST_VALUES: usize = 200;

/// A component, and what is done to it before it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) component: Component,
    pub(crate) transforms: Vec<Transform>,
}

/// `FieldToMatch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    Header(HeaderName),
    /// Name of a query argument, in small letters.
    Argument(String),
    /// The values of all query arguments.
    Arguments,
    Path,
    Query,
    Method,
    Body(Oversize),
    Json(JsonBody),
    Headers(Picked),
    Cookies(Picked),
}

/// `OversizeHandling`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oversize {
    Continue,
    Match,
    NoMatch,
}

/// Which of the pairs, which part of each, and what when there are too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picked {
    pub(crate) names: Names,
    pub(crate) keys: bool,
    pub(crate) values: bool,
    pub(crate) oversize: Oversize,
}

/// `MatchPattern`; headers' names in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    All,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl Names {
    fn has(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|known| known.as_bytes() == name),
            Self::AllBut(names) => !names.iter().any(|known| known.as_bytes() == name),
        }
    }
}

impl Component {
    /// Whether it cannot be read without the body.
    pub(crate) fn is_body(&self) -> bool {
        matches!(self, Self::Body(_) | Self::Json(_))
    }

    fn read<'a>(&self, seen: &'a Seen<'a>) -> Read<'a> {
        let headers = &seen.head.headers;
        match self {
            Self::Header(name) => one(header(headers, name)),
            Self::Argument(name) => {
                one(arguments(seen).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_bytes()))
            }
            Self::Arguments => Read::Many(arguments(seen).map(|(_, value)| value.as_bytes().into()).collect()),
            Self::Path => one(Some(seen.head.uri.path().as_bytes())),
            Self::Query => one(Some(seen.head.uri.query().unwrap_or_default().as_bytes())),
            Self::Method => one(Some(seen.head.method.as_str().as_bytes())),
            Self::Body(oversize) => body(seen, *oversize, |body| Read::One(body.into())),
            Self::Json(json) => body(seen, json.oversize, |body| json.read(body)),
            Self::Headers(picked) => {
                let pairs = headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
                picked.read(pairs)
            }
            Self::Cookies(picked) => picked.read(cookies(headers)),
        }
    }
}

fn one(value: Option<&[u8]>) -> Read<'_> {
    value.map_or(Read::Nothing, |value| Read::One(value.into()))
}

/// A header that came more than once is one with commas between.
fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    // AWS joins them; the first is enough for every header that occurs once, and the others are rare enough to be left out.
    headers.get(name).map(http::HeaderValue::as_bytes)
}

/// Name and value of each query argument, as they stand in the URI.
pub(crate) fn arguments<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
    let query = seen.head.uri.query().unwrap_or_default();
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Name and value of each cookie.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let all = headers.get_all(header::COOKIE).iter();
    all.flat_map(|value| value.as_bytes().split(|byte| *byte == b';')).map(|pair| {
        let pair = pair.trim_ascii();
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &b""[..]),
        }
    })
}

fn body<'a>(seen: &'a Seen<'a>, oversize: Oversize, read: impl FnOnce(&'a [u8]) -> Read<'a>) -> Read<'a> {
    match oversize {
        Oversize::Match if seen.oversize => Read::Verdict(true),
        Oversize::NoMatch if seen.oversize => Read::Verdict(false),
        _ if seen.body.is_empty() => Read::Nothing,
        _ => read(seen.body),
    }
}

impl Picked {
    fn read<'a>(&self, pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Read<'a> {
        let (mut values, mut bytes) = (Vec::new(), 0);
        for (index, (name, value)) in pairs.enumerate() {
            bytes += name.len() + value.len();
            if index >= MOST_VALUES || bytes > MOST_BYTES {
                match self.oversize {
                    Oversize::Continue => break,
                    Oversize::Match => return Read::Verdict(true),
                    Oversize::NoMatch => return Read::Verdict(false),
                }
            }
            if self.names.has(name) {
                values.extend(self.keys.then_some(Cow::Borrowed(name)));
                values.extend(self.values.then_some(Cow::Borrowed(value)));
            }
        }
        Read::Many(values)
    }
}

impl Source {
    /// The component, transformed.
    pub(crate) fn read<'a>(&self, seen: &'a Seen<'a>) -> Read<'a> {
        let transformed =
            |value: Cow<'a, [u8]>| self.transforms.iter().fold(value, |value, transform| transform.apply(value));
        match self.component.read(seen) {
            Read::One(value) => Read::One(transformed(value)),
            Read::Many(values) => Read::Many(values.into_iter().map(transformed).collect()),
            other => other,
        }
    }
}
