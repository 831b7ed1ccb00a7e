//! What the API refuses, in which words, and what it lists.

use serde_json::{Value, json};

use crate::lab::{CLUSTER, Lab, definition, network, run_request, service_request};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_worded_as_aws_words_them() {
    let lab = Lab::start(10.0).await;
    let with = |mut request: Value, name: &str, value: Value| {
        request[name] = value;
        request
    };
    let good = definition(json!({}));
    let two = json!([good["containerDefinitions"][0], good["containerDefinitions"][0]]);
    let balancer = json!([{ "targetGroupArn": "arn:none", "containerName": "golden", "containerPort": 8080 }]);
    let known = lab.register(json!({ "portMappings": [{ "containerPort": 8080 }] })).await;
    let cases = [
        (
            "DescribeServices",
            json!({ "cluster": "nope", "services": ["x"] }),
            "ClusterNotFoundException",
            "Cluster not found.",
        ),
        (
            "UpdateService",
            json!({ "cluster": CLUSTER, "service": "x" }),
            "ServiceNotFoundException",
            "Service not found.",
        ),
        (
            "StopTask",
            json!({ "cluster": CLUSTER, "task": "x" }),
            "InvalidParameterException",
            "The referenced task was not found.",
        ),
        ("RunTask", run_request("nope"), "ClientException", "TaskDefinition not found."),
        (
            "DescribeTaskDefinition",
            json!({ "taskDefinition": "nope" }),
            "ClientException",
            "Unable to describe task definition.",
        ),
        (
            "RegisterTaskDefinition",
            with(good.clone(), "memory", json!("256")),
            "ClientException",
            "No Fargate configuration exists for given values",
        ),
        (
            "RegisterTaskDefinition",
            with(good.clone(), "containerDefinitions", two),
            "ClientException",
            "the twin runs one container per task",
        ),
        (
            "RegisterTaskDefinition",
            with(good.clone(), "networkMode", json!("bridge")),
            "ClientException",
            "Fargate only supports network mode",
        ),
        (
            "RegisterTaskDefinition",
            with(good, "volumes", json!([{ "name": "v" }])),
            "InvalidParameterException",
            "the twin does not imitate volumes",
        ),
        (
            "RunTask",
            with(run_request(&known), "launchType", json!("EC2")),
            "InvalidParameterException",
            "the launch type EC2",
        ),
        (
            "RunTask",
            with(run_request(&known), "networkConfiguration", json!(null)),
            "InvalidParameterException",
            "Network Configuration must be provided",
        ),
        ("RunTask", with(run_request(&known), "count", json!(11)), "InvalidParameterException", "count"),
        (
            "CreateService",
            with(service_request(&known, 1), "loadBalancers", balancer),
            "InvalidParameterException",
            "targetGroupArn",
        ),
        (
            "CreateService",
            with(service_request(&known, 1), "deploymentController", json!({ "type": "CODE_DEPLOY" })),
            "InvalidParameterException",
            "CODE_DEPLOY",
        ),
        (
            "CreateService",
            with(service_request(&known, 1), "deploymentConfiguration", json!({ "strategy": "BLUE_GREEN" })),
            "InvalidParameterException",
            "bakeTimeInMinutes must be specified",
        ),
        ("ExecuteCommand", json!({}), "NotImplemented", "ecs:ExecuteCommand"),
        ("RunTask", json!({ "count": "many" }), "SerializationException", "invalid type"),
    ];
    for (action, request, code, message) in cases {
        let refused = lab.refused(action, request).await;
        assert!(refused.0 == code && refused.1.contains(message), "{action}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_listed_as_a_failure() {
    let lab = Lab::start(10.0).await;
    for (action, list) in
        [("DescribeServices", "services"), ("DescribeTasks", "tasks"), ("DescribeClusters", "clusters")]
    {
        let mut request = json!({ "cluster": CLUSTER });
        request[list] = json!(["gone"]);
        let answer = lab.ok(action, request).await;
        assert_eq!(answer[list], json!([]), "{action}");
        assert_eq!(answer["failures"][0]["reason"], "MISSING", "{action}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_have_revisions_and_can_be_deregistered() {
    let lab = Lab::start(10.0).await;
    let first = lab.register(json!({})).await;
    let second = lab.register(json!({ "healthCheck": { "command": ["CMD", "golden", "healthcheck"] } })).await;
    assert!(
        first.ends_with(":task-definition/golden:1") && second.ends_with(":task-definition/golden:2"),
        "{first} {second}"
    );
    let newest = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "golden" })).await;
    assert_eq!(newest["taskDefinition"]["taskDefinitionArn"], json!(second));
    let check = &newest["taskDefinition"]["containerDefinitions"][0]["healthCheck"];
    assert_eq!((&check["interval"], &check["timeout"], &check["retries"]), (&json!(30), &json!(5), &json!(3)));
    lab.ok("DeregisterTaskDefinition", json!({ "taskDefinition": "golden:2" })).await;
    let newest = lab.ok("DescribeTaskDefinition", json!({ "taskDefinition": "golden" })).await;
    assert_eq!(newest["taskDefinition"]["taskDefinitionArn"], json!(first));
    let (_, message) = lab.refused("RunTask", run_request("golden:2")).await;
    assert_eq!(message, "TaskDefinition is inactive");
    let listed = lab.ok("ListTaskDefinitions", json!({ "familyPrefix": "golden", "status": "INACTIVE" })).await;
    assert_eq!(listed["taskDefinitionArns"], json!([second]));
    let families = lab.ok("ListTaskDefinitionFamilies", json!({})).await;
    assert_eq!(families["families"], json!(["golden"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_by_family_and_by_who_started_them() {
    let lab = Lab::start(10.0).await;
    let definition = lab.register(json!({ "command": ["-c", "exec sleep 60"] })).await;
    let request = json!({
        "cluster": CLUSTER, "taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": network(),
        "startedBy": "me", "count": 2, "tags": [{ "key": "a", "value": "b" }],
    });
    let run = lab.ok("RunTask", request).await;
    let arn = run["tasks"][0]["taskArn"].clone();
    for (filter, value, count) in
        [("startedBy", "me", 2), ("startedBy", "you", 0), ("family", "golden", 2), ("family", "x", 0)]
    {
        let mut request = json!({ "cluster": CLUSTER });
        request[filter] = json!(value);
        let answer = lab.ok("ListTasks", request).await;
        assert_eq!(answer["taskArns"].as_array().map(Vec::len), Some(count), "{filter}={value}");
    }
    let tags = lab.ok("ListTagsForResource", json!({ "resourceArn": arn })).await;
    assert_eq!(tags["tags"], json!([{ "key": "a", "value": "b" }]));
    let (code, _) = lab.refused("DeleteCluster", json!({ "cluster": CLUSTER })).await;
    assert_eq!(code, "ClusterContainsTasksException");
    lab.ecs.shutdown().await;
}
