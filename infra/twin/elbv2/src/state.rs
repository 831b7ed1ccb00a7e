//! What the control plane knows: load balancers, their listeners and rules, target groups, tags.

use std::{collections::BTreeMap, sync::Arc};

use time::OffsetDateTime;
use twin_platform::AwsError;

use crate::{
    attributes::Attributes,
    balancer::Balancer,
    front::Front,
    group::Group,
    listener::Listening,
    rules::{Action, Rule, Table},
};

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) balancers: Vec<LoadBalancer>,
    pub(crate) groups: Vec<Arc<Group>>,
    /// Tags by the ARN of what carries them.
    pub(crate) tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Sockets that a call has just closed; the call answers when their ports are free.
    pub(crate) closing: Vec<Listening>,
}

/// A load balancer.
#[derive(Debug)]
pub(crate) struct LoadBalancer {
    pub(crate) shared: Arc<Balancer>,
    pub(crate) name: String,
    pub(crate) scheme: String,
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) created: OffsetDateTime,
    pub(crate) attributes: Attributes,
    pub(crate) listeners: Vec<Listener>,
}

/// A listener.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) arn: String,
    pub(crate) port: u16,
    pub(crate) default: Action,
    pub(crate) default_rule_arn: String,
    pub(crate) rules: Vec<Rule>,
    pub(crate) front: Arc<Front>,
    pub(crate) listening: Listening,
}

impl Listener {
    /// Lets the data plane see the rules as they are now.
    pub(crate) fn publish(&self) {
        self.front.table.store(Arc::new(Table::new(self.rules.clone(), self.default.clone())));
    }

    /// All actions.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &Action> {
        self.rules.iter().map(|rule| &rule.action).chain([&self.default])
    }
}

impl LoadBalancer {
    /// Whether one of its rules sends requests to the group.
    pub(crate) fn uses(&self, group: &Group) -> bool {
        self.listeners
            .iter()
            .flat_map(Listener::actions)
            .flat_map(Action::groups)
            .any(|(used, _)| used.arn == group.arn)
    }
}

impl State {
    pub(crate) fn balancer(&mut self, arn: &str) -> Result<&mut LoadBalancer, AwsError> {
        self.balancers.iter_mut().find(|balancer| *balancer.shared.arn == *arn).ok_or_else(|| not_found_balancer(arn))
    }

    pub(crate) fn group(&self, arn: &str) -> Result<&Arc<Group>, AwsError> {
        let found = self.groups.iter().find(|group| *group.arn == *arn);
        found.ok_or_else(|| AwsError::client("TargetGroupNotFound", format!("Target groups '{arn}' not found")))
    }

    pub(crate) fn listener(&mut self, arn: &str) -> Result<(&mut Listener, Arc<Balancer>), AwsError> {
        let found = self.balancers.iter_mut().find_map(|balancer| {
            let shared = Arc::clone(&balancer.shared);
            balancer.listeners.iter_mut().find(|listener| listener.arn == arn).map(|listener| (listener, shared))
        });
        found.ok_or_else(|| not_found_listener(arn))
    }

    /// The listener that has the rule, which may be its default rule.
    pub(crate) fn listener_of_rule(&mut self, arn: &str) -> Result<&mut Listener, AwsError> {
        let has =
            |listener: &Listener| listener.default_rule_arn == arn || listener.rules.iter().any(|rule| rule.arn == arn);
        let mut listeners = self.balancers.iter_mut().flat_map(|balancer| &mut balancer.listeners);
        listeners.find(|listener| has(listener)).ok_or_else(|| not_found_rule(arn))
    }

    /// The load balancer that sends requests to the group, if any.
    pub(crate) fn user_of(&self, group: &Group) -> Option<&LoadBalancer> {
        self.balancers.iter().find(|balancer| balancer.uses(group))
    }

    /// Tells the groups whether they are in use, after rules or listeners changed.
    pub(crate) fn mark_in_use(&self) {
        for group in &self.groups {
            group.set_in_use(self.user_of(group).is_some());
        }
    }

    /// Whether the ARN names something here.
    pub(crate) fn knows(&self, arn: &str) -> bool {
        let mut listeners = self.balancers.iter().flat_map(|balancer| &balancer.listeners);
        self.groups.iter().any(|group| *group.arn == *arn)
            || self.balancers.iter().any(|balancer| *balancer.shared.arn == *arn)
            || listeners.any(|listener| listener.arn == arn || listener.rules.iter().any(|rule| rule.arn == arn))
    }
}

pub(crate) fn not_found_balancer(what: &str) -> AwsError {
    AwsError::client("LoadBalancerNotFound", format!("Load balancers '[{what}]' not found"))
}

pub(crate) fn not_found_listener(arn: &str) -> AwsError {
    AwsError::client("ListenerNotFound", format!("One or more listeners not found: '{arn}'"))
}

pub(crate) fn not_found_rule(arn: &str) -> AwsError {
    AwsError::client("RuleNotFound", format!("One or more rules not found: '{arn}'"))
}
