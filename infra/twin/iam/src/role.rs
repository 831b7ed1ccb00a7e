//! A role, with what its policies allow, compiled.

use std::{collections::BTreeMap, sync::Arc};

use iam_rs::{IAMPolicy, PolicyEvaluator};
use time::OffsetDateTime;

use crate::document::Document;

/// A role.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `AROA…`, the unique id that a session's user id begins with.
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) description: Option<String>,
    pub(crate) max_session_s: u32,
    pub(crate) trust: Document,
    /// Inline policies by name.
    pub(crate) inline: BTreeMap<String, Document>,
    /// ARNs of the managed policies, in the order in which they were attached.
    pub(crate) attached: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// All that the policies say, made anew when one of them changes.
    pub(crate) compiled: Arc<PolicyEvaluator>,
}

/// An evaluator of these policies.
pub(crate) fn compile(policies: impl IntoIterator<Item = IAMPolicy>) -> Arc<PolicyEvaluator> {
    let options = iam_rs::EvaluationOptions { max_statements: usize::MAX, ..iam_rs::EvaluationOptions::default() };
    Arc::new(PolicyEvaluator::with_policies(policies.into_iter().collect()).with_options(options))
}

/// A unique id: four letters that tell the kind, and seventeen more.
pub(crate) fn unique_id(kind: &str) -> String {
    let letter = |_| char::from(fastrand::choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").copied().unwrap_or(b'A'));
    kind.chars().chain((0..17).map(letter)).collect()
}
