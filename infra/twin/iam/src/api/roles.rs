//! Roles.

use time::OffsetDateTime;
use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output, tags};
use crate::{
    Iam,
    error::{conflict, exists, limit},
    role::{Role, compile, unique_id},
};

/// "Roles in an AWS account: 1,000."
const ROLES_MAX: usize = 1000;
/// Seconds; "If you do not specify a value for this setting, the default value of one hour is applied."
const SESSION_S: u32 = 3600;

pub(super) fn create(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, path) = (input::role_name(call)?, input::path(call)?);
    let trust = input::trust_document(call, "AssumeRolePolicyDocument", "assumeRolePolicyDocument")?;
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: unique_id("AROA"),
        arn: format!("arn:aws:iam::{}:role{path}{name}", iam.account.id),
        created: OffsetDateTime::now_utc(),
        description: input::description(call)?,
        max_session_s: input::max_session(call)?.unwrap_or(SESSION_S),
        trust,
        inline: Default::default(),
        attached: Vec::new(),
        tags: tags::read(call)?,
        compiled: compile([]),
    };
    let mut state = iam.state();
    if state.role(name).is_ok() {
        return Err(exists(format!("Role with name {name} already exists.")));
    }
    if state.roles().count() >= ROLES_MAX {
        return Err(limit(format!("Cannot exceed quota for RolesPerAccount: {ROLES_MAX}")));
    }
    let xml = shown(&role);
    state.insert(role);
    Ok(xml)
}

pub(super) fn get(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    Ok(shown(iam.state().role(input::role_name(call)?)?))
}

fn shown(role: &Role) -> Xml {
    let mut xml = Xml::new();
    xml.element("Role", |xml| output::role(xml, role, true));
    xml
}

pub(super) fn list(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let prefix = call.get("PathPrefix").unwrap_or("/");
    let state = iam.state();
    let wanted = state.roles().filter(|role| role.path.starts_with(prefix));
    let (roles, marker) = input::page(call, wanted.map(|role| (role.name.to_lowercase(), role)))?;
    let mut xml = Xml::new();
    xml.list("Roles", roles, |xml, role| output::role(xml, role, false));
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

pub(super) fn delete(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = input::role_name(call)?;
    let mut state = iam.state();
    let role = state.role(name)?;
    if !role.attached.is_empty() {
        return Err(conflict("Cannot delete entity, must detach all policies first."));
    }
    if !role.inline.is_empty() {
        return Err(conflict("Cannot delete entity, must delete policies first."));
    }
    state.remove(name);
    Ok(Xml::new())
}

pub(super) fn update(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (name, description, session) = (input::role_name(call)?, input::description(call)?, input::max_session(call)?);
    let mut state = iam.state();
    let role = state.role_mut(name)?;
    if call.has("Description") {
        role.description = description;
    }
    role.max_session_s = session.unwrap_or(role.max_session_s);
    Ok(Xml::new())
}

pub(super) fn update_trust(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let name = input::role_name(call)?;
    let trust = input::trust_document(call, "PolicyDocument", "policyDocument")?;
    iam.state().role_mut(name)?.trust = trust;
    Ok(Xml::new())
}
