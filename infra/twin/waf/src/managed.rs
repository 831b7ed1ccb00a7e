//! AWS's managed rule groups, as far as they are documented: the names, labels, actions and sizes are AWS's; the patterns are ours,
//! made from what AWS publishes of them ("Baseline rule groups", "IP reputation rule groups"). The README lists what each matches.

mod bad_inputs;
mod common;
mod reputation;

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::{
    compile::Compiler,
    engine::{
        component::{Component, Names, Oversize, Picked, Source},
        outcome::{Action, Kind},
        program::{Inner, Single},
        test::Test,
        transform::Transform::{self, HtmlEntityDecode, Lowercase, UrlDecode},
    },
    error::{Refusal, nonexistent, not_imitated},
    tally::Tally,
};

/// Those that are imitated.
pub(crate) const GROUPS: [&ManagedGroup; 3] = [&common::GROUP, &bad_inputs::GROUP, &reputation::GROUP];

/// The version that a group has here; one that a rule asks for by another number is the same.
pub(crate) const VERSION: &str = "Version_1.0";

/// A managed rule group.
pub(crate) struct ManagedGroup {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) capacity: u64,
    pub(crate) versioned: bool,
    /// Of its labels, after `awswaf:managed:aws:`.
    namespace: &'static str,
    rules: &'static [ManagedRule],
}

/// A rule of a managed group.
struct ManagedRule {
    name: &'static str,
    label: &'static str,
    action: Kind,
    test: fn(&mut Compiler<'_>) -> Test,
}

/// A rule that blocks, as nearly all do.
const fn blocks(name: &'static str, label: &'static str, test: fn(&mut Compiler<'_>) -> Test) -> ManagedRule {
    ManagedRule { name, label, action: Kind::Block, test }
}

/// The group with this name.
pub(crate) fn find(vendor: &str, name: &str) -> Result<&'static ManagedGroup, Refusal> {
    let found = GROUPS.into_iter().find(|group| vendor == "AWS" && group.name == name);
    found.ok_or_else(|| match vendor == "AWS" && name.starts_with("AWSManagedRules") {
        true => not_imitated(&format!("managed rule group {name}")),
        false => nonexistent(),
    })
}

impl ManagedGroup {
    pub(crate) fn label_namespace(&self) -> String {
        format!("awswaf:managed:aws:{}:", self.namespace)
    }

    /// Its rules, compiled among the sources of a web ACL.
    pub(crate) fn rules(&self, compiler: &mut Compiler<'_>) -> Vec<Inner> {
        let namespace = self.label_namespace();
        let rule = |rule: &ManagedRule| {
            let action = match rule.action {
                Kind::Count => Action::count(),
                _ => Action::Block(None),
            };
            let labels = vec![format!("{namespace}{}", rule.label)];
            let single = Single { test: (rule.test)(compiler), labels, action };
            Inner { name: rule.name.into(), single, overridden: None, tally: Tally::default() }
        };
        self.rules.iter().map(rule).collect()
    }

    pub(crate) fn check_version(&self, version: Option<&str>) -> Result<(), Refusal> {
        let Some(version) = version else { return Ok(()) };
        let number = version.strip_prefix("Version_").filter(|_| self.versioned);
        let number = number.and_then(|number| number.split_once('.'));
        let valid = number.is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok());
        if valid { Ok(()) } else { Err(nonexistent()) }
    }

    /// `DescribeManagedRuleGroup`.
    pub(crate) fn description(&self) -> Value {
        let namespace = self.label_namespace();
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|rule| {
                let action = if rule.action == Kind::Count { "Count" } else { "Block" };
                json!({"Name": rule.name, "Action": {action: {}}})
            })
            .collect();
        let labels: Vec<Value> =
            self.rules.iter().map(|rule| json!({"Name": format!("{namespace}{}", rule.label)})).collect();
        json!({
            "Capacity": self.capacity, "Rules": rules, "LabelNamespace": namespace, "AvailableLabels": labels,
            "ConsumedLabels": [],
        })
    }
}

// What the groups' rules are made of.

/// As attackers write it: decoded, in small letters.
const PLAIN: &[Transform] = &[UrlDecode, Lowercase];
/// As a browser reads it.
const DECODED: &[Transform] = &[UrlDecode, HtmlEntityDecode];

fn body() -> Component {
    Component::Body(Oversize::Continue)
}

fn cookies() -> Component {
    Component::Cookies(Picked { names: Names::All, keys: false, values: true, oversize: Oversize::Continue })
}

fn headers() -> Component {
    Component::Headers(Picked { names: Names::All, keys: true, values: true, oversize: Oversize::Continue })
}

fn source(compiler: &mut Compiler<'_>, component: Component, transforms: &[Transform]) -> usize {
    compiler.source(Source { component, transforms: transforms.to_vec() })
}

fn longer(compiler: &mut Compiler<'_>, component: Component, bytes: u64) -> Test {
    Test::Size(source(compiler, component, &[]), &[Ordering::Greater], bytes)
}

fn looks_like(compiler: &mut Compiler<'_>, component: Component, pattern: &str) -> Test {
    let source = source(compiler, component, PLAIN);
    // A pattern that does not compile would match nothing; a test compiles them all.
    regex::bytes::Regex::new(pattern).map_or(Test::Never, |regex| Test::Regex(source, regex))
}

fn scripts(compiler: &mut Compiler<'_>, component: Component) -> Test {
    Test::Xss(source(compiler, component, DECODED))
}
