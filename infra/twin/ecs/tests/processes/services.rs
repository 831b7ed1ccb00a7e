//! Services: rolling deployments, replacement, the circuit breaker, the end of a service.

use serde_json::{Value, json};

use crate::{
    fakes::TARGET_GROUP,
    lab::{CLUSTER, Lab, server, service_request, told, wait_for},
};

pub(crate) fn balanced(definition: &str, desired: u32) -> Value {
    let mut request = service_request(definition, desired);
    request["loadBalancers"] =
        json!([{ "targetGroupArn": TARGET_GROUP, "containerName": "golden", "containerPort": 8080 }]);
    request["healthCheckGracePeriodSeconds"] = json!(60);
    request
}

/// Waits until a task of the service has this stopped reason, and answers all of the service's tasks.
async fn stopped_for(lab: &Lab, reason: &str) -> Value {
    let stopped = |task: &Value| task["stoppedReason"] == reason && task["lastStatus"] == "STOPPED";
    let fits = |tasks: &Value| tasks.as_array().is_some_and(|all| all.iter().any(stopped));
    wait_for(async || json!(lab.tasks().await), fits, reason).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_deployment_never_goes_below_its_minimum_and_drains_first() {
    let lab = Lab::start(10.0).await;
    let definition = lab.register(server()).await;
    lab.ok("CreateService", balanced(&definition, 2)).await;
    let before = lab.completed().await;
    assert_eq!((&before["runningCount"], &before["pendingCount"]), (&json!(2), &json!(0)), "{before:#}");
    for text in [
        "has started 2 tasks: (task ",
        " targets in (target-group arn",
        "has reached a steady state.",
        "deployment completed.",
    ] {
        assert!(told(&before, text), "{text}: {before:#}");
    }
    let zones: Vec<Value> = lab.tasks().await.iter().map(|task| task["availabilityZone"].clone()).collect();
    assert_ne!(zones[0], zones[1], "tasks are spread over zones");

    let update = json!({ "cluster": CLUSTER, "service": "golden", "forceNewDeployment": true });
    let answer = lab.ok("UpdateService", update).await;
    let statuses: Vec<&Value> =
        answer["service"]["deployments"].as_array().expect("a list").iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["PRIMARY", "ACTIVE"]);
    let mut fewest = i64::MAX;
    let after = loop {
        let service = lab.service().await;
        // DEACTIVATING tasks drain and still answer, but only RUNNING ones count.
        fewest = fewest.min(service["runningCount"].as_i64().expect("a number"));
        let deployments = service["deployments"].as_array().expect("a list");
        if deployments.len() == 1 && deployments[0]["rolloutState"] == "COMPLETED" {
            break service;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(fewest, 2);
    for text in ["has begun draining connections on ", "deregistered ", "has stopped "] {
        assert!(told(&after, text), "{text}: {after:#}");
    }
    let tasks = lab.tasks().await;
    let old: Vec<&Value> = tasks.iter().filter(|task| task["desiredStatus"] == "STOPPED").collect();
    assert_eq!(old.len(), 2);
    for task in old {
        assert_eq!(task["stopCode"], "ServiceSchedulerInitiated", "{task:#}");
        assert!(
            task["stoppedReason"]
                .as_str()
                .is_some_and(|it| it.starts_with("Scaling activity initiated by (deployment ecs-svc/"))
        );
        assert_eq!(task["containers"][0]["exitCode"], 0, "it ended in good order after SIGTERM: {task:#}");
        let [stopping, stopped] =
            ["stoppingAt", "executionStoppedAt"].map(|stamp| task[stamp].as_f64().expect("a time"));
        assert!(
            stopped - stopping >= crate::fakes::DRAIN.as_secs_f64() - 0.01,
            "it was stopped before it had drained: {task:#}"
        );
    }
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_image_trips_the_circuit_breaker_and_rolls_back() {
    let lab = Lab::start(100.0).await;
    let good = lab.register(server()).await;
    lab.ok("CreateService", balanced(&good, 2)).await;
    lab.completed().await;
    let before: Vec<Value> = lab.tasks().await.iter().map(|task| task["taskArn"].clone()).collect();
    let mut broken = server();
    broken["image"] = json!("golden:nope");
    let bad = lab.register(broken).await;
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "taskDefinition": bad })).await;
    let pulling = lab.service_that("pulling", |it| it["deployments"][0]["failedTasks"] == 2).await;
    assert_eq!(pulling["deployments"][0]["rolloutState"], "IN_PROGRESS", "{pulling:#}");
    let failing = lab.service_that("failing", |it| told(it, "deployment failed: tasks failed to start.")).await;
    let deployments = failing["deployments"].as_array().expect("a list");
    let reason = format!(
        "ECS deployment circuit breaker: rolling back to deploymentId {}.",
        deployments[0]["id"].as_str().expect("an id")
    );
    assert_eq!(deployments[0]["rolloutStateReason"], json!(reason));
    let failed: Vec<&Value> = deployments.iter().filter(|it| it["rolloutState"] == "FAILED").collect();
    assert_eq!(failed[0]["rolloutStateReason"], "ECS deployment circuit breaker: tasks failed to start.");
    assert!(told(&failing, "rolling back to deployment ecs-svc/"), "{failing:#}");
    let after = lab.completed().await;
    assert_eq!(after["taskDefinition"], json!(good), "{after:#}");
    assert_eq!(after["runningCount"], 2);
    let tasks = lab.tasks().await;
    let running: Vec<Value> =
        tasks.iter().filter(|it| it["lastStatus"] == "RUNNING").map(|it| it["taskArn"].clone()).collect();
    assert_eq!(running, before, "the good tasks were never touched");
    let failed = tasks.iter().filter(|task| task["stopCode"] == "TaskFailedToStart").count();
    assert!((3..=6).contains(&failed), "{failed} tasks failed; the threshold is 3");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deployment_that_fails_stays_failed_without_a_rollback() {
    let lab = Lab::start(100.0).await;
    let bad = lab.register(json!({ "image": "golden:nope" })).await;
    lab.ok("CreateService", service_request(&bad, 1)).await;
    let failed = lab.service_that("failed", |it| it["deployments"][0]["rolloutState"] == "FAILED").await;
    assert_eq!(
        failed["deployments"][0]["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert_eq!(failed["deployments"][0]["failedTasks"], 3);
    let count = lab.tasks().await.len();
    // Another task's whole life wakes the service's loop many times.
    let other = lab.register(json!({ "command": ["-c", "sleep 0.3"] })).await;
    let other = lab.run(&other).await;
    lab.task_in(&other, "STOPPED").await;
    assert_eq!(lab.tasks().await.len(), count, "a failed deployment starts nothing more");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_breaker_failing_starts_are_throttled() {
    let lab = Lab::start(100.0).await;
    let bad = lab.register(json!({ "image": "golden:nope" })).await;
    let mut request = service_request(&bad, 1);
    request["deploymentConfiguration"] = json!({});
    lab.ok("CreateService", request).await;
    lab.service_that("throttled", |it| told(it, "is unable to consistently start tasks successfully.")).await;
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_fail_their_container_check_are_replaced_and_the_service_recovers() {
    let lab = Lab::start(100.0).await;
    let flag = lab.folder.path().join("flag").display().to_string();
    let definition = lab
        .register(json!({
            "command": ["-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"],
            "healthCheck": { "command": ["CMD-SHELL", format!("test ! -e {flag}")], "interval": 5, "retries": 2 },
        }))
        .await;
    lab.ok("CreateService", service_request(&definition, 2)).await;
    let before = lab.completed().await;
    let steady = |service: &Value| {
        let events = service["events"].as_array().expect("a list");
        events.iter().filter(|event| event["message"].as_str().is_some_and(|it| it.contains("steady state"))).count()
    };
    std::fs::write(&flag, "").expect("the folder can be written");
    lab.service_that("replacing", |it| told(it, "failed container health checks.")).await;
    let reason = "Task failed container health checks";
    stopped_for(&lab, reason).await;
    std::fs::remove_file(&flag).expect("the flag was there");
    let after = lab.service_that("steady again", |it| steady(it) > steady(&before) && it["runningCount"] == 2).await;
    assert_eq!(after["deployments"][0]["rolloutState"], "COMPLETED", "{after:#}");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_fail_their_target_group_are_replaced_after_the_grace_period() {
    let lab = Lab::start(100.0).await;
    let definition = lab.register(server()).await;
    lab.ok("CreateService", balanced(&definition, 2)).await;
    lab.completed().await;
    *lab.targets.failing.lock().expect("no test panicked here") =
        Some("Health checks failed with these codes: [500]".into());
    let event = format!(
        "(port 8080) is unhealthy in (target-group {TARGET_GROUP}) due to (reason Health checks failed with these codes: [500])."
    );
    lab.service_that("replacing", |it| told(it, &event)).await;
    let tasks = stopped_for(&lab, &format!("Task failed ELB health checks in (target-group {TARGET_GROUP})")).await;
    assert!(tasks.as_array().is_some_and(|all| all.len() > 2), "a replacement came first: {tasks:#}");
    *lab.targets.failing.lock().expect("no test panicked here") = None;
    lab.service_that("two again", |it| it["runningCount"] == 2 && it["pendingCount"] == 0).await;
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ends_by_itself_or_is_stopped_is_replaced() {
    let lab = Lab::start(100.0).await;
    let definition = lab.register(json!({ "command": ["-c", "exec sleep 60"] })).await;
    lab.ok("CreateService", service_request(&definition, 1)).await;
    lab.completed().await;
    let first = lab.tasks().await[0]["taskArn"].clone();
    lab.ok("StopTask", json!({ "cluster": CLUSTER, "task": first })).await;
    wait_for(
        async || json!(lab.tasks().await),
        |tasks| {
            let running = |task: &&Value| task["lastStatus"] == "RUNNING" && task["taskArn"] != first;
            tasks.as_array().is_some_and(|all| all.iter().filter(running).count() == 1)
        },
        "replaced",
    )
    .await;
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_scaled_and_deleted() {
    let lab = Lab::start(100.0).await;
    let definition = lab.register(json!({ "command": ["-c", "exec sleep 60"] })).await;
    lab.ok("CreateService", service_request(&definition, 1)).await;
    lab.completed().await;
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "desiredCount": 3 })).await;
    lab.service_that("three", |it| it["runningCount"] == 3).await;
    let delete = json!({ "cluster": CLUSTER, "service": "golden" });
    let (code, message) = lab.refused("DeleteService", delete.clone()).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
    );
    lab.ok("UpdateService", json!({ "cluster": CLUSTER, "service": "golden", "desiredCount": 0 })).await;
    lab.service_that("none", |it| it["runningCount"] == 0).await;
    let answer = lab.ok("DeleteService", delete).await;
    assert_eq!(answer["service"]["status"], "DRAINING");
    lab.service_that("inactive", |it| it["status"] == "INACTIVE").await;
    let (code, _) = lab.refused("UpdateService", json!({ "cluster": CLUSTER, "service": "golden" })).await;
    assert_eq!(code, "ServiceNotActiveException");
    lab.ok("CreateService", service_request(&definition, 1)).await;
    lab.completed().await;
    lab.ecs.shutdown().await;
}
