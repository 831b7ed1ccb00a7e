//! References to rule groups, AWS's and one's own.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Compiler, action, only_member, shape,
    statement::{Reference, reference},
};
use crate::{
    engine::{
        outcome::Action,
        program::{Group, Inner, Single, Work},
        test::Test,
    },
    error::{Refusal, invalid, not_imitated, reason},
    managed,
    tally::Tally,
};

/// Name of a managed group, its scope-down statement, its rules.
type Parts = (Option<String>, Option<Test>, Vec<Inner>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    vendor_name: String,
    name: String,
    version: Option<String>,
    #[serde(default)]
    scope_down_statement: Value,
    #[serde(default)]
    managed_rule_group_configs: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Overrides {
    #[serde(default)]
    excluded_rules: Vec<Excluded>,
    #[serde(default)]
    rule_action_overrides: Vec<Override>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Excluded {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Override {
    name: String,
    action_to_use: Value,
}

impl Compiler<'_> {
    pub(super) fn group(&mut self, kind: &str, value: &Value, override_action: &Value) -> Result<Group, Refusal> {
        let count = match only_member(override_action, "OVERRIDE_ACTION", "OverrideAction")? {
            ("Count", _) => true,
            ("None", _) => false,
            (other, _) => return Err(invalid(reason::FORMAT, "OVERRIDE_ACTION", other)),
        };
        let (managed, scope, mut rules) = match kind {
            "ManagedRuleGroupStatement" => self.managed(value)?,
            _ => (None, None, self.own(value)?),
        };
        self.overridden(&mut rules, &shape(value)?)?;
        Ok(Group { managed, scope, count, rules })
    }

    fn managed(&mut self, value: &Value) -> Result<Parts, Refusal> {
        let given: Managed = shape(value)?;
        let group = managed::find(&given.vendor_name, &given.name)?;
        group.check_version(given.version.as_deref())?;
        if !given.managed_rule_group_configs.is_empty() {
            return Err(not_imitated("ManagedRuleGroupConfigs"));
        }
        self.capacity += group.capacity;
        let scope = match &given.scope_down_statement {
            Value::Null => None,
            statement => Some(self.statement(statement)?),
        };
        let rules = group.rules(self);
        Ok((Some(given.name), scope, rules))
    }

    /// One's own rule group, compiled among the web ACL's sources.
    fn own(&mut self, value: &Value) -> Result<Vec<Inner>, Refusal> {
        let Reference { arn } = shape(value)?;
        let group = self.around.state.rule_group(&arn).ok_or_else(reference)?;
        action::check_bodies(&group.bodies)?;
        let mut compiler = Compiler {
            around: self.around,
            namespace: group.namespace.clone(),
            bodies: &group.bodies,
            sources: std::mem::take(&mut self.sources),
            capacity: 0,
        };
        let rules = compiler.rules(&group.rules, false);
        self.sources = compiler.sources;
        // A group costs what it was made for, whatever is in it.
        self.capacity += group.capacity;
        let inner = rules?.into_iter().filter_map(|rule| match rule.work {
            Work::Single(single) => Some(Inner { name: rule.name, single, overridden: None, tally: Tally::default() }),
            Work::Group(_) => None,
        });
        Ok(inner.collect())
    }

    fn overridden(&self, rules: &mut [Inner], overrides: &Overrides) -> Result<(), Refusal> {
        let mut actions = HashMap::new();
        for Excluded { name } in &overrides.excluded_rules {
            actions.insert(name.as_str(), (Action::count(), "EXCLUDED_RULE"));
        }
        for Override { name, action_to_use } in &overrides.rule_action_overrides {
            actions.insert(name.as_str(), (self.rule_action(action_to_use)?, "RULE_ACTION"));
        }
        for (name, (action, field)) in actions {
            let rule = rules.iter_mut().find(|rule| rule.name == name);
            let Inner { single: Single { action: own, .. }, overridden, .. } =
                rule.ok_or_else(|| invalid(reason::REFERENCE, field, name))?;
            *overridden = Some(own.kind());
            *own = action;
        }
        Ok(())
    }
}
