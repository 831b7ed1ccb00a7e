//! Applications: names under which deployment groups are kept.

use std::{collections::BTreeMap, sync::Arc};

use twin_platform::AwsError;
use winterbaume_codedeploy::model::{
    ApplicationInfo, BatchGetApplicationsInput, BatchGetApplicationsOutput, CreateApplicationInput,
    CreateApplicationOutput, DeleteApplicationInput, GetApplicationInput, GetApplicationOutput, ListApplicationsInput,
    ListApplicationsOutput,
};

use super::{is_name, no_page, refuse};
use crate::core::{Application, Core, now_s};

pub(super) fn create(core: &Arc<Core>, input: CreateApplicationInput) -> Result<CreateApplicationOutput, AwsError> {
    let name = input.application_name;
    if name.is_empty() {
        return Err(AwsError::client("ApplicationNameRequiredException", "Application name is required"));
    }
    if !is_name(&name) {
        return Err(AwsError::client(
            "InvalidApplicationNameException",
            format!("The application name {name} is not valid."),
        ));
    }
    match input.compute_platform.as_deref().unwrap_or("Server") {
        "ECS" => {}
        platform @ ("Server" | "Lambda") => refuse(true, &format!("the compute platform {platform} (only ECS)"))?,
        other => {
            let message = format!("The compute platform {other} is not valid: it is Server, Lambda or ECS.");
            return Err(AwsError::client("InvalidComputePlatformException", message));
        }
    }
    refuse(input.tags.is_some_and(|tags| !tags.is_empty()), "tags")?;
    let mut state = core.state();
    if state.applications.contains_key(&name) {
        let message = format!("Application already exists: {name}");
        return Err(AwsError::client("ApplicationAlreadyExistsException", message));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let info = ApplicationInfo {
        application_id: Some(id.clone()),
        application_name: Some(name.clone()),
        compute_platform: Some("ECS".into()),
        create_time: Some(now_s()),
        linked_to_git_hub: Some(false),
        git_hub_account_name: None,
    };
    state.applications.insert(name, Application { info, groups: BTreeMap::new() });
    Ok(CreateApplicationOutput { application_id: Some(id) })
}

pub(super) fn get(core: &Arc<Core>, input: GetApplicationInput) -> Result<GetApplicationOutput, AwsError> {
    let info = core.state().application(&input.application_name)?.info.clone();
    Ok(GetApplicationOutput { application: Some(info) })
}

pub(super) fn batch_get(
    core: &Arc<Core>,
    input: BatchGetApplicationsInput,
) -> Result<BatchGetApplicationsOutput, AwsError> {
    let mut state = core.state();
    let found: Result<Vec<_>, AwsError> =
        input.application_names.iter().map(|name| Ok(state.application(name)?.info.clone())).collect();
    Ok(BatchGetApplicationsOutput { applications_info: Some(found?) })
}

pub(super) fn list(core: &Arc<Core>, input: ListApplicationsInput) -> Result<ListApplicationsOutput, AwsError> {
    no_page(input.next_token.as_ref())?;
    let names = core.state().applications.keys().cloned().collect();
    Ok(ListApplicationsOutput { applications: Some(names), next_token: None })
}

/// One that does not exist is no error, as in AWS. Deployments stay readable.
pub(super) fn delete(core: &Arc<Core>, input: DeleteApplicationInput) -> Result<(), AwsError> {
    let mut state = core.state();
    let busy = state.applications.get(&input.application_name).is_some_and(|application| {
        application.groups.keys().any(|group| state.active(&input.application_name, group).is_some())
    });
    if busy {
        let message = "The application has a deployment in progress.";
        return Err(AwsError::client("InvalidInputException", message));
    }
    state.applications.remove(&input.application_name);
    Ok(())
}
