//! Which managed policies a role has.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output};
use crate::{
    Iam,
    error::{limit, no_policy, no_such, refused},
};

/// "Managed policies attached to an IAM role: 10."
const ATTACHED_MAX: usize = 10;

pub(super) fn attach(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, arn) = (input::role_name(call)?, input::policy_arn(call)?);
    let mut state = iam.state();
    let is_there = state.policies.contains_key(arn);
    let role = state.role_mut(name)?;
    if !is_there {
        return Err(no_such(format!("Policy {arn} does not exist or is not attachable.")));
    }
    // Attaching what is attached is no error.
    if !role.attached.iter().any(|held| held == arn) {
        if role.attached.len() >= ATTACHED_MAX {
            return Err(limit(format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_MAX}")));
        }
        role.attached.push(arn.to_owned());
        state.recompile(name);
    }
    Ok(Xml::new())
}

pub(super) fn detach(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, arn) = (input::role_name(call)?, input::policy_arn(call)?);
    let mut state = iam.state();
    let role = state.role_mut(name)?;
    let at = role.attached.iter().position(|held| held == arn).ok_or_else(|| no_policy(arn))?;
    role.attached.remove(at);
    state.recompile(name);
    Ok(Xml::new())
}

pub(super) fn list(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let prefix = call.get("PathPrefix").unwrap_or("/");
    let state = iam.state();
    let role = state.role(input::role_name(call)?)?;
    let mut held: Vec<_> = role.attached.iter().filter_map(|arn| Some((arn, state.policies.get(arn)?))).collect();
    held.retain(|(_, policy)| policy.path.starts_with(prefix));
    held.sort_by_key(|(arn, _)| *arn);
    let (held, marker) = input::page(call, held.into_iter().map(|(arn, policy)| (arn.clone(), (arn, policy))))?;
    let mut xml = Xml::new();
    xml.list("AttachedPolicies", held, |xml, (arn, policy)| {
        xml.text("PolicyName", &policy.name).text("PolicyArn", arn);
    });
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

/// There are no users and groups, so only roles can have a policy.
pub(super) fn holders(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let arn = input::policy_arn(call)?;
    let wants_roles = match call.get("EntityFilter") {
        None | Some("Role") => true,
        Some("User" | "Group") => false,
        Some(other) => return Err(refused(format!("ListEntitiesForPolicy with EntityFilter {other}"))),
    };
    let prefix = call.get("PathPrefix").unwrap_or("/");
    let state = iam.state();
    state.policy(arn)?;
    let holders = state.holders(arn).filter(|role| wants_roles && role.path.starts_with(prefix));
    let (roles, marker) = input::page(call, holders.map(|role| (role.name.to_lowercase(), role)))?;
    let mut xml = Xml::new();
    xml.list("PolicyGroups", [(); 0], |_, ()| {}).list("PolicyUsers", [(); 0], |_, ()| {});
    xml.list("PolicyRoles", roles, |xml, role| {
        xml.text("RoleName", &role.name).text("RoleId", &role.id);
    });
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}
