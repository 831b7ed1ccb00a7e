//! The roles of a task as shipped: each statement taken away breaks exactly one thing, which says so and heals.

use contract::names::resource;
use serde_json::Value;
use tests::{Lab, Reply, Traffic, until};

/// Policies of both roles, by role and policy name.
const TASK: (&str, &str) = (resource::TASK_ROLE, "application");
const EXECUTION: (&str, &str) = (resource::EXECUTION_ROLE, "platform");

fn policy(lab: &Lab, (role, name): (&str, &str)) -> Value {
    lab.aws(&["iam", "get-role-policy", "--role-name", role, "--policy-name", name])["PolicyDocument"].clone()
}

fn put(lab: &Lab, (role, name): (&str, &str), document: &Value) {
    let document = document.to_string();
    lab.aws(&["iam", "put-role-policy", "--role-name", role, "--policy-name", name, "--policy-document", &document]);
}

/// The policy without the statement of that name.
fn without(policy: &Value, sid: &str) -> Value {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().expect("a list of statements");
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != sid);
    assert_eq!(statements.len() + 1, before, "{sid} is one statement");
    policy
}

/// The errors of the deep health check, by dependency.
fn errors(reply: &Reply) -> Vec<(String, String)> {
    let body = reply.json();
    let services = body["services"].as_object().cloned().unwrap_or_default();
    services.into_iter().filter_map(|(name, it)| Some((name, it["error"].as_str()?.to_owned()))).collect()
}

/// Waits until every task's deep health check names exactly these dependencies, and answers what they say.
fn until_failing(lab: &Lab, dependencies: &[&str]) -> Vec<String> {
    until(&format!("exactly {dependencies:?} fail"), 40, || {
        let seen: Vec<_> = (0..4).map(|_| errors(&lab.get("/health?detailed=true"))).collect();
        let fits =
            seen.iter().all(|errors| errors.iter().map(|(name, _)| name.as_str()).eq(dependencies.iter().copied()));
        match fits {
            true => Ok(seen.into_iter().flatten().map(|(_, error)| error).collect()),
            false => Err(format!("{seen:?}")),
        }
    })
}

#[test]
fn a_statement_that_is_taken_from_the_task_role_denies_exactly_its_call() {
    let lab = Lab::up();
    let shipped = policy(&lab, TASK);
    until_failing(&lab, &[]);
    let traffic = Traffic::start(lab.name("ALB_URL"), 20.0, &["/", "/db", "/work?ms=1"]);
    let bucket = format!("s3:{}", resource::HEALTH_BUCKET);
    for (sid, dependency, action) in [
        ("ReadFailureMode", "parameter_store", "ssm:GetParameter"),
        ("ReadDatabaseSecret", "secrets", "secretsmanager:GetSecretValue"),
        ("ListHealthBucket", bucket.as_str(), "s3:ListBucket"),
    ] {
        put(&lab, TASK, &without(&shipped, sid));
        for error in until_failing(&lab, &[dependency]) {
            let session = format!(":assumed-role/{}/", resource::TASK_ROLE);
            let why = format!("because no identity-based policy allows the {action} action");
            for part in
                ["AccessDenied", &session, &format!("is not authorized to perform: {action} on resource: "), &why]
            {
                assert!(error.contains(part), "{part} is not in: {error}");
            }
        }
        put(&lab, TASK, &shipped);
        until_failing(&lab, &[]);
    }

    // What the probe of the lab does not touch is still granted and can still be taken.
    let role = lab.aws(&["iam", "get-role", "--role-name", TASK.0])["Role"]["Arn"].as_str().expect("an ARN").to_owned();
    let object = format!("arn:aws:s3:::{}/health/probe", resource::HEALTH_BUCKET);
    let decision = |action: &str, resource: &str| {
        let arguments = ["iam", "simulate-principal-policy", "--policy-source-arn", &role, "--action-names", action];
        let answer = lab.aws(&[arguments.as_slice(), &["--resource-arns", resource]].concat());
        answer["EvaluationResults"][0]["EvalDecision"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(decision("s3:PutObject", &object), "allowed");
    assert_eq!(decision("s3:DeleteObject", &object), "implicitDeny");
    put(&lab, TASK, &without(&shipped, "TouchHealthObject"));
    assert_eq!(decision("s3:PutObject", &object), "implicitDeny");

    // Traces are sent on as the task's role too.
    put(&lab, TASK, &without(&shipped, "SendTraces"));
    until("spans are dropped", 20, || {
        let said = lab.twin_log().contains("is not authorized to perform: xray:PutTraceSegments");
        if said { Ok(()) } else { Err("nothing in the twin's log") }
    });

    // `reset` puts the policy back, and takes away what overrules it.
    let deny = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Deny", "Action": "s3:*", "Resource": "*" }
    });
    put(&lab, (TASK.0, "drill"), &deny);
    for error in until_failing(&lab, &[&bucket]) {
        assert!(error.contains("with an explicit deny in an identity-based policy"), "{error}");
    }
    lab.reset();
    assert_eq!(policy(&lab, TASK), shipped);
    until_failing(&lab, &[]);
    let summary = traffic.end();
    assert_eq!((summary.failed, summary.shed), (0, 0), "no business request was lost: {summary:?}");
}

#[test]
fn a_task_whose_execution_role_may_not_write_logs_or_is_gone_stops_with_the_reason() {
    let lab = Lab::up();
    let shipped = policy(&lab, EXECUTION);
    put(&lab, EXECUTION, &without(&shipped, "WriteLogs"));
    let definition = lab.service()["taskDefinition"].as_str().expect("an ARN").to_owned();
    let subnets = lab.service()["networkConfiguration"].to_string();
    let arguments = ["ecs", "run-task", "--cluster", resource::CLUSTER, "--task-definition", &definition];
    let arguments = [arguments.as_slice(), &["--launch-type", "FARGATE", "--network-configuration", &subnets]].concat();
    let task = lab.aws(&arguments)["tasks"][0]["taskArn"].as_str().expect("a task").to_owned();
    let reason = until("the task has stopped", 30, || {
        let described = lab.aws(&["ecs", "describe-tasks", "--cluster", resource::CLUSTER, "--tasks", &task]);
        let task = described["tasks"][0].clone();
        match task["lastStatus"] == "STOPPED" {
            true => Ok(task["stoppedReason"].as_str().unwrap_or_default().to_owned()),
            false => Err(task["lastStatus"].to_string()),
        }
    });
    for part in [
        "ResourceInitializationError: failed to validate logger args",
        "AccessDeniedException",
        "logs:CreateLogStream",
        "log-group:/ecs/golden:log-stream:golden/golden/",
    ] {
        assert!(reason.contains(part), "{part} is not in: {reason}");
    }
    put(&lab, EXECUTION, &shipped);

    lab.aws(&["iam", "delete-role-policy", "--role-name", EXECUTION.0, "--policy-name", EXECUTION.1]);
    lab.aws(&["iam", "delete-role", "--role-name", EXECUTION.0]);
    let refused = lab.try_aws(&arguments).expect_err("the role is gone").to_string();
    assert!(refused.contains("ClientException") && refused.contains("ECS was unable to assume the role"), "{refused}");
    assert_eq!(lab.get("/db").status, 200, "the tasks that run go on");
}

#[test]
fn bad_policies_are_refused_in_awss_words() {
    let lab = Lab::up();
    for (document, words) in [
        ("{", "MalformedPolicyDocument"),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"GetObject","Resource":"*"}}"#,
            "must be prefaced by a vendor",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"bucket"}}"#,
            "must be in ARN format",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject"}}"#,
            "must contain resources",
        ),
    ] {
        let arguments =
            ["iam", "put-role-policy", "--role-name", TASK.0, "--policy-name", "bad", "--policy-document", document];
        let refused = lab.try_aws(&arguments).expect_err(document).to_string();
        assert!(refused.contains("MalformedPolicyDocument") && refused.contains(words), "{refused}");
    }
    let names = lab.aws(&["iam", "list-role-policies", "--role-name", TASK.0])["PolicyNames"].clone();
    assert_eq!(names, serde_json::json!(["application"]), "nothing was half-done");
}
