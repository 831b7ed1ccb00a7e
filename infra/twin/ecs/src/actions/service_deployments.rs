//! ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions, StopServiceDeployment.

use std::sync::Arc;

use twin_platform::AwsError;
use winterbaume_ecs::model::{
    DescribeServiceDeploymentsRequest, DescribeServiceDeploymentsResponse, DescribeServiceRevisionsRequest,
    DescribeServiceRevisionsResponse, ListServiceDeploymentsRequest, ListServiceDeploymentsResponse,
    StopServiceDeploymentRequest, StopServiceDeploymentResponse,
};

use super::{
    input::{invalid, missing, page},
    services::{key_of, not_found},
};
use crate::{
    arn,
    core::Core,
    state::{Course, Service, ServiceDeployment, ServiceKey, State},
};

pub(super) fn list(
    core: &Arc<Core>,
    input: ListServiceDeploymentsRequest,
) -> Result<ListServiceDeploymentsResponse, AwsError> {
    let account = &core.settings.account;
    let all = core.read(|state| {
        let key = key_of(state, input.cluster.as_deref(), &input.service)?;
        let service = state.services.get(&key).ok_or_else(not_found)?;
        let statuses = input.status.as_deref().filter(|wanted| !wanted.is_empty());
        let created = input.created_at.as_ref();
        let fits = |it: &&ServiceDeployment| {
            statuses.is_none_or(|wanted| wanted.iter().any(|status| status == it.course.as_str()))
                && created.and_then(|bound| bound.before).is_none_or(|before| it.created_at < before)
                && created.and_then(|bound| bound.after).is_none_or(|after| it.created_at > after)
        };
        let newest_first = service.history.iter().rev().filter(fits);
        Ok::<_, AwsError>(newest_first.map(|it| it.brief(account, &key)).collect())
    })?;
    let (briefs, next_token) = page(all, input.next_token.as_deref(), input.max_results, 100)?;
    Ok(ListServiceDeploymentsResponse { service_deployments: Some(briefs), next_token })
}

pub(super) fn describe(
    core: &Arc<Core>,
    input: DescribeServiceDeploymentsRequest,
) -> Result<DescribeServiceDeploymentsResponse, AwsError> {
    few("serviceDeploymentArns", &input.service_deployment_arns)?;
    let account = &core.settings.account;
    core.read(|state| {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for given in &input.service_deployment_arns {
            let Some((service, deployment)) = look_up(state, given) else {
                failures.push(missing(given.clone()));
                continue;
            };
            found.push(deployment.wire(account, service, |cohort| {
                let index = service.deployments.iter().position(|it| it.cohort.id == cohort);
                let wanted = index.map_or(0, |index| service.wanted(index));
                let (running, pending) = service.counts(state, Some(cohort));
                (i32::try_from(wanted).unwrap_or(i32::MAX), running, pending)
            }));
        }
        Ok(DescribeServiceDeploymentsResponse { service_deployments: Some(found), failures: Some(failures) })
    })
}

pub(super) fn revisions(
    core: &Arc<Core>,
    input: DescribeServiceRevisionsRequest,
) -> Result<DescribeServiceRevisionsResponse, AwsError> {
    few("serviceRevisionArns", &input.service_revision_arns)?;
    core.read(|state| {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for given in &input.service_revision_arns {
            let service = service_of(state, given, "service-revision");
            let revision = service.and_then(|(service, id)| {
                let revision = service.revisions.iter().find(|it| arn::last_part(&it.id) == id)?;
                Some(revision.wire(&core.settings.account, &service.key))
            });
            match revision {
                Some(revision) => found.push(revision),
                None => failures.push(missing(given.clone())),
            }
        }
        Ok(DescribeServiceRevisionsResponse { service_revisions: Some(found), failures: Some(failures) })
    })
}

/// Asks the service's loop to roll back, or to leave everything as it is now.
pub(super) fn stop(
    core: &Arc<Core>,
    input: StopServiceDeploymentRequest,
) -> Result<StopServiceDeploymentResponse, AwsError> {
    let request = match input.stop_type.as_deref().unwrap_or("ROLLBACK") {
        "ROLLBACK" => Course::RollbackRequested,
        "ABORT" => Course::StopRequested,
        other => return Err(invalid(format!("Invalid stopType {other}: use ROLLBACK or ABORT."))),
    };
    core.change(|state| {
        let unknown =
            || AwsError::client("ServiceDeploymentNotFoundException", "The service deployment was not found.");
        let (service, deployment) = look_up(state, &input.service_deployment_arn).ok_or_else(unknown)?;
        if !matches!(deployment.course, Course::Pending | Course::InProgress) {
            let status = deployment.course.as_str();
            let message = format!("The service deployment cannot be stopped: its status is {status}.");
            return Err(AwsError::client("ConflictException", message));
        }
        if request == Course::RollbackRequested && service.proven().is_none() {
            return Err(invalid("There is no completed service revision to roll back to."));
        }
        let key = service.key.clone();
        if let Some(current) = state.services.get_mut(&key).and_then(Service::current_mut) {
            current.turn(request, None);
        }
        Ok(StopServiceDeploymentResponse { service_deployment_arn: Some(input.service_deployment_arn.clone()) })
    })
}

fn few(name: &str, arns: &[String]) -> Result<(), AwsError> {
    match arns.len() {
        0 => Err(invalid(format!("{name} cannot be empty."))),
        1..=20 => Ok(()),
        _ => Err(invalid(format!("{name} cannot have more than 20 elements."))),
    }
}

fn service_of<'a, 'b>(state: &'a State, arn: &'b str, kind: &str) -> Option<(&'a Service, &'b str)> {
    let (cluster, name, id) = arn::parts_of(arn, kind)?;
    let key = ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() };
    Some((state.services.get(&key)?, id))
}

fn look_up<'a>(state: &'a State, arn: &str) -> Option<(&'a Service, &'a ServiceDeployment)> {
    let (service, id) = service_of(state, arn, "service-deployment")?;
    Some((service, service.history.iter().find(|it| it.id == id)?))
}
