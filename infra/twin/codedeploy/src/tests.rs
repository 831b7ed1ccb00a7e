//! Deployments against neighbours that do as they are told, at a hundred times the speed, through the API.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use serde_json::{Value, json};
use tokio::time::Instant;
use twin_platform::{Account, Request, Speed};

use crate::{
    actions,
    core::Core,
    fake::{Fake, PRODUCTION, TEST, group},
};

struct Lab {
    core: Arc<Core>,
    fake: Arc<Fake>,
}

impl Lab {
    /// With an application and a deployment group, changed by `edit`.
    async fn with(edit: impl FnOnce(&mut Value)) -> Self {
        let fake = Arc::new(Fake::new());
        let speed = Speed::new(100.0).expect("a factor");
        let lab = Self { core: Arc::new(Core::new(Account::in_region("us-west-2"), speed, fake.clone())), fake };
        lab.ask("CreateApplication", json!({ "applicationName": "web", "computePlatform": "ECS" })).await;
        let mut group = group_input();
        edit(&mut group);
        lab.ask("CreateDeploymentGroup", group).await;
        lab
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn try_ask(&self, action: &str, input: Value) -> Result<Value, (String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", format!("CodeDeploy_20141006.{action}").parse().expect("a header"));
        let body = input.to_string().into();
        let answer =
            actions::handle(&self.core, Request { method: "POST".into(), uri: "/".into(), headers, body }).await;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if answer.status == 200 {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err((text("__type"), text("message")))
    }

    async fn ask(&self, action: &str, input: Value) -> Value {
        self.try_ask(action, input).await.unwrap_or_else(|error| panic!("{action}: {error:?}"))
    }

    async fn deploy(&self, more: Value) -> String {
        let made = self.ask("CreateDeployment", deployment_input("web:2", "web", more)).await;
        made["deploymentId"].as_str().expect("an id").to_owned()
    }

    async fn info(&self, id: &str) -> Value {
        self.ask("GetDeployment", json!({ "deploymentId": id })).await["deploymentInfo"].clone()
    }

    async fn until(&self, id: &str, status: &str) -> Value {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let info = self.info(id).await;
            if info["status"] == status {
                return info;
            }
            assert!(Instant::now() < end, "{info}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn events(&self, id: &str) -> Vec<(String, String)> {
        let input = json!({ "deploymentId": id, "targetId": "main:web" });
        let target = self.ask("GetDeploymentTarget", input).await["deploymentTarget"]["ecsTarget"].clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = target["lifecycleEvents"].as_array().cloned().unwrap_or_default();
        events.iter().map(|event| (text(&event["lifecycleEventName"]), text(&event["status"]))).collect()
    }

    /// Only the original task set is there, and it has all traffic.
    async fn is_as_before(&self, failed: &Value) {
        let rollback = failed["rollbackInfo"]["rollbackDeploymentId"].as_str().expect("a rollback");
        let rollback = self.until(rollback, "Succeeded").await;
        assert_eq!(rollback["creator"], "codeDeployRollback");
        assert_eq!(rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"], failed["deploymentId"]);
        let world = self.fake.world();
        let sets: Vec<_> = world.sets.iter().map(|set| (set.id.as_deref(), set.status.as_deref())).collect();
        assert_eq!(sets, [(Some("ecs-svc/1"), Some("PRIMARY"))]);
        for weights in [&world.production, &world.test] {
            assert_eq!(*weights, [(group("blue"), 100), (group("green"), 0)]);
        }
    }
}

fn group_input() -> Value {
    json!({
        "applicationName": "web",
        "deploymentGroupName": "web",
        "serviceRoleArn": "arn:aws:iam::123456789012:role/deploy",
        "deploymentStyle": { "deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL" },
        "blueGreenDeploymentConfiguration": {
            "terminateBlueInstancesOnDeploymentSuccess": { "action": "TERMINATE", "terminationWaitTimeInMinutes": 1 },
            "deploymentReadyOption": { "actionOnTimeout": "CONTINUE_DEPLOYMENT" },
        },
        "loadBalancerInfo": { "targetGroupPairInfoList": [{
            "targetGroups": [{ "name": "blue" }, { "name": "green" }],
            "prodTrafficRoute": { "listenerArns": [PRODUCTION] },
            "testTrafficRoute": { "listenerArns": [TEST] },
        }] },
        "alarmConfiguration": { "enabled": true, "alarms": [{ "name": "errors" }] },
        "autoRollbackConfiguration": { "enabled": true, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"] },
        "ecsServices": [{ "clusterName": "main", "serviceName": "web" }],
    })
}

fn deployment_input(task_definition: &str, container: &str, more: Value) -> Value {
    let appspec = json!({ "version": 0.0, "Resources": [{ "TargetService": {
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": task_definition,
            "LoadBalancerInfo": { "ContainerName": container, "ContainerPort": 8080 },
        },
    } }] });
    let mut input = json!({
        "applicationName": "web",
        "deploymentGroupName": "web",
        "revision": { "revisionType": "AppSpecContent", "appSpecContent": { "content": appspec.to_string() } },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    input
}

#[tokio::test]
async fn a_good_revision_takes_over_all_at_once() {
    let lab = Lab::new().await;
    let id = lab.deploy(json!({})).await;
    let info = lab.until(&id, "Succeeded").await;
    assert_eq!(info["creator"], "user");
    assert!(info["completeTime"].as_f64() >= info["startTime"].as_f64());
    let events = lab.events(&id).await;
    assert_eq!(events.len(), 8);
    assert!(events.iter().all(|(_, status)| status == "Succeeded"), "{events:?}");
    {
        let world = lab.fake.world();
        assert_eq!(world.shares, [0, 100]);
        assert_eq!(world.sets.len(), 1, "the original task set is gone");
        assert_eq!(world.sets[0].status.as_deref(), Some("PRIMARY"));
        assert_eq!(world.sets[0].external_id.as_deref(), Some(&*id));
    }
    let group = lab.ask("GetDeploymentGroup", json!({ "applicationName": "web", "deploymentGroupName": "web" })).await;
    assert_eq!(group["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"], id);
    // The next one goes the other way.
    let next = lab.deploy(json!({})).await;
    lab.until(&next, "Succeeded").await;
    assert_eq!(lab.fake.world().shares, [0, 100, 100, 0]);
}

#[tokio::test]
async fn traffic_goes_over_in_the_steps_of_the_configuration() {
    for (kind, shares) in [
        (
            json!({ "type": "TimeBasedCanary", "timeBasedCanary": { "canaryPercentage": 20, "canaryInterval": 1 } }),
            vec![0, 20, 100],
        ),
        (
            json!({ "type": "TimeBasedLinear", "timeBasedLinear": { "linearPercentage": 40, "linearInterval": 1 } }),
            vec![0, 40, 80, 100],
        ),
    ] {
        let lab = Lab::new().await;
        let config = json!({ "deploymentConfigName": "own", "computePlatform": "ECS", "trafficRoutingConfig": kind });
        lab.ask("CreateDeploymentConfig", config).await;
        let id = lab.deploy(json!({ "deploymentConfigName": "own" })).await;
        lab.until(&id, "Succeeded").await;
        assert_eq!(lab.fake.world().shares, shares);
    }
}

#[tokio::test]
async fn an_alarm_stops_and_rolls_back() {
    let lab = Lab::new().await;
    let canary = json!({ "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent15Minutes" });
    let id = lab.deploy(canary).await;
    while !lab.fake.world().shares.contains(&10) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lab.fake.world().active_alarms = vec!["errors".into(), "of somebody else".into()];
    let stopped = lab.until(&id, "Stopped").await;
    assert_eq!(stopped["errorInformation"]["code"], "ALARM_ACTIVE");
    assert!(stopped["errorInformation"]["message"].as_str().is_some_and(|it| it.contains("<errors>")), "{stopped}");
    lab.is_as_before(&stopped).await;
    let events = lab.events(&id).await;
    assert_eq!(events[6], ("AllowTraffic".to_owned(), "Failed".to_owned()));
    assert_eq!(events[7], ("AfterAllowTraffic".to_owned(), "Skipped".to_owned()));
}

#[tokio::test]
async fn a_task_set_that_never_gets_healthy_fails_after_an_hour() {
    let lab = Lab::new().await;
    lab.fake.world().healthy = false;
    let id = lab.deploy(json!({})).await;
    let failed = lab.until(&id, "Failed").await;
    assert_eq!(failed["errorInformation"]["code"], "TIMEOUT");
    lab.is_as_before(&failed).await;
}

#[tokio::test]
async fn a_person_stops_one_with_or_without_a_rollback() {
    let lab = Lab::new().await;
    let canary = json!({ "deploymentConfigName": "CodeDeployDefault.ECSCanary10Percent15Minutes" });
    let id = lab.deploy(canary.clone()).await;
    let refused = lab.try_ask("CreateDeployment", deployment_input("web:2", "web", json!({}))).await;
    let (code, message) = refused.expect_err("one at a time");
    assert_eq!(code, "DeploymentLimitExceededException");
    assert!(message.contains(&id), "{message}");
    lab.ask("StopDeployment", json!({ "deploymentId": id, "autoRollbackEnabled": true })).await;
    let stopped = lab.until(&id, "Stopped").await;
    assert_eq!(stopped["errorInformation"]["code"], "MANUAL_STOP");
    lab.is_as_before(&stopped).await;
    let again = lab.try_ask("StopDeployment", json!({ "deploymentId": id })).await.expect_err("it is over");
    assert_eq!(again.0, "DeploymentAlreadyCompletedException");

    let id = lab.deploy(canary).await;
    while lab.fake.world().sets.len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lab.ask("StopDeployment", json!({ "deploymentId": id })).await;
    let stopped = lab.until(&id, "Stopped").await;
    assert_eq!(stopped["rollbackInfo"], Value::Null);
    assert_eq!(lab.fake.world().sets.len(), 2, "nobody has asked for a rollback");
    // The next deployment clears what is left.
    let id = lab.deploy(json!({})).await;
    lab.until(&id, "Succeeded").await;
    assert_eq!(lab.fake.world().sets.len(), 1);
}

#[tokio::test]
async fn a_deployment_waits_to_be_continued() {
    let ready = json!({ "actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 60 });
    let lab = Lab::with(|group| group["blueGreenDeploymentConfiguration"]["deploymentReadyOption"] = ready).await;
    let id = lab.deploy(json!({})).await;
    let early = lab.try_ask("ContinueDeployment", json!({ "deploymentId": id })).await;
    assert_eq!(early.expect_err("not yet").0, "DeploymentIsNotInReadyStateException");
    lab.until(&id, "Ready").await;
    assert_eq!(lab.fake.world().test, [(group("blue"), 0), (group("green"), 100)], "it can be looked at");
    assert_eq!(lab.fake.world().shares, [0]);
    lab.ask("ContinueDeployment", json!({ "deploymentId": id, "deploymentWaitType": "READY_WAIT" })).await;
    lab.until(&id, "Succeeded").await;
}

#[tokio::test]
async fn what_cannot_be_deployed_is_refused_and_nothing_begins() {
    let lab = Lab::new().await;
    for (input, code, named) in [
        (deployment_input("web:2", "sidecar", json!({})), "InvalidRevisionException", "sidecar"),
        (deployment_input("other:1", "web", json!({})), "InvalidRevisionException", "other:1"),
        (
            deployment_input("web:2", "web", json!({ "deploymentConfigName": "none" })),
            "DeploymentConfigDoesNotExistException",
            "none",
        ),
        (
            deployment_input("web:2", "web", json!({ "deploymentGroupName": "none" })),
            "DeploymentGroupDoesNotExistException",
            "none",
        ),
        (deployment_input("web:2", "web", json!({ "revision": null })), "RevisionRequiredException", "Revision"),
        (
            deployment_input(
                "web:2",
                "web",
                json!({ "revision": { "revisionType": "AppSpecContent", "appSpecContent": { "content": "version: 0.0", "sha256": "00" } } }),
            ),
            "InvalidRevisionException",
            "SHA256",
        ),
    ] {
        let (found, message) = lab.try_ask("CreateDeployment", input).await.expect_err(code);
        assert_eq!(found, code, "{message}");
        assert!(message.contains(named), "{message}");
    }
    assert_eq!(lab.ask("ListDeployments", json!({})).await["deployments"], json!([]));
    assert_eq!(lab.fake.world().sets.len(), 1);
}

#[tokio::test]
async fn a_group_is_held_to_the_rules() {
    type Spoil = fn(&mut Value);
    let spoiled: [(&str, Spoil); 7] = [
        ("RoleRequiredException", |it| it["serviceRoleArn"] = "".into()),
        ("InvalidDeploymentStyleException", |it| it["deploymentStyle"]["deploymentType"] = "IN_PLACE".into()),
        ("InvalidTargetGroupPairException", |it| {
            it["loadBalancerInfo"]["targetGroupPairInfoList"][0]["targetGroups"] = json!([{ "name": "blue" }]);
        }),
        ("InvalidLoadBalancerInfoException", |it| it["loadBalancerInfo"] = json!({})),
        ("InvalidECSServiceException", |it| it["ecsServices"][0]["serviceName"] = "none".into()),
        ("InvalidAutoRollbackConfigException", |it| it["autoRollbackConfiguration"]["events"] = json!(["NO"])),
        ("InvalidBlueGreenDeploymentConfigurationException", |it| it["blueGreenDeploymentConfiguration"] = json!({})),
    ];
    let lab = Lab::new().await;
    for (code, spoil) in spoiled {
        let mut input = group_input();
        input["deploymentGroupName"] = "second".into();
        spoil(&mut input);
        let refused = lab.try_ask("CreateDeploymentGroup", input).await.expect_err(code);
        assert_eq!(refused.0, code, "{}", refused.1);
    }
    lab.fake.world().controller = "ECS";
    let mut input = group_input();
    input["deploymentGroupName"] = "second".into();
    let refused = lab.try_ask("CreateDeploymentGroup", input).await.expect_err("the wrong controller");
    assert_eq!(refused.0, "InvalidECSServiceException");
    let lambda = json!({ "applicationName": "function", "computePlatform": "Lambda" });
    let refused = lab.try_ask("CreateApplication", lambda).await.expect_err("not imitated");
    assert_eq!(refused.0, "NotImplemented");
    assert!(refused.1.contains("Lambda"), "{}", refused.1);
}
