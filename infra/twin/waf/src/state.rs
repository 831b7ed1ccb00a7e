//! What the API keeps: web ACLs, the sets and groups that they refer to, and what is associated with what.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use regex::bytes::Regex;
use serde_json::{Value, json};
use twin_platform::Account;
use uuid::Uuid;

use crate::{
    engine::{address::SharedRanges, program::Program, test::SharedPatterns},
    error::{Refusal, duplicate, limits, locked, nonexistent},
};

/// Of each kind, in a region ("AWS WAF quotas").
const MOST: usize = 100;

/// Everything.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) web_acls: Store<WebAcl>,
    pub(crate) ip_sets: Store<IpSet>,
    pub(crate) pattern_sets: Store<PatternSet>,
    pub(crate) rule_groups: Store<RuleGroup>,
    /// Load balancer's ARN to web ACL's.
    pub(crate) associations: HashMap<String, String>,
    pub(crate) tags: HashMap<String, BTreeMap<String, String>>,
    /// Programs that were replaced; what they counted last is still to be taken.
    pub(crate) retired: Vec<Arc<Program>>,
}

/// What every kind has.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) lock_token: String,
}

pub(crate) struct WebAcl {
    /// `DefaultAction`, `Rules`, `VisibilityConfig`, `CustomResponseBodies` and the like, as they were given.
    pub(crate) given: Value,
    pub(crate) capacity: u64,
    pub(crate) program: Arc<Program>,
}

pub(crate) struct IpSet {
    pub(crate) version: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) ranges: Arc<SharedRanges>,
}

pub(crate) struct PatternSet {
    pub(crate) texts: Vec<String>,
    pub(crate) patterns: Arc<SharedPatterns>,
}

pub(crate) struct RuleGroup {
    pub(crate) capacity: u64,
    pub(crate) rules: Vec<Value>,
    pub(crate) visibility: Value,
    pub(crate) bodies: Value,
    pub(crate) namespace: String,
}

impl State {
    pub(crate) fn ranges(&self, arn: &str) -> Option<Arc<SharedRanges>> {
        self.ip_sets.by_arn(arn).map(|(_, set)| Arc::clone(&set.ranges))
    }

    pub(crate) fn patterns(&self, arn: &str) -> Option<Arc<SharedPatterns>> {
        self.pattern_sets.by_arn(arn).map(|(_, set)| Arc::clone(&set.patterns))
    }

    pub(crate) fn rule_group(&self, arn: &str) -> Option<&RuleGroup> {
        self.rule_groups.by_arn(arn).map(|(_, group)| group)
    }

    /// Whether a web ACL refers to this ARN.
    pub(crate) fn is_used(&self, arn: &str) -> bool {
        let quoted = json!(arn).to_string();
        let in_groups =
            self.rule_groups.iter().any(|(_, group)| group.rules.iter().any(|rule| rule.to_string().contains(&quoted)));
        in_groups || self.web_acls.iter().any(|(_, acl)| acl.given.to_string().contains(&quoted))
    }

    /// Which program looks at the requests of which load balancer.
    pub(crate) fn guards(&self) -> HashMap<String, Arc<Program>> {
        let pairs = self
            .associations
            .iter()
            .filter_map(|(balancer, acl)| Some((balancer.clone(), Arc::clone(&self.web_acls.by_arn(acl)?.1.program))));
        pairs.collect()
    }
}

impl Entity {
    /// `kind` as in ARNs: `webacl`, `ipset`, `regexpatternset`, `rulegroup`.
    pub(crate) fn new(account: &Account, kind: &str, name: &str, description: Option<String>) -> Self {
        let id = Uuid::new_v4().to_string();
        let arn = account.arn("wafv2", &format!("regional/{kind}/{name}/{id}"));
        Self { name: name.to_owned(), id, arn, description, lock_token: Uuid::new_v4().to_string() }
    }

    /// The resource has changed.
    pub(crate) fn changed(&mut self) -> String {
        self.lock_token = Uuid::new_v4().to_string();
        self.lock_token.clone()
    }

    /// `Name`, `Id`, `ARN`, `Description`, and the lock token.
    pub(crate) fn summary(&self) -> Value {
        let mut summary = self.json();
        summary["LockToken"] = json!(self.lock_token);
        // Summaries have an empty description where details have none.
        summary["Description"] = json!(self.description.as_deref().unwrap_or_default());
        summary
    }

    /// The same without the lock token, to which a kind adds its own.
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({"Name": self.name, "Id": self.id, "ARN": self.arn});
        if let Some(description) = &self.description {
            json["Description"] = json!(description);
        }
        json
    }
}

/// All of one kind, by ARN, which sorts them by name.
pub(crate) struct Store<T>(BTreeMap<String, (Entity, T)>);

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Store<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Entity, T)> {
        self.0.values()
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&(Entity, T)> {
        self.0.get(arn)
    }

    pub(crate) fn by_arn_mut(&mut self, arn: &str) -> Option<&mut (Entity, T)> {
        self.0.get_mut(arn)
    }

    /// Refuses a name that is taken, and one too many.
    pub(crate) fn check_new(&self, name: &str) -> Result<(), Refusal> {
        if self.0.values().any(|(entity, _)| entity.name == name) {
            return Err(duplicate());
        }
        if self.0.len() >= MOST { Err(limits()) } else { Ok(()) }
    }

    pub(crate) fn insert(&mut self, entity: Entity, value: T) {
        self.0.insert(entity.arn.clone(), (entity, value));
    }

    pub(crate) fn find(&self, name: &str, id: &str) -> Result<&(Entity, T), Refusal> {
        let found = self.0.values().find(|(entity, _)| entity.name == name && entity.id == id);
        found.ok_or_else(nonexistent)
    }

    /// The one to change, when the caller has seen its latest state.
    pub(crate) fn unlocked(&self, name: &str, id: &str, token: &str) -> Result<&(Entity, T), Refusal> {
        let found = self.find(name, id)?;
        if found.0.lock_token == token { Ok(found) } else { Err(locked()) }
    }

    pub(crate) fn remove(&mut self, arn: &str) -> Option<(Entity, T)> {
        self.0.remove(arn)
    }
}

/// Compiled patterns, shared.
pub(crate) fn shared(patterns: Vec<Regex>) -> Arc<SharedPatterns> {
    Arc::new(SharedPatterns::from_pointee(patterns))
}
