//! What a component of a request has: nothing, one value or many, or a verdict because it is too large.

use std::borrow::Cow;

/// The values of a component, transformed.
#[derive(Debug, Default)]
pub(crate) enum Read<'a> {
    /// The request has no such component: nothing matches.
    #[default]
    Nothing,
    /// The component is too large or no JSON, and the statement says what that means.
    Verdict(bool),
    One(Cow<'a, [u8]>),
    Many(Vec<Cow<'a, [u8]>>),
}

impl Read<'_> {
    /// Whether any value is so.
    pub(crate) fn any(&self, mut is_so: impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Verdict(verdict) => *verdict,
            Self::One(value) => is_so(value),
            Self::Many(values) => values.iter().any(|value| is_so(value)),
        }
    }
}
