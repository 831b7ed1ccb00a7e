//! Roles and managed policies.

use std::collections::BTreeMap;

use twin_platform::AwsError;

use crate::{
    error::{no_policy, no_role},
    managed::{Managed, of_aws},
    role::{Role, compile},
};

/// All of it.
pub(crate) struct State {
    /// By name, in lower case: "Names are not distinguished by case."
    roles: BTreeMap<String, Role>,
    /// By ARN.
    pub(crate) policies: BTreeMap<String, Managed>,
}

impl State {
    pub(crate) fn with_managed_by_aws() -> Self {
        Self { roles: BTreeMap::new(), policies: of_aws().collect() }
    }

    pub(crate) fn role(&self, name: &str) -> Result<&Role, AwsError> {
        self.roles.get(&name.to_lowercase()).ok_or_else(|| no_role(name))
    }

    pub(crate) fn role_mut(&mut self, name: &str) -> Result<&mut Role, AwsError> {
        self.roles.get_mut(&name.to_lowercase()).ok_or_else(|| no_role(name))
    }

    /// The role with this ARN.
    pub(crate) fn role_of(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        self.role(name).ok().filter(|role| role.arn == arn)
    }

    /// The roles in the order of their names.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    pub(crate) fn insert(&mut self, role: Role) {
        self.roles.insert(role.name.to_lowercase(), role);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.roles.remove(&name.to_lowercase());
    }

    pub(crate) fn policy(&self, arn: &str) -> Result<&Managed, AwsError> {
        self.policies.get(arn).ok_or_else(|| no_policy(arn))
    }

    pub(crate) fn policy_mut(&mut self, arn: &str) -> Result<&mut Managed, AwsError> {
        self.policies.get_mut(arn).ok_or_else(|| no_policy(arn))
    }

    /// The roles that a managed policy is attached to.
    pub(crate) fn holders<'a>(&'a self, policy_arn: &'a str) -> impl Iterator<Item = &'a Role> {
        self.roles().filter(move |role| role.attached.iter().any(|arn| arn == policy_arn))
    }

    /// A policy of this role has changed.
    pub(crate) fn recompile(&mut self, name: &str) {
        let Ok(role) = self.role(name) else { return };
        let attached = role.attached.iter().filter_map(|arn| self.policies.get(arn)?.acting());
        let compiled = compile(role.inline.values().chain(attached).map(|document| document.policy.clone()));
        if let Ok(role) = self.role_mut(name) {
            role.compiled = compiled;
        }
    }

    /// A managed policy has changed.
    pub(crate) fn recompile_holders(&mut self, policy_arn: &str) {
        let names: Vec<String> = self.holders(policy_arn).map(|role| role.name.clone()).collect();
        for name in names {
            self.recompile(&name);
        }
    }
}
