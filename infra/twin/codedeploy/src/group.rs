//! A deployment group: the rules that it must keep, and the plan that a deployment makes of it.

use std::time::Duration;

use twin_platform::{AwsError, Speed};
use winterbaume_codedeploy::model::{
    AlarmConfiguration, AutoRollbackConfiguration, BlueGreenDeploymentConfiguration, DeploymentGroupInfo,
    DeploymentStyle, LoadBalancerInfo, TargetGroupPairInfo, TrafficRoute,
};

use crate::neighbours::{Place, Platform};

/// "Maximum number of alarms that can be added to a deployment group".
const ALARMS_MAX: usize = 10;
/// Two days: the longest wait that AWS takes.
const WAIT_MAX_MINUTES: i32 = 2880;
const ROLLBACK_EVENTS: [&str; 3] = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"];

/// Where the traffic of a group goes.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) groups: [String; 2],
    pub(crate) production: String,
    pub(crate) test: Option<String>,
}

/// What of a group a deployment needs; a change of the group does not touch a deployment under way.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) place: Place,
    pub(crate) route: Route,
    /// How long it waits for ContinueDeployment before it gives up; none when it goes on at once.
    pub(crate) ready: Option<Duration>,
    /// How long the original task set stays; none when it is kept.
    pub(crate) terminate: Option<Duration>,
    pub(crate) alarms: Vec<String>,
    pub(crate) ignore_poll_failure: bool,
    pub(crate) rollback: Vec<String>,
}

impl Plan {
    /// Reads the group, with what a deployment says instead.
    pub(crate) fn of(
        group: &DeploymentGroupInfo,
        alarms: Option<&AlarmConfiguration>,
        rollback: Option<&AutoRollbackConfiguration>,
        speed: Speed,
    ) -> Result<Self, AwsError> {
        let alarms = alarms.or(group.alarm_configuration.as_ref()).filter(|it| it.enabled == Some(true));
        let rollback = rollback.or(group.auto_rollback_configuration.as_ref()).filter(|it| it.enabled == Some(true));
        let minutes = |minutes: Option<i32>| speed.wait(f64::from(minutes.unwrap_or_default()) * 60.0);
        let blue_green = group.blue_green_deployment_configuration.clone().unwrap_or_default();
        let ready = blue_green.deployment_ready_option.unwrap_or_default();
        let blue = blue_green.terminate_blue_instances_on_deployment_success.unwrap_or_default();
        Ok(Self {
            place: place(group)?,
            route: route(group.load_balancer_info.as_ref())?,
            ready: (ready.action_on_timeout.as_deref() == Some("STOP_DEPLOYMENT"))
                .then(|| minutes(ready.wait_time_in_minutes)),
            terminate: (blue.action.as_deref() != Some("KEEP_ALIVE"))
                .then(|| minutes(blue.termination_wait_time_in_minutes)),
            alarms: alarms.map(names).unwrap_or_default(),
            ignore_poll_failure: alarms.and_then(|it| it.ignore_poll_alarm_failure).unwrap_or_default(),
            rollback: rollback.and_then(|it| it.events.clone()).unwrap_or_default(),
        })
    }
}

/// Holds a group to the rules, with the services that it names.
pub(crate) async fn check(platform: &dyn Platform, group: &DeploymentGroupInfo) -> Result<(), AwsError> {
    if group.service_role_arn.as_deref().is_none_or(str::is_empty) {
        return Err(AwsError::client("RoleRequiredException", "Service role ARN is required"));
    }
    if !group.service_role_arn.as_deref().is_some_and(|role| role.starts_with("arn:aws:iam::")) {
        return Err(AwsError::client("InvalidRoleException", "The specified role ARN is not in the valid format."));
    }
    style(group.deployment_style.as_ref())?;
    blue_green(group.blue_green_deployment_configuration.as_ref())?;
    alarms(group.alarm_configuration.as_ref())?;
    rollback(group.auto_rollback_configuration.as_ref(), group.alarm_configuration.as_ref())?;
    let route = route(group.load_balancer_info.as_ref())?;
    let place = place(group)?;
    for name in &route.groups {
        platform.routes().target_group(name).await.map_err(|error| {
            AwsError::client(
                "InvalidTargetGroupPairException",
                format!("The target group {name} cannot be used: {}", error.message),
            )
        })?;
    }
    for listener in [Some(&route.production), route.test.as_ref()].into_iter().flatten() {
        platform.routes().weights(listener).await.map_err(|error| {
            AwsError::client(
                "InvalidLoadBalancerInfoException",
                format!("The listener cannot be used: {}", error.message),
            )
        })?;
    }
    let missing = || invalid_service(format!("The ECS service {} does not exist or is not active.", place.service));
    // A missing cluster is a missing service too.
    let service = platform.service(&place).await.ok().flatten().ok_or_else(missing)?;
    if service.deployment_controller.is_none_or(|controller| controller.r#type != "CODE_DEPLOY") {
        return Err(invalid_service(
            "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
        ));
    }
    Ok(())
}

fn style(style: Option<&DeploymentStyle>) -> Result<(), AwsError> {
    let right = style.is_some_and(|style| {
        style.deployment_type.as_deref() == Some("BLUE_GREEN")
            && style.deployment_option.as_deref() == Some("WITH_TRAFFIC_CONTROL")
    });
    let message =
        "For ECS deployment group, deployment type can only be BLUE_GREEN with deployment option WITH_TRAFFIC_CONTROL.";
    if right { Ok(()) } else { Err(AwsError::client("InvalidDeploymentStyleException", message)) }
}

fn blue_green(given: Option<&BlueGreenDeploymentConfiguration>) -> Result<(), AwsError> {
    let refuse = |message: &str| Err(AwsError::client("InvalidBlueGreenDeploymentConfigurationException", message));
    let Some(given) = given else {
        return refuse("Blue/green deployment configuration is required for an ECS deployment group.");
    };
    if given.green_fleet_provisioning_option.is_some() {
        return refuse("greenFleetProvisioningOption is not supported for an ECS deployment group.");
    }
    let Some(blue) = &given.terminate_blue_instances_on_deployment_success else {
        return refuse("terminateBlueInstancesOnDeploymentSuccess is required for an ECS deployment group.");
    };
    let Some(ready) = &given.deployment_ready_option else {
        return refuse("deploymentReadyOption is required for an ECS deployment group.");
    };
    if !matches!(blue.action.as_deref(), None | Some("TERMINATE" | "KEEP_ALIVE")) {
        return refuse("The action on the original task set must be TERMINATE or KEEP_ALIVE.");
    }
    let waits = [blue.termination_wait_time_in_minutes, ready.wait_time_in_minutes];
    if waits.into_iter().flatten().any(|minutes| !(0..=WAIT_MAX_MINUTES).contains(&minutes)) {
        return refuse("The wait time must be between 0 and 2880 minutes.");
    }
    match (ready.action_on_timeout.as_deref(), ready.wait_time_in_minutes.unwrap_or_default()) {
        (Some("STOP_DEPLOYMENT"), 0) => refuse("STOP_DEPLOYMENT needs a wait time of at least one minute."),
        (Some("CONTINUE_DEPLOYMENT"), 1..) => refuse("CONTINUE_DEPLOYMENT takes no wait time."),
        (None | Some("STOP_DEPLOYMENT" | "CONTINUE_DEPLOYMENT"), _) => Ok(()),
        _ => refuse("The action on timeout must be CONTINUE_DEPLOYMENT or STOP_DEPLOYMENT."),
    }
}

/// Holds an alarm configuration to the rules.
pub(crate) fn alarms(given: Option<&AlarmConfiguration>) -> Result<(), AwsError> {
    let Some(given) = given else { return Ok(()) };
    let names = names(given);
    if names.len() > ALARMS_MAX {
        return Err(AwsError::client(
            "AlarmsLimitExceededException",
            "The maximum number of alarms for a deployment group (10) was exceeded.",
        ));
    }
    if given.enabled == Some(true) && names.iter().all(String::is_empty) {
        return Err(AwsError::client(
            "InvalidAlarmConfigException",
            "At least one alarm is needed when alarms are enabled.",
        ));
    }
    Ok(())
}

/// Holds a rollback configuration to the rules.
pub(crate) fn rollback(
    given: Option<&AutoRollbackConfiguration>,
    alarms: Option<&AlarmConfiguration>,
) -> Result<(), AwsError> {
    let refuse = |message: String| Err(AwsError::client("InvalidAutoRollbackConfigException", message));
    let Some(given) = given else { return Ok(()) };
    let events = given.events.as_deref().unwrap_or_default();
    if let Some(unknown) = events.iter().find(|event| !ROLLBACK_EVENTS.contains(&event.as_str())) {
        return refuse(format!("The auto-rollback event {unknown} is not valid."));
    }
    if given.enabled == Some(true) && events.is_empty() {
        return refuse("At least one auto-rollback event is needed when auto-rollback is enabled.".into());
    }
    let on_alarm = given.enabled == Some(true) && events.iter().any(|event| event == "DEPLOYMENT_STOP_ON_ALARM");
    if on_alarm && alarms.is_none_or(|alarms| alarms.enabled != Some(true)) {
        return refuse("DEPLOYMENT_STOP_ON_ALARM needs an enabled alarm configuration.".into());
    }
    Ok(())
}

fn names(given: &AlarmConfiguration) -> Vec<String> {
    given.alarms.iter().flatten().filter_map(|alarm| alarm.name.clone()).collect()
}

fn route(given: Option<&LoadBalancerInfo>) -> Result<Route, AwsError> {
    let pairs = given.and_then(|it| it.target_group_pair_info_list.as_deref()).unwrap_or_default();
    let [pair] = pairs else {
        let message = "An ECS deployment group needs loadBalancerInfo with one target group pair.";
        return Err(AwsError::client("InvalidLoadBalancerInfoException", message));
    };
    let TargetGroupPairInfo { target_groups, prod_traffic_route, test_traffic_route } = pair;
    let names: Vec<String> = target_groups.iter().flatten().filter_map(|group| group.name.clone()).collect();
    let groups: [String; 2] = names.try_into().map_err(|names: Vec<String>| {
        let message = format!("A target group pair has two target groups, not {}.", names.len());
        AwsError::client("InvalidTargetGroupPairException", message)
    })?;
    if groups[0] == groups[1] {
        return Err(AwsError::client("InvalidTargetGroupPairException", "The two target groups must not be the same."));
    }
    let production = listener(prod_traffic_route.as_ref(), "prodTrafficRoute")?.ok_or_else(|| {
        AwsError::client(
            "InvalidLoadBalancerInfoException",
            "A target group pair needs a prodTrafficRoute with one listener.",
        )
    })?;
    let test = listener(test_traffic_route.as_ref(), "testTrafficRoute")?;
    if test.as_ref() == Some(&production) {
        let message = "The production listener and the test listener must not be the same.";
        return Err(AwsError::client("InvalidLoadBalancerInfoException", message));
    }
    Ok(Route { groups, production, test })
}

fn listener(route: Option<&TrafficRoute>, which: &str) -> Result<Option<String>, AwsError> {
    match route.and_then(|route| route.listener_arns.as_deref()).unwrap_or_default() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        _ => Err(AwsError::client("InvalidLoadBalancerInfoException", format!("{which} takes one listener."))),
    }
}

/// The service that the group deploys.
pub(crate) fn place(group: &DeploymentGroupInfo) -> Result<Place, AwsError> {
    match group.ecs_services.as_deref().unwrap_or_default() {
        [one] => Ok(Place {
            cluster: one.cluster_name.clone().unwrap_or_else(|| "default".into()),
            service: one.service_name.clone().ok_or_else(|| invalid_service("The ECS service has no name."))?,
        }),
        services => {
            Err(invalid_service(format!("An ECS deployment group has one ECS service, not {}.", services.len())))
        }
    }
}

fn invalid_service(message: impl Into<String>) -> AwsError {
    AwsError::client("InvalidECSServiceException", message)
}
