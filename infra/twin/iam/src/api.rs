//! The API: every action that is imitated, on one screen, with the parameters it understands. Query protocol.

mod attached;
mod inline;
mod input;
mod output;
mod policies;
mod roles;
mod simulate;
mod tags;
mod versions;

use twin_platform::{
    AwsError, Request, Response,
    query::{Params, Scope},
    xml::Xml,
};

use crate::{Iam, error::refused};

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

type Handler = fn(&Iam, &Scope<'_>) -> Result<Xml, AwsError>;

/// Name, parameters (any other is refused by name, never ignored), and who answers.
const ACTIONS: &[(&str, &[&str], Handler)] = &[
    ("AttachRolePolicy", &["RoleName", "PolicyArn"], attached::attach),
    ("CreatePolicy", &["PolicyName", "Path", "PolicyDocument", "Description", "Tags"], policies::create),
    ("CreatePolicyVersion", &["PolicyArn", "PolicyDocument", "SetAsDefault"], versions::create),
    (
        "CreateRole",
        &["Path", "RoleName", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Tags"],
        roles::create,
    ),
    ("DeletePolicy", &["PolicyArn"], policies::delete),
    ("DeletePolicyVersion", &["PolicyArn", "VersionId"], versions::delete),
    ("DeleteRole", &["RoleName"], roles::delete),
    ("DeleteRolePolicy", &["RoleName", "PolicyName"], inline::delete),
    ("DetachRolePolicy", &["RoleName", "PolicyArn"], attached::detach),
    ("GetPolicy", &["PolicyArn"], policies::get),
    ("GetPolicyVersion", &["PolicyArn", "VersionId"], versions::get),
    ("GetRole", &["RoleName"], roles::get),
    ("GetRolePolicy", &["RoleName", "PolicyName"], inline::get),
    ("ListAttachedRolePolicies", &["RoleName", "PathPrefix", "Marker", "MaxItems"], attached::list),
    ("ListEntitiesForPolicy", &["PolicyArn", "EntityFilter", "PathPrefix", "Marker", "MaxItems"], attached::holders),
    ("ListPolicies", &["Scope", "OnlyAttached", "PathPrefix", "Marker", "MaxItems"], policies::list),
    ("ListPolicyTags", &["PolicyArn", "Marker", "MaxItems"], tags::of_policy),
    ("ListPolicyVersions", &["PolicyArn", "Marker", "MaxItems"], versions::list),
    ("ListRolePolicies", &["RoleName", "Marker", "MaxItems"], inline::list),
    ("ListRoleTags", &["RoleName", "Marker", "MaxItems"], tags::of_role),
    ("ListRoles", &["PathPrefix", "Marker", "MaxItems"], roles::list),
    ("PutRolePolicy", &["RoleName", "PolicyName", "PolicyDocument"], inline::put),
    ("SetDefaultPolicyVersion", &["PolicyArn", "VersionId"], versions::set_default),
    (
        "SimulatePrincipalPolicy",
        &["PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries", "Marker", "MaxItems"],
        simulate::principal,
    ),
    ("TagPolicy", &["PolicyArn", "Tags"], tags::tag_policy),
    ("TagRole", &["RoleName", "Tags"], tags::tag_role),
    ("UntagPolicy", &["PolicyArn", "TagKeys"], tags::untag_policy),
    ("UntagRole", &["RoleName", "TagKeys"], tags::untag_role),
    ("UpdateAssumeRolePolicy", &["RoleName", "PolicyDocument"], roles::update_trust),
    ("UpdateRole", &["RoleName", "Description", "MaxSessionDuration"], roles::update),
];

/// Answers one call.
pub(crate) fn call(iam: &Iam, request: &Request) -> Result<Response, AwsError> {
    let params = Params::of(request);
    let call = params.root();
    let name = call.get("Action").ok_or_else(|| AwsError::client("MissingAction", "The request has no Action"))?;
    let Some((name, known, handler)) = ACTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(refused(name));
    };
    if let Some(unknown) = params.unknown(known) {
        return Err(refused(format!("{name} with {unknown}")));
    }
    Ok(handler(iam, &call)?.response(name, NAMESPACE))
}
