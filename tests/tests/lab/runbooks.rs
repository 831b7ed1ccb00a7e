//! Every runbook confirms its fault and no healthy lab, mends it by its own commands, and sees that it is mended.
//!
//! One lab for each table: each runbook's verification is the proof that the next one begins on a healthy service.

use contract::names::resource;
use serde_json::{Value, json};
use tests::{Lab, Traffic, free_port};

/// Divides the platform's waiting. The clients' own time is most of what is left; past 30 a busy machine misses health checks.
const SPEED: &str = "20";

/// Who look at a healthy lab at once.
const LOOKERS: usize = 4;

/// What breaks the service.
enum Fault {
    /// A value of the failure-mode parameter.
    Mode(&'static str),
    /// Calls that a person might make by mistake.
    Calls(fn(&Lab)),
}
use Fault::{Calls, Mode};

/// Which runbook mends which fault.
const FAULTS: &[(&str, Fault)] = &[
    // First, because it compares the tasks by what they logged in the last minute.
    ("one-bad-task", Calls(one_bad_task)),
    ("alb-5xx-spike", Mode("return_500")),
    ("slow-p95", Mode("latency")),
    ("db-auth-failures", Calls(secret_drift)),
    ("connection-exhaustion", Mode("connection_leak")),
    ("unhealthy-targets", Mode("unhealthy")),
    ("slow-query", Mode("slow_query")),
    ("lock-contention", Mode("lock_contention")),
    ("cpu-burn", Mode("cpu_burn")),
    ("blocked-runtime", Mode("blocked_runtime")),
    ("hang", Mode("hang")),
    ("corrupt-body", Mode("corrupt_body")),
    ("memory-leak", Mode(r#"{"mode":"memory_leak","mib_per_request":16}"#)),
    ("crash-loop", Mode(r#"{"mode":"crash","after_s":2}"#)),
    ("disk-full", Mode("disk_fill")),
    ("dependency-down", Mode(r#"{"mode":"dependency_down","targets":["database"]}"#)),
    ("parameter-store-down", Mode(r#"{"mode":"dependency_down","targets":["ssm"]}"#)),
    ("bad-deployment", Calls(no_such_image)),
    ("bad-deployment", Calls(failing_health_check)),
    ("emergency-procedures", Calls(wrong_revision)),
    // No fault: a revision that is good waits to be deployed.
    ("deployment", Calls(|lab| drop(lab.revision_with(&[("RELEASE", "next")])))),
    ("scale-to-zero", Calls(|lab| lab.deploy(&["--desired-count", "0"]))),
    ("alarm-actions-off", Calls(alarm_actions_off)),
];

/// As [`FAULTS`], for what guards the service: its web ACL, and the role of its tasks.
const GUARDS: &[(&str, Fault)] =
    &[("waf-false-positives", Calls(strict_rate_rule)), ("s3-access-denied", Calls(deny_the_bucket))];

/// As [`FAULTS`], for a service that CodeDeploy deploys.
const DEPLOYMENTS: &[(&str, Fault)] = &[("bad-blue-green-deployment", Calls(failing_green))];

/// A secret which is not there: tasks that name it are healthy and fail every `/db`.
const NO_SECRET: (&str, &str) = ("DB_SECRET_ARN", "golden/no-such-secret");

/// Such a revision, deployed while the alarms that would stop it are set aside.
fn failing_green(lab: &Lab) {
    let definition = lab.revision_with(&[NO_SECRET]);
    let targets = json!({"ContainerName": resource::CONTAINER, "ContainerPort": resource::CONTAINER_PORT});
    let properties = json!({"TaskDefinition": definition, "LoadBalancerInfo": targets});
    let service = json!({"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}});
    let appspec = json!({"version": 0.0, "Resources": [service]}).to_string();
    let revision = json!({"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec}}).to_string();
    let place = ["--application-name", "golden", "--deployment-group-name", "golden", "--revision", &revision];
    let unguarded = ["--override-alarm-configuration", "enabled=false"];
    lab.aws(&[&["deploy", "create-deployment"], &place[..], &unguarded[..]].concat());
}

fn strict_rate_rule(lab: &Lab) {
    let acl = lab.aws(&["wafv2", "list-web-acls", "--scope", "REGIONAL", "--query", "WebACLs[0]"]);
    let (name, id) = (acl["Name"].as_str().expect("a name"), acl["Id"].as_str().expect("an id"));
    let place = ["--scope", "REGIONAL", "--name", name, "--id", id];
    let mut held = lab.aws(&[&["wafv2", "get-web-acl"], &place[..]].concat());
    let rules = held["WebACL"]["Rules"].as_array_mut().expect("rules");
    let rate = rules.iter_mut().find(|rule| rule["Statement"]["RateBasedStatement"].is_object()).expect("a rate rule");
    rate["Action"] = json!({"Block": {}});
    rate["Statement"]["RateBasedStatement"]["Limit"] = json!(10);
    let acl = &held["WebACL"];
    let [action, visibility, rules] =
        ["DefaultAction", "VisibilityConfig", "Rules"].map(|field| acl[field].to_string());
    let changed = ["--default-action", &action, "--visibility-config", &visibility, "--rules", &rules];
    let token = ["--lock-token", held["LockToken"].as_str().expect("a token")];
    lab.aws(&[&["wafv2", "update-web-acl"], &place[..], &changed[..], &token[..]].concat());
}

fn deny_the_bucket(lab: &Lab) {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
    let name = ["--role-name", resource::TASK_ROLE, "--policy-name", "no-buckets", "--policy-document", policy];
    lab.aws(&[&["iam", "put-role-policy"], &name[..]].concat());
}

fn secret_drift(lab: &Lab) {
    lab.until_applied(lab.set_mode("stale_credentials"));
    lab.rotate_secret();
}

/// Deploys what cannot start while the circuit breaker is off: with it, the deployment is over before a person has read this.
fn deploy_unguarded(lab: &Lab, revision: &str) {
    lab.deploy(&["--deployment-configuration", "deploymentCircuitBreaker={enable=false,rollback=false}"]);
    lab.deploy(&["--task-definition", revision]);
}

fn no_such_image(lab: &Lab) {
    let revision = lab.revision(|container| container["image"] = "golden:no-such-tag".into());
    deploy_unguarded(lab, &revision);
}

fn failing_health_check(lab: &Lab) {
    let revision = lab.revision(|container| container["healthCheck"]["command"] = ["CMD-SHELL", "exit 1"].into());
    deploy_unguarded(lab, &revision);
}

/// Such a revision again, whose deployment completes.
fn wrong_revision(lab: &Lab) {
    let revision = lab.revision_with(&[NO_SECRET]);
    lab.deploy(&["--task-definition", &revision]);
    lab.until_deployed();
}

fn alarm_actions_off(lab: &Lab) {
    let described = lab.aws(&["cloudwatch", "describe-alarms", "--query", "MetricAlarms[].AlarmName"]);
    let names: Vec<&str> = described.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(!names.is_empty(), "the lab has alarms");
    lab.aws(&[&["cloudwatch", "disable-alarm-actions", "--alarm-names"], names.as_slice()].concat());
}

fn one_bad_task(lab: &Lab) {
    let tasks = lab.tasks("RUNNING");
    let arn = tasks[0]["taskArn"].as_str().expect("a task has an ARN");
    let id = arn.rsplit('/').next().unwrap_or_default();
    lab.set_mode(&format!(r#"{{"mode":"return_500","match":{{"path":"/work"}},"tasks":{{"ids":["{id}"]}}}}"#));
}

/// Runs `runbook check` and gives its report.
fn check(lab: &Lab, id: &str, arguments: &[&str]) -> Value {
    let output = lab.breakfix(&[&["runbook", "check", id, "--json"], arguments].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{id}: no report, but: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["passed"], output.status.success(), "{id}: the exit code says the same as the report");
    report
}

/// The first block that is not as it expects.
fn failed(report: &Value) -> Option<&Value> {
    report["steps"].as_array().into_iter().flatten().find(|step| step["outcome"] == "failed")
}

/// How long the blocks took, and the longest of them: what to look at when this test gets slow.
fn times(report: &Value) -> String {
    let steps = report["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let seconds = |step: &Value| step["elapsed_ms"].as_f64().unwrap_or_default() / 1000.0;
    let longest = steps.iter().max_by(|one, other| seconds(one).total_cmp(&seconds(other)));
    let longest = longest.map(|step| format!("{:.1} s, {} runs: {}", seconds(step), step["runs"], step["place"]));
    format!("{:.1} s; {}", steps.iter().map(seconds).sum::<f64>(), longest.unwrap_or_default())
}

fn traffic(lab: &Lab) -> Traffic {
    Traffic::start(lab.name("ALB_URL"), 10.0, &["/", "/db", "/work?ms=5"])
}

/// What is wrong with confirmations on a lab where nothing is. They only look, so several look at once.
fn complaints_of_health(lab: &Lab) -> Vec<String> {
    let _traffic = traffic(lab);
    let listed = lab.breakfix(&["runbook", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let ids: Vec<&str> = listed.as_array().into_iter().flatten().filter_map(|book| book["id"].as_str()).collect();
    assert!(ids.len() > 15, "{ids:?}");
    let looked = |ids: &[&str]| ids.iter().filter_map(|id| complaint_of_health(lab, id)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let lookers: Vec<_> =
            ids.chunks(ids.len().div_ceil(LOOKERS)).map(|ids| scope.spawn(move || looked(ids))).collect();
        lookers.into_iter().flat_map(|looker| looker.join().expect("it looked")).collect()
    })
}

fn complaint_of_health(lab: &Lab, id: &str) -> Option<String> {
    if !FAULTS.iter().chain(GUARDS).chain(DEPLOYMENTS).any(|(of, _)| *of == id) {
        return Some(format!("{id}: no fault is injected for it here"));
    }
    let report = check(lab, id, &["--only", "confirm", "--once"]);
    match failed(&report).map(|step| step["reason"].as_str().unwrap_or_default()) {
        None => Some(format!("{id}: confirmed on a healthy lab")),
        // A command that does not work would tell a healthy system from a sick one as little.
        Some(reason) if !reason.starts_with("expected") => Some(format!("{id}: on a healthy lab {reason}")),
        Some(_) => None,
    }
}

/// What goes wrong when each fault is mended by its runbook.
fn complaints_of(lab: &Lab, faults: &[(&str, Fault)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (id, fault) in faults {
        let _traffic = traffic(lab);
        match fault {
            Mode(value) => drop(lab.set_mode(value)),
            Calls(calls) => calls(lab),
        }
        let report = check(lab, id, &["--only", "confirm,mitigate,verify,undo"]);
        if let Some(step) = failed(&report) {
            complaints.push(format!("{id}: {step:#}"));
            lab.reset();
        }
        eprintln!("{id}: {}", times(&report));
    }
    lab.reset();
    complaints
}

#[test]
fn every_runbook_tells_its_fault_from_health_and_mends_it() {
    let lab = Lab::up_with(&["--speed", SPEED]);
    let complaints = [complaints_of_health(&lab), complaints_of(&lab, FAULTS)].concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_guards_of_the_service_are_mended_by_their_runbooks() {
    let lab = Lab::up_with(&["--speed", SPEED]);
    let complaints = complaints_of(&lab, GUARDS);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_bad_blue_green_deployment_is_mended_by_its_runbook() {
    let test_port = free_port().to_string();
    let lab = Lab::up_with(&["--deployments", "code-deploy", "--test-port", &test_port, "--speed", SPEED]);
    let complaints = complaints_of(&lab, DEPLOYMENTS);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
