//! One imitated ECS with its neighbours, and the calls the tests make.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use twin_ecs::{Ecs, Settings};
use twin_platform::{Account, Request, Service, Spawner, Speed};

use crate::fakes::{FakeAlarms, FakeLogs, FakeRoles, FakeSecrets, FakeTargets};

pub(crate) struct Lab {
    pub(crate) ecs: Arc<Ecs>,
    pub(crate) targets: Arc<FakeTargets>,
    pub(crate) logs: Arc<FakeLogs>,
    pub(crate) alarms: Arc<FakeAlarms>,
    pub(crate) folder: TempDir,
}

pub(crate) const CLUSTER: &str = "lab";

impl Lab {
    /// An ECS with a cluster, a log group, and `shell` and `python` for images.
    pub(crate) async fn start(speed: f64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let spawner = Spawner::start(folder.path().join("processes.json")).expect("a spawning thread");
        let settings = Settings {
            account: Account::in_region("us-east-1"),
            speed: Speed::new(speed).expect("a speed in range"),
            spawner,
            endpoint: "http://127.0.0.1:4566".into(),
            images: vec![
                ("shell:latest".into(), "/bin/sh".into()),
                ("python:latest".into(), PathBuf::from("/usr/bin/python3")),
            ],
            scratch: folder.path().join("scratch"),
            roles: Arc::new(FakeRoles),
        };
        let (targets, logs) = (Arc::new(FakeTargets::default()), Arc::new(FakeLogs::default()));
        logs.groups.lock().expect("no test panicked here").insert("/ecs/golden".into());
        let alarms = Arc::new(FakeAlarms::default());
        let ecs = Ecs::new(settings, targets.clone(), logs.clone(), Arc::new(FakeSecrets), alarms.clone());
        let lab = Self { ecs, targets, logs, alarms, folder };
        lab.ok("CreateCluster", json!({ "clusterName": CLUSTER })).await;
        lab
    }

    /// Status and body of one call.
    pub(crate) async fn call(&self, action: &str, body: Value) -> (u16, Value) {
        let mut headers = http::HeaderMap::new();
        let target = format!("AmazonEC2ContainerServiceV20141113.{action}");
        headers.insert("x-amz-target", target.parse().expect("a header value"));
        let request = Request {
            method: "POST".into(),
            uri: "http://127.0.0.1:4566/".into(),
            headers,
            body: body.to_string().into(),
        };
        let response = self.ecs.handle(request).await;
        (response.status, serde_json::from_slice(&response.body).expect("answers are JSON"))
    }

    pub(crate) async fn ok(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.call(action, body).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// Code and message of a refused call.
    pub(crate) async fn refused(&self, action: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call(action, body).await;
        assert!(status >= 400, "{action} was not refused: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    /// Registers a definition of the family `golden`, whose one container is completed by `container`.
    pub(crate) async fn register(&self, container: Value) -> String {
        let answer = self.ok("RegisterTaskDefinition", definition(container)).await;
        answer["taskDefinition"]["taskDefinitionArn"].as_str().expect("an ARN").to_owned()
    }

    /// Runs one task of a definition and answers its id.
    pub(crate) async fn run(&self, definition: &str) -> String {
        let answer = self.ok("RunTask", run_request(definition)).await;
        id_of(&answer["tasks"][0])
    }

    pub(crate) async fn task(&self, id: &str) -> Value {
        let answer = self.ok("DescribeTasks", json!({ "cluster": CLUSTER, "tasks": [id] })).await;
        answer["tasks"][0].clone()
    }

    pub(crate) async fn service(&self) -> Value {
        let answer = self.ok("DescribeServices", json!({ "cluster": CLUSTER, "services": ["golden"] })).await;
        answer["services"][0].clone()
    }

    /// All tasks of the service `golden`, running and stopped.
    pub(crate) async fn tasks(&self) -> Vec<Value> {
        let mut arns = Vec::new();
        for desired in ["RUNNING", "STOPPED"] {
            let request = json!({ "cluster": CLUSTER, "serviceName": "golden", "desiredStatus": desired });
            let answer = self.ok("ListTasks", request).await;
            arns.extend(answer["taskArns"].as_array().expect("a list").clone());
        }
        if arns.is_empty() {
            return Vec::new();
        }
        let answer = self.ok("DescribeTasks", json!({ "cluster": CLUSTER, "tasks": arns })).await;
        answer["tasks"].as_array().expect("a list").clone()
    }

    /// Waits until the task is in this status and answers it.
    pub(crate) async fn task_in(&self, id: &str, status: &str) -> Value {
        wait_for(|| self.task(id), |task| task["lastStatus"] == status, &format!("task {status}")).await
    }

    /// Waits until the service fits and answers it.
    pub(crate) async fn service_that(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(|| self.service(), fits, what).await
    }

    /// Waits until the PRIMARY deployment is COMPLETED.
    pub(crate) async fn completed(&self) -> Value {
        self.service_that("completed", |it| {
            it["deployments"][0]["rolloutState"] == "COMPLETED"
                && it["deployments"].as_array().is_some_and(|all| all.len() == 1)
        })
        .await
    }
}

/// Asks again until the answer fits; panics with the last answer after a bounded time.
pub(crate) async fn wait_for<F: Future<Output = Value>>(
    ask: impl Fn() -> F,
    fits: impl Fn(&Value) -> bool,
    what: &str,
) -> Value {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let last = ask().await;
        if fits(&last) {
            return last;
        }
        assert!(Instant::now() < deadline, "not {what}: {last:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn definition(container: Value) -> Value {
    let mut whole = json!({
        "name": "golden",
        "image": "shell:latest",
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": { "awslogs-group": "/ecs/golden", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "golden" },
        },
    });
    for (name, value) in container.as_object().expect("an object") {
        whole[name] = value.clone();
    }
    json!({
        "family": "golden", "cpu": "256", "memory": "512", "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"], "taskRoleArn": "golden-task", "containerDefinitions": [whole],
    })
}

/// A container that answers HTTP on its own port 8080 and ends on SIGTERM.
pub(crate) fn server() -> Value {
    let script = "import http.server, os, signal, sys\n\
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\
        host, port = os.environ['BIND_ADDR'].rsplit(':', 1)\n\
        http.server.ThreadingHTTPServer((host, int(port)), http.server.BaseHTTPRequestHandler).serve_forever()\n";
    json!({
        "image": "python:latest",
        "command": ["-S", "-c", script],
        "environment": [{ "name": "BIND_ADDR", "value": "0.0.0.0:8080" }],
        "portMappings": [{ "containerPort": 8080 }],
    })
}

pub(crate) fn run_request(definition: &str) -> Value {
    json!({ "cluster": CLUSTER, "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": network() })
}

pub(crate) fn network() -> Value {
    json!({ "awsvpcConfiguration": { "subnets": ["subnet-a", "subnet-b"] } })
}

pub(crate) fn service_request(definition: &str, desired: u32) -> Value {
    json!({
        "cluster": CLUSTER, "serviceName": "golden", "taskDefinition": definition, "desiredCount": desired,
        "launchType": "FARGATE", "networkConfiguration": network(),
        "deploymentConfiguration": {
            "minimumHealthyPercent": 100, "maximumPercent": 200,
            "deploymentCircuitBreaker": { "enable": true, "rollback": true },
        },
    })
}

pub(crate) fn id_of(task: &Value) -> String {
    task["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next()).expect("a task ARN").to_owned()
}

/// Whether the service has told an event with this text.
pub(crate) fn told(service: &Value, text: &str) -> bool {
    let events = service["events"].as_array().expect("a list");
    events.iter().any(|event| event["message"].as_str().is_some_and(|message| message.contains(text)))
}
