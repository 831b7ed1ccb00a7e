//! Deployments with two revisions side by side: success, every way back, and what is refused.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    fakes::{GREEN_TARGET_GROUP, TARGET_GROUP},
    lab::{CLUSTER, Lab, server, told, wait_for},
    services::balanced,
};

const RULE: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/lab/1/2/3";
const TEST_RULE: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/lab/1/4/5";

fn shared(blue: u32, green: u32) -> Vec<(String, u32)> {
    vec![(TARGET_GROUP.to_owned(), blue), (GREEN_TARGET_GROUP.to_owned(), green)]
}

/// A service with this strategy, all of whose traffic goes to the blue group.
async fn deployed(lab: &Lab, definition: &str, strategy: Value) {
    {
        let mut rules = lab.targets.rules.lock().expect("no test panicked here");
        rules.insert(RULE.to_owned(), shared(100, 0));
        rules.insert(TEST_RULE.to_owned(), shared(100, 0));
    }
    lab.ok("CreateService", request(definition, strategy)).await;
    lab.completed().await;
}

fn request(definition: &str, strategy: Value) -> Value {
    let mut request = balanced(definition, 2);
    request["healthCheckGracePeriodSeconds"] = json!(5);
    request["loadBalancers"][0]["advancedConfiguration"] = json!({
        "alternateTargetGroupArn": GREEN_TARGET_GROUP,
        "productionListenerRule": RULE,
        "testListenerRule": TEST_RULE,
        "roleArn": "arn:aws:iam::123456789012:role/ecsInfrastructureRole",
    });
    for (name, value) in strategy.as_object().expect("an object") {
        request["deploymentConfiguration"][name] = value.clone();
    }
    request
}

fn blue_green(minutes: u32) -> Value {
    json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": minutes })
}

async fn update(lab: &Lab, definition: &str) {
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "taskDefinition": definition })).await;
}

/// The newest service deployment.
async fn newest(lab: &Lab) -> Value {
    let listed = lab.ok("ListServiceDeployments", json!({ "cluster": CLUSTER, "service": "golden" })).await;
    let arn = listed["serviceDeployments"][0]["serviceDeploymentArn"].clone();
    let answer = lab.ok("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] })).await;
    answer["serviceDeployments"][0].clone()
}

async fn newest_in(lab: &Lab, name: &str, value: &str) -> Value {
    wait_for(|| newest(lab), |it| it[name] == value, &format!("a service deployment with {name} {value}")).await
}

/// Asserts that blue serves, alone and untouched.
async fn back_on_blue(lab: &Lab, blue: &[Value], rollback: &Value) {
    let service = lab.completed().await;
    assert_eq!(
        rollback["rollback"]["serviceRevisionArn"], rollback["sourceServiceRevisions"][0]["arn"],
        "{rollback:#}"
    );
    assert_eq!(running(lab).await, blue, "{service:#}");
    assert_eq!(lab.targets.count(GREEN_TARGET_GROUP), 0);
    for rule in [RULE, TEST_RULE] {
        let weights = lab.targets.weights(rule);
        assert!(weights.contains(&(TARGET_GROUP.to_owned(), 100)) && weights.len() == 2, "{rule}: {weights:?}");
    }
}

async fn running(lab: &Lab) -> Vec<Value> {
    let tasks = lab.tasks().await;
    tasks.iter().filter(|it| it["lastStatus"] == "RUNNING").map(|it| it["taskArn"].clone()).collect()
}

fn broken() -> Value {
    let mut broken = server();
    broken["image"] = json!("golden:nope");
    broken
}

#[tokio::test(flavor = "multi_thread")]
async fn green_takes_over_from_blue_and_the_next_one_comes_back() {
    let lab = Lab::start(20.0).await;
    let definition = lab.register(server()).await;
    deployed(&lab, &definition, blue_green(1)).await;
    assert_eq!(newest(&lab).await["status"], "SUCCESSFUL");
    let new = lab.register(server()).await;
    update(&lab, &new).await;
    let baking = newest_in(&lab, "lifecycleStage", "BAKE_TIME").await;
    assert_eq!(baking["targetServiceRevision"]["requestedProductionTrafficWeight"], 100.0, "{baking:#}");
    assert_eq!(baking["sourceServiceRevisions"][0]["runningTaskCount"], 2);
    let service = lab.service().await;
    let counts: Vec<&Value> =
        service["deployments"].as_array().expect("a list").iter().map(|it| &it["runningCount"]).collect();
    assert_eq!(counts, [&json!(2), &json!(2)], "{service:#}");
    for rule in [RULE, TEST_RULE] {
        assert_eq!(lab.targets.weights(rule), [(GREEN_TARGET_GROUP.to_owned(), 100), (TARGET_GROUP.to_owned(), 0)]);
    }
    let done = newest_in(&lab, "status", "SUCCESSFUL").await;
    assert_eq!(done["lifecycleStage"], "CLEAN_UP");
    let seconds = done["finishedAt"].as_f64().expect("a time") - done["startedAt"].as_f64().expect("a time");
    assert!(seconds >= 3.0, "one minute of baking at speed 20 takes 3 s, not {seconds}");
    let service = lab.completed().await;
    assert_eq!((&service["taskDefinition"], &service["runningCount"]), (&json!(new), &json!(2)));
    assert_eq!((lab.targets.count(TARGET_GROUP), lab.targets.count(GREEN_TARGET_GROUP)), (0, 2));
    let arns = json!({ "serviceRevisionArns": [done["targetServiceRevision"]["arn"]] });
    let revision = lab.ok("DescribeServiceRevisions", arns).await["serviceRevisions"][0].clone();
    assert_eq!(revision["taskDefinition"], json!(new));
    assert_eq!(revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"], GREEN_TARGET_GROUP);

    let change = json!({ "cluster": CLUSTER, "service": "golden", "forceNewDeployment": true,
        "deploymentConfiguration": { "bakeTimeInMinutes": 0 } });
    lab.ok("UpdateService", change).await;
    newest_in(&lab, "status", "SUCCESSFUL").await;
    assert_eq!((lab.targets.count(TARGET_GROUP), lab.targets.count(GREEN_TARGET_GROUP)), (2, 0));
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_and_linear_steps_shift_a_part_first() {
    let lab = Lab::start(20.0).await;
    let definition = lab.register(server()).await;
    let canary = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 });
    let strategy = json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": canary });
    deployed(&lab, &definition, strategy).await;
    update(&lab, &lab.register(server()).await).await;
    let tenth = vec![(GREEN_TARGET_GROUP.to_owned(), 10), (TARGET_GROUP.to_owned(), 90)];
    wait_for(async || json!(lab.targets.weights(RULE)), |it| *it == json!(tenth), "a tenth on green").await;
    assert_eq!(newest(&lab).await["targetServiceRevision"]["requestedProductionTrafficWeight"], 10.0);
    newest_in(&lab, "status", "SUCCESSFUL").await;
    let linear = json!({ "stepPercent": 50.0, "stepBakeTimeInMinutes": 1 });
    let change = json!({ "cluster": CLUSTER, "service": "golden", "forceNewDeployment": true,
        "deploymentConfiguration": { "strategy": "LINEAR", "linearConfiguration": linear } });
    lab.ok("UpdateService", change).await;
    let half = vec![(TARGET_GROUP.to_owned(), 50), (GREEN_TARGET_GROUP.to_owned(), 50)];
    wait_for(async || json!(lab.targets.weights(RULE)), |it| *it == json!(half), "a half on the new one").await;
    newest_in(&lab, "status", "SUCCESSFUL").await;
    assert_eq!(lab.targets.weights(RULE), shared(100, 0));
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_image_and_a_task_that_is_never_healthy_roll_back() {
    let lab = Lab::start(50.0).await;
    let good = lab.register(server()).await;
    deployed(&lab, &good, blue_green(0)).await;
    let blue = running(&lab).await;
    let mut deaf = server();
    deaf["healthCheck"] = json!({ "command": ["CMD", "false"], "interval": 5, "retries": 1, "startPeriod": 0 });
    for (container, what) in [(broken(), "bad image"), (deaf, "never healthy")] {
        update(&lab, &lab.register(container).await).await;
        let done = newest_in(&lab, "status", "ROLLBACK_SUCCESSFUL").await;
        assert_eq!(
            done["statusReason"],
            "Service deployment rolled back because the circuit breaker threshold was exceeded."
        );
        assert_eq!(done["deploymentCircuitBreaker"]["status"], "TRIGGERED", "{what}: {done:#}");
        back_on_blue(&lab, &blue, &done).await;
        assert_eq!(lab.service().await["taskDefinition"], json!(good));
    }
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_during_the_bake_time_rolls_back() {
    let lab = Lab::start(20.0).await;
    let good = lab.register(server()).await;
    lab.alarms.states.lock().expect("no test panicked here").insert("errors".into(), "OK");
    let mut strategy = blue_green(10);
    strategy["alarms"] = json!({ "alarmNames": ["errors"], "enable": true, "rollback": true });
    deployed(&lab, &good, blue_green(0)).await;
    let blue = running(&lab).await;
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "deploymentConfiguration": strategy }))
        .await;
    update(&lab, &lab.register(server()).await).await;
    newest_in(&lab, "lifecycleStage", "BAKE_TIME").await;
    lab.alarms.states.lock().expect("no test panicked here").insert("errors".into(), "ALARM");
    let done = newest_in(&lab, "status", "ROLLBACK_SUCCESSFUL").await;
    assert_eq!(done["alarms"]["triggeredAlarmNames"], json!(["errors"]), "{done:#}");
    assert!(told(&lab.service().await, "deployment failed: alarm detected."));
    back_on_blue(&lab, &blue, &done).await;

    // The alarm was there before this one: it says nothing about it.
    let change = json!({ "cluster": CLUSTER, "service": "golden", "forceNewDeployment": true,
        "deploymentConfiguration": { "bakeTimeInMinutes": 0 } });
    lab.ok("UpdateService", change).await;
    assert_eq!(newest_in(&lab, "status", "SUCCESSFUL").await["alarms"]["status"], "DISABLED");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_rolls_a_rolling_deployment_back() {
    let lab = Lab::start(20.0).await;
    let good = lab.register(server()).await;
    lab.alarms.states.lock().expect("no test panicked here").insert("errors".into(), "OK");
    lab.ok("CreateService", balanced(&good, 2)).await;
    lab.completed().await;
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": true });
    let new = lab.register(server()).await;
    let change = json!({ "cluster": CLUSTER, "service": "golden", "taskDefinition": new,
        "deploymentConfiguration": { "alarms": alarms, "bakeTimeInMinutes": 10 } });
    lab.ok("UpdateService", change).await;
    lab.service_that("new tasks", |it| it["deployments"][0]["runningCount"] == 2).await;
    lab.alarms.states.lock().expect("no test panicked here").insert("errors".into(), "ALARM");
    newest_in(&lab, "status", "ROLLBACK_SUCCESSFUL").await;
    let service = lab.completed().await;
    assert_eq!((&service["taskDefinition"], &service["runningCount"]), (&json!(good), &json!(2)));
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_stopped_by_hand_with_and_without_a_rollback() {
    let lab = Lab::start(20.0).await;
    let good = lab.register(server()).await;
    deployed(&lab, &good, blue_green(0)).await;
    let blue = running(&lab).await;
    let patient =
        json!({ "cluster": CLUSTER, "service": "golden", "deploymentConfiguration": { "bakeTimeInMinutes": 60 } });
    lab.ok("UpdateService", patient).await;
    update(&lab, &lab.register(server()).await).await;
    let baking = newest_in(&lab, "lifecycleStage", "BAKE_TIME").await;
    let stop = |kind: &str| json!({ "serviceDeploymentArn": baking["serviceDeploymentArn"], "stopType": kind });
    lab.ok("StopServiceDeployment", stop("ROLLBACK")).await;
    let done = newest_in(&lab, "status", "ROLLBACK_SUCCESSFUL").await;
    back_on_blue(&lab, &blue, &done).await;
    assert_eq!(lab.refused("StopServiceDeployment", stop("ROLLBACK")).await.0, "ConflictException");
    let unknown =
        json!({ "serviceDeploymentArn": "arn:aws:ecs:us-east-1:123456789012:service-deployment/lab/golden/x" });
    assert_eq!(lab.refused("StopServiceDeployment", unknown).await.0, "ServiceDeploymentNotFoundException");

    update(&lab, &lab.register(server()).await).await;
    let baking = newest_in(&lab, "lifecycleStage", "BAKE_TIME").await;
    let abort = json!({ "serviceDeploymentArn": baking["serviceDeploymentArn"], "stopType": "ABORT" });
    lab.ok("StopServiceDeployment", abort).await;
    newest_in(&lab, "status", "STOPPED").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!((lab.targets.count(TARGET_GROUP), lab.targets.count(GREEN_TARGET_GROUP)), (2, 2), "all stays as it was");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_deployment_supersedes_one_that_is_under_way() {
    let lab = Lab::start(20.0).await;
    let good = lab.register(server()).await;
    deployed(&lab, &good, blue_green(0)).await;
    let patient =
        json!({ "cluster": CLUSTER, "service": "golden", "deploymentConfiguration": { "bakeTimeInMinutes": 60 } });
    lab.ok("UpdateService", patient).await;
    update(&lab, &lab.register(server()).await).await;
    let first = newest_in(&lab, "lifecycleStage", "BAKE_TIME").await;
    let last = lab.register(server()).await;
    let change = json!({ "cluster": CLUSTER, "service": "golden", "taskDefinition": last,
        "deploymentConfiguration": { "bakeTimeInMinutes": 0 } });
    lab.ok("UpdateService", change).await;
    let done = newest_in(&lab, "status", "SUCCESSFUL").await;
    assert_ne!(done["serviceDeploymentArn"], first["serviceDeploymentArn"]);
    let arns = json!({ "serviceDeploymentArns": [first["serviceDeploymentArn"]] });
    let first = lab.ok("DescribeServiceDeployments", arns).await["serviceDeployments"][0].clone();
    assert_eq!(first["status"], "STOPPED", "{first:#}");
    let service = lab.completed().await;
    assert_eq!((&service["taskDefinition"], &service["runningCount"]), (&json!(last), &json!(2)));
    assert_eq!(lab.targets.weights(RULE), [(GREEN_TARGET_GROUP.to_owned(), 100), (TARGET_GROUP.to_owned(), 0)]);
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_traffic_cannot_be_shifted_with_is_refused_or_rolled_back() {
    let lab = Lab::start(20.0).await;
    let good = lab.register(server()).await;
    deployed(&lab, &good, blue_green(0)).await;
    let before = lab.service().await;
    let balancers = |name: &str, value: Value| {
        let mut balancers = request(&good, blue_green(0))["loadBalancers"].clone();
        balancers[0]["advancedConfiguration"][name] = value;
        json!({ "cluster": CLUSTER, "service": "golden", "desiredCount": 5, "loadBalancers": balancers })
    };
    for (name, value) in [
        ("alternateTargetGroupArn", Value::Null),
        ("alternateTargetGroupArn", json!(TARGET_GROUP)),
        ("alternateTargetGroupArn", json!(format!("{TARGET_GROUP}0"))),
        ("productionListenerRule", Value::Null),
        ("productionListenerRule", json!(format!("{RULE}0"))),
        ("testListenerRule", json!(format!("{RULE}0"))),
        ("roleArn", Value::Null),
    ] {
        let refused = lab.refused("UpdateService", balancers(name, value.clone())).await;
        assert_eq!(refused.0, "InvalidParameterException", "{name} {value}: {refused:?}");
    }
    let after = lab.service().await;
    assert_eq!((&after["desiredCount"], &after["loadBalancers"]), (&before["desiredCount"], &before["loadBalancers"]));
    assert_eq!(after["deployments"], before["deployments"], "nothing half-done");

    {
        let mut rules = lab.targets.rules.lock().expect("no test panicked here");
        rules.insert(RULE.to_owned(), vec![(TARGET_GROUP.to_owned(), 1)]);
        rules.insert(TEST_RULE.to_owned(), vec![(TARGET_GROUP.to_owned(), 1)]);
    }
    update(&lab, &lab.register(server()).await).await;
    let done = newest_in(&lab, "status", "ROLLBACK_SUCCESSFUL").await;
    let reason = "Service deployment rolled back because of invalid networking configuration. Both targetGroup and \
                  alternateTargetGroup must be associated with the productionListenerRule or testListenerRule.";
    assert_eq!(done["statusReason"], reason);
    assert_eq!(lab.completed().await["taskDefinition"], json!(good));
    lab.ecs.shutdown().await;
}
