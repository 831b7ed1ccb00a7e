//! The metadata and credential endpoints as a task sees them.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::lab::Lab;

async fn get(lab: &Lab, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = lab.ecs.metadata_router().oneshot(request).await.expect("a router always answers");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a whole body").to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_learns_what_it_is_and_gets_credentials_of_its_own() {
    let lab = Lab::start(10.0).await;
    let definition = lab.register(json!({ "command": ["-c", "exec sleep 60"] })).await;
    let ids = [lab.run(&definition).await, lab.run(&definition).await];
    let mut keys = Vec::new();
    for id in &ids {
        let task = lab.task_in(id, "RUNNING").await;
        let (status, seen) = get(&lab, &format!("/v4/{id}/task")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(seen["TaskARN"], task["taskArn"], "{seen:#}");
        assert_eq!((&seen["Family"], &seen["Revision"]), (&json!("golden"), &json!("1")));
        assert_eq!(seen["Limits"], json!({ "CPU": 0.25, "Memory": 512 }));
        assert_eq!(seen["AvailabilityZone"], task["availabilityZone"]);
        assert_eq!((&seen["KnownStatus"], &seen["LaunchType"]), (&json!("RUNNING"), &json!("FARGATE")));
        let (_, container) = get(&lab, &format!("/v4/{id}")).await;
        let address = &task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"];
        assert_eq!(&container["Networks"][0]["IPv4Addresses"][0], address, "{container:#}");
        assert_eq!(container["Name"], "golden");
        let (_, stats) = get(&lab, &format!("/v4/{id}/stats")).await;
        assert!(stats["memory_stats"]["usage"].as_u64().is_some_and(|bytes| bytes > 0), "{stats:#}");
        let (_, credentials) = get(&lab, &format!("/credentials/{id}")).await;
        assert_eq!(credentials["RoleArn"], "arn:aws:iam::123456789012:role/golden-task");
        let key = credentials["AccessKeyId"].as_str().expect("a key").to_owned();
        let known = lab.ecs.credentials_of(&key).expect("the key is known");
        assert_eq!(
            (known.task_id.as_str(), known.role_arn.as_str()),
            (id.as_str(), "arn:aws:iam::123456789012:role/golden-task")
        );
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1]);
    assert_eq!(get(&lab, "/v4/none/task").await.0, StatusCode::NOT_FOUND);
    lab.ecs.shutdown().await;
}
