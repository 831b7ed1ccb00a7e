//! Policies that are part of a role.

use twin_platform::{AwsError, query::Scope, xml::Xml};

use super::{input, output};
use crate::{
    Iam,
    error::{limit, no_such},
};

/// "Role inline policy size: 10,240 characters" for all of a role together.
const SIZE_MAX: usize = 10_240;

pub(super) fn put(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (role_name, name) = (input::role_name(call)?, input::policy_name(call)?);
    let document = input::identity_document(call)?;
    let mut state = iam.state();
    let role = state.role_mut(role_name)?;
    let others = role.inline.iter().filter(|(other, _)| *other != name);
    if others.map(|(_, other)| other.size()).sum::<usize>() + document.size() > SIZE_MAX {
        return Err(limit(format!("Maximum policy size of {SIZE_MAX} bytes exceeded for role {role_name}")));
    }
    role.inline.insert(name.to_owned(), document);
    state.recompile(role_name);
    Ok(Xml::new())
}

pub(super) fn get(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (role_name, name) = (input::role_name(call)?, input::policy_name(call)?);
    let state = iam.state();
    let role = state.role(role_name)?;
    let document = role.inline.get(name).ok_or_else(|| no_policy(name))?;
    let mut xml = Xml::new();
    xml.text("RoleName", &role.name).text("PolicyName", name);
    xml.text("PolicyDocument", output::encoded(&document.text));
    Ok(xml)
}

pub(super) fn list(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let state = iam.state();
    let role = state.role(input::role_name(call)?)?;
    let (names, marker) = input::page(call, role.inline.keys().map(|name| (name.clone(), name)))?;
    let mut xml = Xml::new();
    xml.texts("PolicyNames", names);
    output::end_of_page(&mut xml, marker);
    Ok(xml)
}

pub(super) fn delete(iam: &Iam, call: &Scope<'_>) -> Result<Xml, AwsError> {
    let (role_name, name) = (input::role_name(call)?, input::policy_name(call)?);
    let mut state = iam.state();
    state.role_mut(role_name)?.inline.remove(name).ok_or_else(|| no_policy(name))?;
    state.recompile(role_name);
    Ok(Xml::new())
}

fn no_policy(name: &str) -> AwsError {
    no_such(format!("The role policy with name {name} cannot be found."))
}
