//! Single tasks: exit codes, signals, limits, environment, failures to start.

use std::time::Duration;

use serde_json::json;

use crate::lab::{CLUSTER, Lab, definition, id_of, run_request, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runs_its_command_and_stops_with_its_exit_code() {
    let lab = Lab::start(10.0).await;
    let script = "echo one; echo two >&2; sleep 0.05; printf three; exit 3";
    let definition = lab.register(json!({ "command": ["-c", script] })).await;
    let id = lab.run(&definition).await;
    let task = lab.task_in(&id, "STOPPED").await;
    assert_eq!(task["containers"][0]["exitCode"], 3, "{task:#}");
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["desiredStatus"], "STOPPED");
    for stamp in
        ["createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt"]
    {
        assert!(task[stamp].is_f64(), "{stamp}: {task:#}");
    }
    let mut lines = lab.logs.lines_of(&format!("golden/golden/{id}"));
    assert_eq!(lines.pop().as_deref(), Some("three"));
    lines.sort();
    assert_eq!(lines, ["one", "two"]);
    assert!(!lab.folder.path().join("scratch").join(&id).exists(), "the scratch folder is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_finds_what_fargate_gives_it_and_its_own_address() {
    let lab = Lab::start(10.0).await;
    let definition = lab
        .register(json!({
            "command": ["-c", "env | sort; exec sleep 60"],
            "environment": [
                { "name": "BIND_ADDR", "value": "0.0.0.0:8080" }, { "name": "ADMIN_ADDR", "value": "127.0.0.1:9901" },
                { "name": "ALB_URL", "value": "http://127.0.0.1:8000" },
            ],
            "secrets": [{ "name": "PASSWORD", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:known" }],
        }))
        .await;
    let id = lab.run(&definition).await;
    let task = lab.task_in(&id, "RUNNING").await;
    let interface = &task["containers"][0]["networkInterfaces"][0];
    let address = interface["privateIpv4Address"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("127.0.") && address != "127.0.0.1", "{address}");
    let stream = format!("golden/golden/{id}");
    let lines =
        wait_for(async || json!(lab.logs.lines_of(&stream)), |it| it.to_string().contains("TMPDIR"), "logged").await;
    let has =
        |line: String| assert!(lines.as_array().expect("a list").contains(&json!(line)), "no {line} in {lines:#}");
    has(format!("BIND_ADDR={address}:8080"));
    has(format!("ADMIN_ADDR={address}:9901"));
    has("ALB_URL=http://127.0.0.1:8000".into());
    has("AWS_REGION=us-east-1".into());
    has("AWS_DEFAULT_REGION=us-east-1".into());
    has("AWS_EXECUTION_ENV=AWS_ECS_FARGATE".into());
    has("AWS_ENDPOINT_URL=http://127.0.0.1:4566".into());
    has(format!("ECS_CONTAINER_METADATA_URI_V4=http://127.0.0.1:4566/_ecs/v4/{id}"));
    has(format!("AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:4566/_ecs/credentials/{id}"));
    has("PASSWORD=the-secret".into());
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_task_gets_sigterm_and_if_it_does_not_end_sigkill() {
    let lab = Lab::start(100.0).await;
    let polite = lab
        .register(json!({ "command": ["-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"] }))
        .await;
    let deaf = lab.register(json!({ "command": ["-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"] })).await;
    for (definition, code) in [(polite, 7), (deaf, 137)] {
        let id = lab.run(&definition).await;
        let stream = format!("golden/golden/{id}");
        wait_for(async || json!(lab.logs.lines_of(&stream)), |lines| lines.to_string().contains("up"), "up").await;
        lab.ok("StopTask", json!({ "cluster": CLUSTER, "task": id, "reason": "enough" })).await;
        let task = lab.task_in(&id, "STOPPED").await;
        assert_eq!(task["containers"][0]["exitCode"], code, "{task:#}");
        assert_eq!(task["stopCode"], "UserInitiated");
        assert_eq!(task["stoppedReason"], "enough");
        assert!(task["containers"][0]["reason"].is_null(), "{task:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_above_its_memory_is_killed_with_137_and_says_why() {
    let lab = Lab::start(10.0).await;
    let hoard = "held = []\nwhile True: held.append(bytearray(16 << 20))";
    let definition = lab.register(json!({ "image": "python:latest", "command": ["-S", "-c", hoard] })).await;
    let id = lab.run(&definition).await;
    let task = lab.task_in(&id, "STOPPED").await;
    assert_eq!(task["containers"][0]["exitCode"], 137, "limits by {}: {task:#}", lab.ecs.limits());
    assert_eq!(task["containers"][0]["reason"], "OutOfMemoryError: Container killed due to memory usage");
    assert_eq!(task["stopCode"], "EssentialContainerExited");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_start_says_why_as_fargate_does() {
    let lab = Lab::start(10.0).await;
    let log = json!({ "logDriver": "awslogs", "options": {
        "awslogs-group": "/none", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "golden" } });
    let secrets = json!([{ "name": "X", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:nope" }]);
    let cases = [
        (json!({ "image": "golden:nope" }), "CannotPullContainerError: pull image manifest"),
        (json!({ "logConfiguration": log }), "ResourceInitializationError: failed to validate logger args"),
        (json!({ "secrets": secrets }), "ResourceInitializationError: unable to pull secrets or registry auth"),
        (json!({ "entryPoint": ["no-such-program"] }), "CannotStartContainerError"),
    ];
    for (container, reason) in cases {
        let definition = lab.register(container).await;
        let id = lab.run(&definition).await;
        let task = lab.task_in(&id, "STOPPED").await;
        assert_eq!(task["stopCode"], "TaskFailedToStart", "{task:#}");
        assert!(task["stoppedReason"].as_str().is_some_and(|it| it.starts_with(reason)), "{task:#}");
        assert!(task["containers"][0]["exitCode"].is_null() && task["startedAt"].is_null(), "{task:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_health_check_is_a_command_with_the_containers_environment() {
    let lab = Lab::start(100.0).await;
    let flag = lab.folder.path().join("flag").display().to_string();
    let definition = lab
        .register(json!({
            "command": ["-c", "exec sleep 60"],
            "environment": [{ "name": "FLAG", "value": flag }],
            "healthCheck": { "command": ["CMD-SHELL", "test ! -e \"$FLAG\""], "interval": 5, "retries": 2 },
        }))
        .await;
    let id = lab.run(&definition).await;
    let healthy = |status: &'static str| move |task: &serde_json::Value| task["healthStatus"] == status;
    wait_for(|| lab.task(&id), healthy("HEALTHY"), "HEALTHY").await;
    std::fs::write(&flag, "").expect("the folder can be written");
    let task = wait_for(|| lab.task(&id), healthy("UNHEALTHY"), "UNHEALTHY").await;
    assert_eq!(task["lastStatus"], "RUNNING", "a task without a service goes on: {task:#}");
    lab.ecs.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_shutdown_not_even_what_a_container_left_behind() {
    let lab = Lab::start(10.0).await;
    let definition =
        lab.register(json!({ "command": ["-c", "sleep 61 & echo $! $$; trap '' TERM; wait; wait"] })).await;
    let mut request = run_request(&definition);
    request["count"] = json!(3);
    let answer = lab.ok("RunTask", request).await;
    let mut pids: Vec<u32> = Vec::new();
    for task in answer["tasks"].as_array().expect("a list") {
        let stream = format!("golden/golden/{}", id_of(task));
        let line = wait_for(async || json!(lab.logs.lines_of(&stream)), |lines| !lines[0].is_null(), "logged").await;
        let line = line[0].as_str().expect("text").to_owned();
        pids.extend(line.split_whitespace().map(|pid| pid.parse::<u32>().expect("a pid")));
    }
    assert_eq!(pids.len(), 6);
    let started = std::time::Instant::now();
    lab.ecs.shutdown().await;
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    let left: Vec<u32> = pids.into_iter().filter(|pid| twin_platform::Identity::of(*pid).is_some()).collect();
    assert!(left.is_empty(), "still running: {left:?}");
    let records = std::fs::read_to_string(lab.folder.path().join("processes.json")).expect("the record is there");
    assert_eq!(records.trim(), "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_execution_role_writes_the_log_and_must_be_there() {
    let lab = Lab::start(10.0).await;
    let with_role = |role: &str| {
        let mut definition = definition(json!({ "command": ["-c", "exit 0"] }));
        definition["executionRoleArn"] = role.into();
        definition
    };
    let registered = lab.ok("RegisterTaskDefinition", with_role("silent")).await;
    let id = lab.run(registered["taskDefinition"]["taskDefinitionArn"].as_str().expect("an ARN")).await;
    let reason = lab.task_in(&id, "STOPPED").await["stoppedReason"].as_str().unwrap_or_default().to_owned();
    let stream = format!(
        "{id} logs:CreateLogStream arn:aws:logs:us-east-1:123456789012:log-group:/ecs/golden:log-stream:golden/golden/{id}"
    );
    assert!(reason.starts_with("ResourceInitializationError: failed to validate logger args"), "{reason}");
    assert!(reason.contains("AccessDeniedException") && reason.contains(&stream), "{reason}");

    let registered = lab.ok("RegisterTaskDefinition", with_role("missing")).await;
    let arn = registered["taskDefinition"]["taskDefinitionArn"].as_str().expect("an ARN");
    let (code, message) = lab.refused("RunTask", run_request(arn)).await;
    assert_eq!(code, "ClientException");
    let role = "arn:aws:iam::123456789012:role/missing";
    assert!(message.starts_with(&format!("ECS was unable to assume the role '{role}' that was provided")), "{message}");
}
