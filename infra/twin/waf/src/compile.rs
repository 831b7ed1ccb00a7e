//! From rules as the API takes them to a program, and what they cost.
//!
//! Promises: what compiles is what AWS takes and what is imitated, whole; everything else is refused before anything changes.

mod action;
mod field;
mod group;
mod rate;
mod statement;

pub(crate) use statement::regex;

use std::{collections::HashSet, sync::Arc};

use serde::Deserialize;
use serde_json::Value;
use twin_platform::{Account, Speed};

use crate::{
    clock::Clock,
    engine::{
        component::Source,
        outcome::Action,
        program::{Program, Rule, Single, Watch, Work},
    },
    error::{Refusal, invalid, reason},
    samples::Reel,
    state::State,
    tally::Tally,
};

/// Web ACL capacity units that a web ACL, or a rule group, may have ("AWS WAF quotas").
pub(crate) const MOST_CAPACITY: u64 = 5000;

/// What rules are compiled with.
pub(crate) struct Surroundings<'a> {
    pub(crate) account: &'a Account,
    pub(crate) speed: Speed,
    pub(crate) clock: Clock,
    /// What rules refer to.
    pub(crate) state: &'a State,
    /// The program that the new one replaces.
    pub(crate) previous: Option<&'a Program>,
}

/// A set of rules on its way.
pub(crate) struct Compiler<'a> {
    pub(crate) around: &'a Surroundings<'a>,
    /// In front of the rules' own labels.
    pub(crate) namespace: String,
    /// `CustomResponseBodies`.
    pub(crate) bodies: &'a Value,
    pub(crate) sources: Vec<Source>,
    pub(crate) capacity: u64,
}

/// A rule as it is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    name: String,
    priority: i64,
    statement: Value,
    #[serde(default)]
    action: Value,
    #[serde(default)]
    override_action: Value,
    #[serde(default)]
    rule_labels: Vec<Label>,
    visibility_config: Visibility,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Label {
    name: String,
}

/// `VisibilityConfig`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Visibility {
    sampled_requests_enabled: bool,
    cloud_watch_metrics_enabled: bool,
    metric_name: String,
}

/// Reads a part of an input.
pub(crate) fn shape<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, Refusal> {
    T::deserialize(value).map_err(|error| {
        let message = format!("1 validation error detected: {error}");
        twin_platform::AwsError::client("ValidationException", message).into()
    })
}

/// The one member of a union that is set.
pub(crate) fn only_member<'a>(
    value: &'a Value,
    field: &'static str,
    parameter: &str,
) -> Result<(&'a str, &'a Value), Refusal> {
    let members = value.as_object().into_iter().flatten().filter(|(_, member)| !member.is_null());
    let members: Vec<_> = members.collect();
    match members[..] {
        [(name, member)] => Ok((name, member)),
        _ => Err(invalid(reason::NOT_ONE, field, parameter)),
    }
}

/// A name of `[\w-]`, at most 128 of them.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn is_label(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:".contains(&byte))
}

/// A web ACL as it is given.
pub(crate) struct WebAclInput<'a> {
    pub(crate) name: &'a str,
    pub(crate) default_action: &'a Value,
    pub(crate) rules: &'a [Value],
    pub(crate) visibility: &'a Value,
    pub(crate) bodies: &'a Value,
}

/// Compiles a web ACL. Gives its capacity too.
pub(crate) fn web_acl(around: &Surroundings<'_>, input: &WebAclInput<'_>) -> Result<(Program, u64), Refusal> {
    let namespace = web_acl_namespace(around.account, input.name);
    action::check_bodies(input.bodies)?;
    let mut compiler = Compiler { around, namespace, bodies: input.bodies, sources: Vec::new(), capacity: 0 };
    let default = compiler.default_action(input.default_action)?;
    let rules = compiler.rules(input.rules, true)?;
    let Compiler { sources, capacity, .. } = compiler;
    if capacity > MOST_CAPACITY {
        return Err(invalid(reason::CAPACITY, "WEB_ACL", capacity.to_string()));
    }
    let default_watch = watch(&shape(input.visibility)?, around.previous.map(|program| &program.default_watch))?;
    let wants_body = sources.iter().any(|source| source.component.is_body());
    let clock = around.clock;
    Ok((Program { sources, rules, default, default_watch, wants_body, all: Tally::default(), clock }, capacity))
}

/// In front of the labels of a web ACL's own rules.
pub(crate) fn web_acl_namespace(account: &Account, name: &str) -> String {
    format!("awswaf:{}:webacl:{name}:", account.id)
}

/// What rules cost, of a web ACL or (`in_web_acl` false) a rule group, which also shows that they are valid.
pub(crate) fn capacity(
    around: &Surroundings<'_>,
    rules: &[Value],
    bodies: &Value,
    in_web_acl: bool,
) -> Result<u64, Refusal> {
    action::check_bodies(bodies)?;
    let mut compiler = Compiler { around, namespace: String::new(), bodies, sources: Vec::new(), capacity: 0 };
    compiler.rules(rules, in_web_acl)?;
    Ok(compiler.capacity)
}

fn watch(visibility: &Visibility, previous: Option<&Watch>) -> Result<Watch, Refusal> {
    let metric = &visibility.metric_name;
    if !is_name(metric) || ["All", "ALL", "Default_Action"].contains(&metric.as_str()) {
        return Err(invalid(reason::FORMAT, "METRIC_NAME", metric));
    }
    let kept = previous.and_then(|watch| watch.reel.clone());
    let reel = visibility.sampled_requests_enabled.then(|| kept.unwrap_or_else(|| Arc::new(Reel::default())));
    let tally = visibility.cloud_watch_metrics_enabled.then(Tally::default);
    Ok(Watch { metric: metric.clone(), tally, reel })
}

impl Compiler<'_> {
    fn rules(&mut self, given: &[Value], in_web_acl: bool) -> Result<Vec<Rule>, Refusal> {
        let (mut names, mut priorities) = (HashSet::new(), HashSet::new());
        let mut rules = Vec::with_capacity(given.len());
        for value in given {
            let given: Given = shape(value)?;
            if !is_name(&given.name) {
                return Err(invalid(reason::FORMAT, "RULE", given.name));
            }
            if given.priority < 0 {
                return Err(invalid(reason::FORMAT, "RULE", given.priority.to_string()));
            }
            if !names.insert(given.name.clone()) || !priorities.insert(given.priority) {
                return Err(invalid(reason::DUPLICATE, "RULE", given.name));
            }
            rules.push((given.priority, self.rule(given, in_web_acl)?));
        }
        rules.sort_by_key(|(priority, _)| *priority);
        Ok(rules.into_iter().map(|(_, rule)| rule).collect())
    }

    fn rule(&mut self, given: Given, in_web_acl: bool) -> Result<Rule, Refusal> {
        let previous = self.around.previous.and_then(|program| program.rule(&given.name));
        let watch = watch(&given.visibility_config, previous.map(|rule| &rule.watch))?;
        let (kind, statement) = only_member(&given.statement, "STATEMENT", "Statement")?;
        let is_group = matches!(kind, "ManagedRuleGroupStatement" | "RuleGroupReferenceStatement");
        if is_group && !in_web_acl {
            return Err(invalid(reason::NESTED, "STATEMENT", kind));
        }
        let work = match (is_group, given.action.is_null(), given.override_action.is_null()) {
            (true, true, false) => Work::Group(self.group(kind, statement, &given.override_action)?),
            (false, false, true) => {
                let action = self.rule_action(&given.action)?;
                let labels = self.labels(&given.rule_labels)?;
                let kept = previous.filter(|rule| rule.statement == given.statement);
                let test = match kind {
                    "RateBasedStatement" => self.rate(statement, kept)?,
                    _ => self.statement(&given.statement)?,
                };
                Work::Single(Single { test, labels, action })
            }
            (true, false, _) => return Err(invalid(reason::REFERENCE, "RULE", "Statement")),
            _ => return Err(invalid(reason::NOT_ONE, "RULE", "Rule")),
        };
        Ok(Rule { name: given.name, statement: given.statement, watch, work })
    }

    fn labels(&mut self, given: &[Label]) -> Result<Vec<String>, Refusal> {
        // One unit for each five labels.
        self.capacity += given.len().div_ceil(5) as u64;
        let label = |Label { name }: &Label| match is_label(name) && !name.starts_with("awswaf:") {
            true => Ok(format!("{}{name}", self.namespace)),
            false => Err(invalid(reason::FORMAT, "RULE", name)),
        };
        given.iter().map(label).collect()
    }

    /// The index of a source; the same component with the same transformations is read once.
    pub(crate) fn source(&mut self, source: Source) -> usize {
        let known = self.sources.iter().position(|known| *known == source);
        known.unwrap_or_else(|| {
            self.sources.push(source);
            self.sources.len() - 1
        })
    }

    fn default_action(&self, value: &Value) -> Result<Action, Refusal> {
        match only_member(value, "DEFAULT_ACTION", "DefaultAction")? {
            ("Allow" | "Block", _) => self.rule_action(value),
            (other, _) => Err(invalid(reason::FORMAT, "DEFAULT_ACTION", other)),
        }
    }
}
