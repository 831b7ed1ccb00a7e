//! CodeDeploy, driven by the aws CLI under traffic: a good revision drops nothing, a bad one goes back by itself, and so does
//! one that a person stops.

use serde_json::{Value, json};
use tests::{Lab, Traffic, free_port, until};

const PATHS: [&str; 3] = ["/", "/db", "/work?ms=2"];
const NAMES: [&str; 4] = ["--application-name", "golden", "--deployment-group-name", "golden"];
const ALL_AT_ONCE: [&str; 2] = ["--deployment-config-name", "CodeDeployDefault.ECSAllAtOnce"];

/// A lab whose service CodeDeploy deploys.
fn up(speed: &str) -> Lab {
    let test_port = free_port().to_string();
    Lab::up_with(&["--deployments", "code-deploy", "--test-port", &test_port, "--speed", speed])
}

/// A copy of the service's task definition that reads its failure mode from another parameter, which its role lets it.
fn reading(lab: &Lab, value: &str) -> String {
    let allow = json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:*:parameter/golden/green",
        },
    });
    let document = ["--policy-name", "green", "--policy-document", &allow.to_string()];
    lab.aws(&[&["iam", "put-role-policy", "--role-name", "golden-task"], &document[..]].concat());
    lab.aws(&["ssm", "put-parameter", "--name", "/golden/green", "--value", value, "--type", "String", "--overwrite"]);
    lab.revision_with(&[("PARAM_FAILURE_MODE", "/golden/green")])
}

fn revision(task_definition: &str, container: &str) -> String {
    let service = json!({
        "Type": "AWS::ECS::Service",
        "Properties": {
            "TaskDefinition": task_definition,
            "LoadBalancerInfo": { "ContainerName": container, "ContainerPort": 8080 },
        },
    });
    let appspec = json!({ "version": 0.0, "Resources": [{ "TargetService": service }] });
    json!({ "revisionType": "AppSpecContent", "appSpecContent": { "content": appspec.to_string() } }).to_string()
}

fn try_deploy(lab: &Lab, task_definition: &str, more: &[&str]) -> anyhow::Result<String> {
    let revision = revision(task_definition, "golden");
    let create = ["deploy", "create-deployment", "--revision", &revision];
    let made = lab.try_aws(&[&create, &NAMES[..], more].concat())?;
    Ok(made["deploymentId"].as_str().expect("a deployment has an id").to_owned())
}

#[track_caller]
fn deploy(lab: &Lab, task_definition: &str, more: &[&str]) -> String {
    try_deploy(lab, task_definition, more).unwrap_or_else(|error| panic!("{error}"))
}

fn deployment(lab: &Lab, id: &str) -> Value {
    lab.aws(&["deploy", "get-deployment", "--deployment-id", id])["deploymentInfo"].clone()
}

fn target(lab: &Lab, id: &str) -> Value {
    let found = lab.aws(&["deploy", "get-deployment-target", "--deployment-id", id, "--target-id", "golden:golden"]);
    found["deploymentTarget"]["ecsTarget"].clone()
}

#[track_caller]
fn until_status(lab: &Lab, id: &str, wanted: &str, within_s: u64) -> Value {
    until(&format!("deployment {id} is {wanted}"), within_s, || {
        let deployment = deployment(lab, id);
        if deployment["status"] == wanted { Ok(deployment) } else { Err(deployment.to_string()) }
    })
}

/// Follows a deployment that went wrong to its rollback, and wants the lab as it was.
#[track_caller]
fn rolled_back(lab: &Lab, failed: &Value, primary: &Value) {
    let rollback = failed["rollbackInfo"]["rollbackDeploymentId"].as_str().expect("it names its rollback");
    let rollback = until_status(lab, rollback, "Succeeded", 30);
    assert_eq!(rollback["creator"], "codeDeployRollback");
    assert_eq!(rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"], failed["deploymentId"]);
    assert_eq!(lab.service()["taskDefinition"], *primary, "the original task set is the primary");
    until("only the original task set is left", 60, || {
        let sets = lab.service()["taskSets"].clone();
        if sets.as_array().is_some_and(|sets| sets.len() == 1) { Ok(()) } else { Err(sets.to_string()) }
    });
    let listeners = listeners(lab);
    for listener in listeners.as_array().into_iter().flatten() {
        let groups = &listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"];
        let served: Vec<&str> = groups
            .as_array()
            .into_iter()
            .flatten()
            .filter(|group| group["Weight"] != 0)
            .filter_map(|group| group["TargetGroupArn"].as_str())
            .collect();
        assert!(matches!(&served[..], [one] if !one.contains("golden-green")), "{listener}");
    }
}

fn listeners(lab: &Lab) -> Value {
    let balancer = lab.aws(&["elbv2", "describe-load-balancers", "--names", "golden"]);
    let arn = balancer["LoadBalancers"][0]["LoadBalancerArn"].as_str().expect("an ARN").to_owned();
    lab.aws(&["elbv2", "describe-listeners", "--load-balancer-arn", &arn])["Listeners"].clone()
}

#[test]
fn a_good_revision_takes_over_and_drops_nothing() {
    let lab = up("10");
    // Only what two small tasks answer at this rate on a busy machine: they shed `/work` and `/db` by themselves.
    let traffic = Traffic::start(lab.name("ALB_URL"), 200.0, &["/"]);
    let good = lab.revision(|_| {});
    let id = deploy(&lab, &good, &ALL_AT_ONCE);
    lab.aws(&["deploy", "wait", "deployment-successful", "--deployment-id", &id]);
    let done = deployment(&lab, &id);
    let took = seconds(&done["completeTime"]) - seconds(&done["createTime"]);
    eprintln!("the deployment took {took:.1} s");
    assert!(took <= 15.0, "a deployment of two tasks takes at most 15 s: {took:.1}");
    let target = target(&lab, &id);
    let events: Vec<_> = target["lifecycleEvents"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| {
            (event["lifecycleEventName"].as_str().unwrap_or_default(), event["status"].as_str().unwrap_or_default())
        })
        .collect();
    assert_eq!(events.len(), 8, "{events:?}");
    assert!(events.iter().all(|(_, status)| *status == "Succeeded"), "{events:?}");
    assert_eq!(lab.service()["taskDefinition"], good.as_str());
    let green = lab.aws(&["elbv2", "describe-target-groups", "--names", "golden-green"]);
    lab.assert_served_by(green["TargetGroups"][0]["TargetGroupArn"].as_str().expect("an ARN"));
    // And back to the first target group, in steps.
    let id = deploy(&lab, &good, &["--deployment-config-name", "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"]);
    until("a part of the traffic is shifted", 60, || {
        let target = target_sets(&lab, &id);
        let part = |set: &Value| set["trafficWeight"].as_f64().is_some_and(|weight| weight > 0.0 && weight < 100.0);
        if target.iter().any(part) { Ok(()) } else { Err(json!(target)) }
    });
    until_status(&lab, &id, "Succeeded", 120);
    let summary = traffic.end();
    assert!(summary.finished >= 2_000, "{summary:?}");
    assert_eq!((summary.failed, summary.shed), (0, 0), "a deployment drops nothing: {summary:?}");
}

fn target_sets(lab: &Lab, id: &str) -> Vec<Value> {
    target(lab, id)["taskSetsInfo"].as_array().cloned().unwrap_or_default()
}

/// The time of an answer, in whichever form the CLI prints it.
fn seconds(time: &Value) -> f64 {
    if let Some(seconds) = time.as_f64() {
        return seconds;
    }
    // Version 2 prints ISO 8601; both times are of one day.
    let text = time.as_str().unwrap_or_default();
    let clock = text.split(['T', '+']).nth(1).unwrap_or_default();
    clock.split(':').filter_map(|part| part.parse::<f64>().ok()).fold(0.0, |sum, part| sum * 60.0 + part)
}

#[test]
fn a_green_that_answers_500_is_rolled_back_by_the_alarm() {
    let lab = up("10");
    let primary = lab.service()["taskDefinition"].clone();
    let traffic = Traffic::start(lab.name("ALB_URL"), 50.0, &PATHS);
    let bad = reading(&lab, r#"{"mode":"return_500","match":{"path":"/db"}}"#);
    let id = deploy(&lab, &bad, &[]);
    let failed = until_status(&lab, &id, "Stopped", 150);
    let summary = traffic.end();
    assert_eq!(failed["errorInformation"]["code"], "ALARM_ACTIVE", "{failed}");
    // On a busy machine the other alarm may be first.
    assert!(failed["errorInformation"]["message"].as_str().is_some_and(|text| text.contains("<golden-")), "{failed}");
    assert!(summary.failed > 0 && summary.failed * 10 < summary.finished, "only the canary fails: {summary:?}");
    rolled_back(&lab, &failed, &primary);
}

#[test]
fn what_never_gets_healthy_is_rolled_back_by_the_failure() {
    let lab = up("60");
    let primary = lab.service()["taskDefinition"].clone();
    let missing_image = lab.revision(|container| container["image"] = "golden:no-such-tag".into());
    // It listens where the balancer does not ask. (The mode `unhealthy` would come too late: a task starts healthy.)
    let deaf = lab.revision_with(&[("BIND_ADDR", "0.0.0.0:8081")]);
    for bad in [missing_image, deaf] {
        let id = deploy(&lab, &bad, &ALL_AT_ONCE);
        let failed = until_status(&lab, &id, "Failed", 120);
        assert_eq!(failed["errorInformation"]["code"], "TIMEOUT", "{failed}");
        rolled_back(&lab, &failed, &primary);
    }
}

#[test]
fn a_person_stops_a_deployment_and_it_goes_back() {
    let lab = up("10");
    let primary = lab.service()["taskDefinition"].clone();
    let traffic = Traffic::start(lab.name("ALB_URL"), 50.0, &PATHS);
    let good = lab.revision(|_| {});
    let id = deploy(&lab, &good, &[]);
    until("the canary has its share", 60, || {
        let sets = target_sets(&lab, &id);
        if sets.iter().any(|set| set["trafficWeight"] == 10.0) { Ok(()) } else { Err(json!(sets)) }
    });
    let refused = try_deploy(&lab, &good, &ALL_AT_ONCE).expect_err("one at a time").to_string();
    assert!(refused.contains("DeploymentLimitExceededException") && refused.contains(&id), "{refused}");
    lab.aws(&["deploy", "stop-deployment", "--deployment-id", &id, "--auto-rollback-enabled"]);
    let stopped = until_status(&lab, &id, "Stopped", 30);
    rolled_back(&lab, &stopped, &primary);
    let summary = traffic.end();
    assert_eq!((summary.failed, summary.shed), (0, 0), "going back drops nothing: {summary:?}");
    // A revision that cannot be deployed leaves all as it is.
    for (task_definition, container, named) in
        [(good.as_str(), "sidecar", "sidecar"), ("golden:99", "golden", "golden:99")]
    {
        let revision = revision(task_definition, container);
        let create = ["deploy", "create-deployment", "--revision", &revision];
        let refused = lab.try_aws(&[&create, &NAMES[..]].concat()).expect_err("refused").to_string();
        assert!(refused.contains("InvalidRevisionException") && refused.contains(named), "{refused}");
    }
    let all = lab.aws(&[&["deploy", "list-deployments"], &NAMES[..]].concat());
    assert_eq!(all["deployments"].as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(lab.service()["taskSets"].as_array().map(Vec::len), Some(1));
}
