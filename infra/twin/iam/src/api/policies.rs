//! Managed policies.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output, tags, versions};
use crate::{
    Iam,
    error::{conflict, constraint, exists},
    managed::{Managed, is_of_aws},
    state::State,
};

pub(super) fn create(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, path) = (input::policy_name(call)?, input::path(call)?);
    let document = input::identity_document(call)?;
    versions::check_size(&document)?;
    let mut policy = Managed::new(name, path, document);
    (policy.description, policy.tags) = (input::description(call)?, tags::read(call)?);
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", iam.account.id);
    let mut state = iam.state();
    let same_name = |(arn, other): (&String, &Managed)| !is_of_aws(arn) && other.name.eq_ignore_ascii_case(name);
    if state.policies.iter().any(same_name) {
        return Err(exists(format!("A policy called {name} already exists. Duplicate names are not allowed.")));
    }
    state.policies.insert(arn.clone(), policy);
    shown(&state, &arn)
}

pub(super) fn get(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    shown(&iam.state(), input::policy_arn(call)?)
}

fn shown(state: &State, arn: &str) -> Result<Xml, AwsError> {
    let policy = state.policy(arn)?;
    let mut xml = Xml::new();
    xml.element("Policy", |xml| output::policy(xml, arn, policy, state.holders(arn).count(), true));
    Ok(xml)
}

pub(super) fn list(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let prefix = call.get("PathPrefix").unwrap_or("/");
    let only_attached = call.parsed::<bool>("OnlyAttached")?.unwrap_or_default();
    let in_scope: fn(&str) -> bool = match call.get("Scope").unwrap_or("All") {
        "All" => |_| true,
        "AWS" => is_of_aws,
        "Local" => |arn| !is_of_aws(arn),
        other => return Err(constraint(other, "scope", "satisfy enum value set: [All, AWS, Local]")),
    };
    let state = iam.state();
    let wanted = |(arn, policy): &(&String, &Managed)| {
        in_scope(arn) && policy.path.starts_with(prefix) && (!only_attached || state.holders(arn).next().is_some())
    };
    let wanted = state.policies.iter().filter(wanted).map(|(arn, policy)| (arn.clone(), (arn, policy)));
    let (policies, marker) = input::page(call, wanted)?;
    let mut xml = Xml::new();
    xml.list("Policies", policies, |xml, (arn, policy)| {
        output::policy(xml, arn, policy, state.holders(arn).count(), false);
    });
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

pub(super) fn delete(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = input::policy_arn(call)?;
    versions::check_own(arn)?;
    let mut state = iam.state();
    let versions = state.policy(arn)?.versions.len();
    if state.holders(arn).next().is_some() {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if versions > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    state.policies.remove(arn);
    Ok(Xml::new())
}
