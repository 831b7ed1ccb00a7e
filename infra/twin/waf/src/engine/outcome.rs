//! What rules do with a request.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use twin_elbv2::CustomResponse;

/// A rule's action, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Allow(Inserted),
    /// With an answer of its own, or the page of 403.
    Block(Option<Arc<CustomResponse>>),
    Count(Inserted),
}

/// Headers that go to the target.
pub(crate) type Inserted = Arc<[(HeaderName, HeaderValue)]>;

impl Action {
    pub(crate) fn count() -> Self {
        Self::Count(Arc::new([]))
    }

    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Allow(_) => Kind::Allow,
            Self::Block(_) => Kind::Block,
            Self::Count(_) => Kind::Count,
        }
    }
}

impl<'a> Match<'a> {
    /// A rule's action as it is.
    pub(crate) fn plain(action: &Action) -> Self {
        Self::within(action, None, None)
    }

    /// A rule's action within a group.
    pub(crate) fn within(action: &Action, inner: Option<&'a str>, overridden: Option<Kind>) -> Self {
        let status = match action {
            Action::Block(Some(response)) => Some(response.status),
            _ => None,
        };
        Self { kind: action.kind(), inner, overridden, status }
    }
}

/// An action by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Allow,
    Block,
    Count,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Block => "BLOCK",
            Self::Count => "COUNT",
        }
    }
}

/// One rule that matched: what a sample says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match<'a> {
    pub(crate) kind: Kind,
    /// The rule within the rule group.
    pub(crate) inner: Option<&'a str>,
    /// What the action was before it was overridden.
    pub(crate) overridden: Option<Kind>,
    /// The status of an answer of the rule's own.
    pub(crate) status: Option<u16>,
}
