//! Task sets: two revisions side by side under a controller from outside, and the moves between controllers.

use serde_json::{Value, json};

use crate::{
    fakes::{GREEN_TARGET_GROUP, TARGET_GROUP},
    lab::{CLUSTER, Lab, network, server, told, wait_for},
    services::balanced,
};

fn controlled(definition: &str, desired: u32, controller: &str) -> Value {
    let mut request = balanced(definition, desired);
    request["deploymentController"] = json!({ "type": controller });
    request
}

fn of(set: Option<&Value>) -> Value {
    let mut request = json!({ "cluster": CLUSTER, "service": "golden" });
    if let Some(set) = set {
        request["taskSet"] = set["taskSetArn"].clone();
    }
    request
}

fn with(mut request: Value, name: &str, value: Value) -> Value {
    request[name] = value;
    request
}

/// A task set on the green target group.
fn green(definition: &str) -> Value {
    let balancer = json!([{ "targetGroupArn": GREEN_TARGET_GROUP, "containerName": "golden", "containerPort": 8080 }]);
    let request = with(of(None), "taskDefinition", json!(definition));
    let request = with(request, "externalId", json!("d-1"));
    with(with(request, "loadBalancers", balancer), "scale", json!({ "unit": "PERCENT", "value": 100.0 }))
}

async fn sets(lab: &Lab) -> Vec<Value> {
    lab.ok("DescribeTaskSets", of(None)).await["taskSets"].as_array().expect("a list").clone()
}

/// Waits until there are so many task sets and all are steady.
async fn steady(lab: &Lab, count: usize) -> Vec<Value> {
    let all = |sets: &Value| {
        let sets = sets.as_array().expect("a list");
        sets.len() == count && sets.iter().all(|set| set["stabilityStatus"] == "STEADY_STATE")
    };
    let found = wait_for(async || json!(sets(lab).await), all, &format!("{count} steady task sets")).await;
    found.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_task_set_grows_beside_the_blue_one_and_takes_its_place() {
    let lab = Lab::start(20.0).await;
    let blue = lab.register(server()).await;
    let made = lab.ok("CreateService", controlled(&blue, 2, "CODE_DEPLOY")).await;
    assert_eq!(made["service"]["deployments"], json!([]));
    let first = steady(&lab, 1).await.remove(0);
    for (name, value) in [
        ("status", json!("PRIMARY")),
        ("startedBy", json!("CODE_DEPLOY")),
        ("taskDefinition", json!(blue)),
        ("computedDesiredCount", json!(2)),
        ("runningCount", json!(2)),
        ("scale", json!({ "unit": "PERCENT", "value": 100.0 })),
    ] {
        assert_eq!(first[name], value, "{name}: {first:#}");
    }
    assert_eq!(lab.tasks().await[0]["startedBy"], first["id"]);
    assert_eq!(lab.targets.count(TARGET_GROUP), 2);

    let new = lab.register(server()).await;
    let made = lab.ok("CreateTaskSet", green(&new)).await["taskSet"].clone();
    assert_eq!((&made["status"], &made["stabilityStatus"]), (&json!("ACTIVE"), &json!("STABILIZING")));
    let both = steady(&lab, 2).await;
    assert_eq!(both[1]["externalId"], "d-1");
    assert_eq!((lab.targets.count(TARGET_GROUP), lab.targets.count(GREEN_TARGET_GROUP)), (2, 2));
    let service = lab.service().await;
    assert_eq!((&service["runningCount"], &service["desiredCount"]), (&json!(4), &json!(2)));
    let id = both[1]["id"].as_str().expect("an id");
    assert!(told(&service, &format!("(service golden, taskSet {id}) has started 2 tasks: ")), "{service:#}");

    let request = with(of(None), "primaryTaskSet", both[1]["id"].clone());
    assert_eq!(lab.ok("UpdateServicePrimaryTaskSet", request).await["taskSet"]["status"], "PRIMARY");
    let service = lab.service().await;
    assert_eq!(service["taskDefinition"], json!(new));
    assert_eq!(service["loadBalancers"][0]["targetGroupArn"], GREEN_TARGET_GROUP);
    assert_eq!(service["taskSets"][0]["status"], "ACTIVE");

    let refused = lab.refused("DeleteTaskSet", of(Some(&both[0]))).await;
    assert_eq!(refused.0, "InvalidParameterException");
    let deleted = lab.ok("DeleteTaskSet", with(of(Some(&both[0])), "force", json!(true))).await;
    assert_eq!(deleted["taskSet"]["status"], "DRAINING");
    let left = steady(&lab, 1).await;
    assert_eq!(left[0]["id"], both[1]["id"]);
    assert_eq!(lab.targets.count(TARGET_GROUP), 0);
    assert_eq!(lab.service().await["runningCount"], 2);
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scale_and_the_desired_count_give_each_task_set_its_share() {
    let lab = Lab::start(20.0).await;
    let definition = lab.register(server()).await;
    let request = json!({
        "cluster": CLUSTER, "serviceName": "golden", "desiredCount": 3, "deploymentController": { "type": "EXTERNAL" },
    });
    let made = lab.ok("CreateService", request).await;
    assert_eq!(made["service"]["taskSets"], json!([]));
    let request = with(green(&definition), "scale", json!({ "unit": "PERCENT", "value": 40.0 }));
    let request = with(with(request, "launchType", json!("FARGATE")), "networkConfiguration", network());
    lab.ok("CreateTaskSet", with(request.clone(), "clientToken", json!("once"))).await;
    lab.ok("CreateTaskSet", with(request, "clientToken", json!("once"))).await;
    let set = steady(&lab, 1).await.remove(0);
    assert_eq!(set["startedBy"], Value::Null);
    assert_eq!((&set["computedDesiredCount"], &set["runningCount"]), (&json!(2), &json!(2)), "1.2 is rounded up");
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "desiredCount": 1 })).await;
    wait_for(async || json!(sets(&lab).await), |it| it[0]["runningCount"] == 1, "one task").await;
    lab.ok("UpdateTaskSet", with(of(Some(&set)), "scale", json!({ "unit": "PERCENT", "value": 0.0 }))).await;
    wait_for(async || json!(sets(&lab).await), |it| it[0]["runningCount"] == 0, "no task").await;
    // Scaled to nothing it needs no force.
    lab.ok("DeleteTaskSet", of(Some(&set))).await;
    wait_for(async || json!(sets(&lab).await), |it| it == &json!([]), "no task set").await;
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_moves_between_controllers_without_losing_a_task() {
    let lab = Lab::start(20.0).await;
    let definition = lab.register(server()).await;
    lab.ok("CreateService", balanced(&definition, 2)).await;
    let to = |controller: &str| json!({ "cluster": CLUSTER, "service": "golden", "deploymentController": { "type": controller } });
    let early = lab.refused("UpdateService", to("CODE_DEPLOY")).await;
    assert!(early.1.contains("deployment in progress"), "{early:?}");
    lab.completed().await;
    let ids = async || lab.tasks().await.iter().map(|task| task["taskArn"].clone()).collect::<Vec<_>>();
    let before = ids().await;
    let moved = lab.ok("UpdateService", to("CODE_DEPLOY")).await["service"].clone();
    assert_eq!((&moved["deploymentController"]["type"], &moved["deployments"]), (&json!("CODE_DEPLOY"), &json!([])));
    assert_eq!(steady(&lab, 1).await[0]["status"], "PRIMARY");
    let update = |name: &str, value: Value| with(json!({ "cluster": CLUSTER, "service": "golden" }), name, value);
    for (name, value, what) in [
        ("taskDefinition", json!(definition), "Unable to update task definition on"),
        ("loadBalancers", json!([]), "Unable to update load balancers on"),
        ("networkConfiguration", network(), "Unable to update network parameters on"),
        ("forceNewDeployment", json!(true), "Unable to force a new deployment on"),
    ] {
        let (code, message) = lab.refused("UpdateService", update(name, value)).await;
        assert_eq!(code, "InvalidParameterException");
        let whole = format!(
            "{what} services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
        );
        assert_eq!(message, whole);
    }
    let back = lab.ok("UpdateService", to("ECS")).await["service"].clone();
    assert_eq!((&back["taskSets"], &back["deployments"][0]["rolloutState"]), (&Value::Null, &json!("COMPLETED")));
    assert_eq!(ids().await, before, "no task was touched");
    lab.ok("UpdateService", update("forceNewDeployment", json!(true))).await;
    lab.completed().await;
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_task_set_that_cannot_start_does_not_hold_up_the_blue_one() {
    let lab = Lab::start(10.0).await;
    let definition = lab.register(server()).await;
    lab.ok("CreateService", controlled(&definition, 1, "CODE_DEPLOY")).await;
    steady(&lab, 1).await;
    let mut broken = server();
    broken["image"] = json!("golden:nope");
    let bad = lab.register(broken).await;
    lab.ok("CreateTaskSet", green(&bad)).await;
    lab.service_that("failing", |it| told(it, "was unable to start a task: ")).await;
    let victim = lab.tasks().await.into_iter().find(|task| task["lastStatus"] == "RUNNING").expect("a blue task");
    lab.ok("StopTask", json!({ "cluster": CLUSTER, "task": victim["taskArn"] })).await;
    let blue = |sets: &Value| sets[0]["stabilityStatus"] == "STEADY_STATE" && sets[0]["runningCount"] == 1;
    wait_for(async || json!(sets(&lab).await), |it| !blue(it), "a replacement of blue").await;
    wait_for(async || json!(sets(&lab).await), blue, "steady blue").await;
    assert_eq!(sets(&lab).await[1]["stabilityStatus"], "STABILIZING");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_task_sets_refuse_changes_nothing() {
    let lab = Lab::start(20.0).await;
    let definition = lab.register(server()).await;
    lab.ok("CreateService", balanced(&definition, 1)).await;
    let rolling = lab.refused("CreateTaskSet", green(&definition)).await;
    assert!(rolling.1.contains("only supports task set management"), "{rolling:?}");
    lab.ok("DeleteService", json!({ "cluster": CLUSTER, "service": "golden", "force": true })).await;
    lab.service_that("inactive", |it| it["status"] == "INACTIVE").await;

    let without = with(controlled(&definition, 1, "CODE_DEPLOY"), "loadBalancers", json!([]));
    assert_eq!(
        lab.refused("CreateService", with(without, "healthCheckGracePeriodSeconds", Value::Null)).await.0,
        "InvalidParameterException"
    );
    let external = controlled(&definition, 1, "EXTERNAL");
    assert!(lab.refused("CreateService", external).await.1.contains("EXTERNAL deployment controller"));
    lab.ok("CreateService", controlled(&definition, 1, "CODE_DEPLOY")).await;
    let unknown = json!({ "taskSetArn": "ecs-svc/1" });
    let scale = |value: f64| json!({ "unit": "PERCENT", "value": value });
    for (action, request, code) in [
        ("CreateTaskSet", with(green(&definition), "taskDefinition", json!("none")), "ClientException"),
        ("CreateTaskSet", with(green(&definition), "scale", scale(101.0)), "InvalidParameterException"),
        ("UpdateTaskSet", with(of(Some(&unknown)), "scale", scale(1.0)), "TaskSetNotFoundException"),
        ("DeleteTaskSet", of(Some(&unknown)), "TaskSetNotFoundException"),
        ("UpdateServicePrimaryTaskSet", with(of(None), "primaryTaskSet", json!("golden")), "InvalidParameterException"),
    ] {
        assert_eq!(lab.refused(action, request).await.0, code, "{action}");
    }
    assert_eq!(sets(&lab).await.len(), 1);
    for _ in 0..4 {
        lab.ok("CreateTaskSet", with(green(&definition), "scale", scale(0.0))).await;
    }
    let (_, message) = lab.refused("CreateTaskSet", green(&definition)).await;
    assert!(message.starts_with("5 deployments exist on the service."), "{message}");
    lab.ecs.shutdown().await;
}
