//! IAM from outside: the query API, and what the policies decide.

use std::sync::Arc;

use proptest::prelude::*;
use twin_iam::{Ask, Decision, Iam};
use twin_platform::{
    Account, Request, Service as _,
    seam::{Roles as _, Session},
};

const ROLE: &str = "arn:aws:iam::123456789012:role/app";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Status and body of one call.
fn call(iam: &Iam, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
    let pairs = parameters.iter().map(|(name, value)| format!("&{name}={}", encoded(value)));
    let body = format!("Action={action}&Version=2010-05-08{}", pairs.collect::<String>());
    let request = Request { method: "POST".into(), uri: "/".into(), headers: Default::default(), body: body.into() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let response = runtime.block_on(iam.handle(request));
    (response.status, String::from_utf8_lossy(&response.body).into_owned())
}

fn ok(iam: &Iam, action: &str, parameters: &[(&str, &str)]) -> String {
    let (status, body) = call(iam, action, parameters);
    assert_eq!(status, 200, "{action}: {body}");
    body
}

fn refused(iam: &Iam, action: &str, parameters: &[(&str, &str)], status: u16, parts: &[&str]) {
    let (is, body) = call(iam, action, parameters);
    assert_eq!(is, status, "{action}: {body}");
    for part in parts {
        assert!(body.contains(part), "{action}: {part} is not in {body}");
    }
}

/// An IAM with the role `app`.
fn with_role() -> Arc<Iam> {
    let iam = Iam::new(Account { id: "123456789012".into(), region: "us-east-1".into() });
    ok(&iam, "CreateRole", &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)]);
    iam
}

fn put(iam: &Iam, document: &str) {
    ok(iam, "PutRolePolicy", &[("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", document)]);
}

fn decide(iam: &Iam, action: &str, resource: &str, facts: &[(&str, String)]) -> Decision {
    iam.decide(&Ask { role_arn: ROLE, session: "task", action, resource, facts })
}

/// A policy of one statement.
fn statement(rest: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{rest}}}]}}"#)
}

#[test]
fn wildcards_negations_and_denies_decide_as_in_aws() {
    let iam = with_role();
    let object = "arn:aws:s3:::bucket/a/b.txt";
    for (rest, action, resource, wanted) in [
        (
            r#""Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*""#,
            "s3:GetObject",
            object,
            Decision::Allowed,
        ),
        (r#""Effect":"Allow","Action":"S3:getobject","Resource":"*""#, "s3:GetObject", object, Decision::Allowed),
        (
            r#""Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket""#,
            "s3:GetObject",
            object,
            Decision::ImplicitDeny,
        ),
        (
            r#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::buc?et/a/*.txt""#,
            "s3:GetObject",
            object,
            Decision::Allowed,
        ),
        (
            r#""Effect":"Allow","NotAction":"s3:Delete*","Resource":"*""#,
            "s3:DeleteObject",
            object,
            Decision::ImplicitDeny,
        ),
        (r#""Effect":"Allow","NotAction":"s3:Delete*","Resource":"*""#, "sqs:SendMessage", "*", Decision::Allowed),
        (
            r#""Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::other/*""#,
            "s3:GetObject",
            object,
            Decision::Allowed,
        ),
        (
            r#""Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::bucket/*""#,
            "s3:GetObject",
            object,
            Decision::ImplicitDeny,
        ),
        (
            r#""Effect":"Allow","Action":"xray:*","Resource":"arn:aws:xray:us-east-1:123456789012:x""#,
            "xray:PutTraceSegments",
            "*",
            Decision::ImplicitDeny,
        ),
        (
            r#""Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-??????""#,
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-AbCdEf",
            Decision::Allowed,
        ),
        (
            r#""Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-??????""#,
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:golden/db-admin-AbCdEf",
            Decision::ImplicitDeny,
        ),
    ] {
        put(&iam, &statement(rest));
        assert_eq!(decide(&iam, action, resource, &[]), wanted, "{rest}: {action} on {resource}");
    }
    put(
        &iam,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}"#,
    );
    assert_eq!(decide(&iam, "s3:GetObject", object, &[]), Decision::ExplicitDeny);
    assert_eq!(decide(&iam, "s3:PutObject", object, &[]), Decision::Allowed);
}

#[test]
fn conditions_and_policy_variables_act() {
    let iam = with_role();
    ok(&iam, "TagRole", &[("RoleName", "app"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "blue")]);
    let allow = |condition: &str| {
        statement(&format!(r#""Effect":"Allow","Action":"s3:ListBucket","Resource":"*","Condition":{condition}"#))
    };
    let prefix = [("s3:prefix", "home/x".to_owned())];
    for (condition, wanted) in [
        (r#"{"StringEquals":{"s3:prefix":"home/x"}}"#, true),
        (r#"{"StringLike":{"s3:prefix":["a/*","home/*"]}}"#, true),
        (r#"{"StringNotEquals":{"s3:prefix":"home/x"}}"#, false),
        (r#"{"StringEquals":{"s3:delimiter":"/"}}"#, false),
        (r#"{"StringEqualsIfExists":{"s3:delimiter":"/"}}"#, true),
        (r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/a*"}}"#, true),
        (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/other"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#, true),
        (r#"{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}"#, false),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true),
        (r#"{"StringEquals":{"aws:RequestedRegion":["us-east-1"],"aws:PrincipalTag/team":"blue"}}"#, true),
        (r#"{"StringEquals":{"aws:RequestedRegion":"us-east-1","aws:PrincipalTag/team":"red"}}"#, false),
        (r#"{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#, true),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}"#, false),
        (r#"{"NumericLessThanEquals":{"s3:max-keys":10}}"#, false),
        (r#"{"Null":{"s3:prefix":"false"}}"#, true),
    ] {
        put(&iam, &allow(condition));
        let is = decide(&iam, "s3:ListBucket", "arn:aws:s3:::b", &prefix);
        assert_eq!(is == Decision::Allowed, wanted, "{condition}");
    }
    put(&iam, &statement(r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*""#));
    assert_eq!(decide(&iam, "s3:GetObject", "arn:aws:s3:::b/blue/k", &[]), Decision::Allowed);
    assert_eq!(decide(&iam, "s3:GetObject", "arn:aws:s3:::b/red/k", &[]), Decision::ImplicitDeny);
}

#[test]
fn a_change_acts_at_once_wherever_the_policy_stands() {
    let iam = with_role();
    let may =
        |iam: &Iam| decide(iam, "sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q", &[]) == Decision::Allowed;
    assert!(!may(&iam));
    let allow = statement(r#""Effect":"Allow","Action":"sqs:*","Resource":"*""#);
    let nothing = statement(r#""Effect":"Allow","Action":"sns:*","Resource":"*""#);
    ok(&iam, "CreatePolicy", &[("PolicyName", "queues"), ("PolicyDocument", &allow)]);
    let arn = "arn:aws:iam::123456789012:policy/queues";
    let attached = [("RoleName", "app"), ("PolicyArn", arn)];
    ok(&iam, "AttachRolePolicy", &attached);
    assert!(may(&iam));
    ok(&iam, "CreatePolicyVersion", &[("PolicyArn", arn), ("PolicyDocument", &nothing), ("SetAsDefault", "true")]);
    assert!(!may(&iam));
    ok(&iam, "SetDefaultPolicyVersion", &[("PolicyArn", arn), ("VersionId", "v1")]);
    assert!(may(&iam));
    refused(&iam, "DeleteRole", &[("RoleName", "app")], 409, &["DeleteConflict", "must detach all policies first"]);
    refused(&iam, "DeletePolicy", &[("PolicyArn", arn)], 409, &["DeleteConflict", "attached to entities"]);
    ok(&iam, "DetachRolePolicy", &attached);
    assert!(!may(&iam));
    refused(&iam, "DetachRolePolicy", &attached, 404, &["NoSuchEntity"]);
    refused(&iam, "DeletePolicyVersion", &[("PolicyArn", arn), ("VersionId", "v1")], 409, &["default version"]);
    ok(&iam, "DeletePolicyVersion", &[("PolicyArn", arn), ("VersionId", "v2")]);
    ok(&iam, "DeletePolicy", &[("PolicyArn", arn)]);
    put(&iam, &allow);
    assert!(may(&iam));
    ok(&iam, "DeleteRolePolicy", &[("RoleName", "app"), ("PolicyName", "p")]);
    assert!(!may(&iam));
    ok(&iam, "DeleteRole", &[("RoleName", "app")]);
    refused(&iam, "GetRole", &[("RoleName", "app")], 404, &["NoSuchEntity", "The role with name app cannot be found."]);
}

#[test]
fn denials_and_assumption_read_as_in_aws() {
    let iam = with_role();
    let session = Session { role_arn: ROLE.into(), name: "t1".into() };
    let denial = iam.as_ref().authorize_session(&session);
    assert_eq!(
        denial,
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/app/t1 is not authorized to perform: \
         ssm:GetParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/p because no identity-based policy allows \
         the ssm:GetParameter action"
    );
    put(&iam, &statement(r#""Effect":"Deny","Action":"ssm:*","Resource":"*""#));
    assert!(iam.as_ref().authorize_session(&session).ends_with("with an explicit deny in an identity-based policy"));
    assert!(iam.assumable(ROLE) && !iam.assumable("arn:aws:iam::123456789012:role/none"));
    ok(&iam, "UpdateAssumeRolePolicy", &[("RoleName", "app"), ("PolicyDocument", &TRUST.replace("ecs-tasks", "ec2"))]);
    assert!(!iam.assumable(ROLE), "another service is trusted");
}

trait AuthorizeSession {
    fn authorize_session(&self, session: &Session) -> String;
}

impl AuthorizeSession for Iam {
    fn authorize_session(&self, session: &Session) -> String {
        let resource = "arn:aws:ssm:us-east-1:123456789012:parameter/p";
        let denied = twin_platform::seam::Roles::authorize(self, session, "ssm:GetParameter", resource);
        denied.expect_err("no policy allows it").to_string()
    }
}

#[test]
fn malformed_documents_and_bad_input_are_named_and_change_nothing() {
    let iam = with_role();
    for (document, words) in [
        ("{", "invalid Json"),
        ("[]", "Syntax errors in policy."),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "Syntax errors in policy."),
        (r#"{"Version":"2013-01-01","Statement":[{}]}"#, "must be version 2012-10-17 or greater"),
        (&statement(r#""Effect":"allow","Action":"s3:*","Resource":"*""#), "Syntax errors in policy."),
        (&statement(r#""Effect":"Allow","Resource":"*""#), "must contain actions"),
        (&statement(r#""Effect":"Allow","Action":"s3:*""#), "must contain resources"),
        (&statement(r#""Effect":"Allow","Action":"get","Resource":"*""#), "prefaced by a vendor"),
        (&statement(r#""Effect":"Allow","Action":"s3:*","Resource":"x""#), "must be in ARN format"),
        (
            &statement(r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#),
            "should not specify a principal",
        ),
        (&statement(r#""Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*""#), "must be alpha-numeric"),
        (
            &statement(r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Like":{"aws:x":"y"}}"#),
            "Invalid Condition type : Like.",
        ),
    ] {
        let given = [("RoleName", "app"), ("PolicyName", "bad"), ("PolicyDocument", document)];
        refused(&iam, "PutRolePolicy", &given, 400, &["MalformedPolicyDocument", words]);
    }
    refused(
        &iam,
        "CreateRole",
        &[("RoleName", "app"), ("AssumeRolePolicyDocument", TRUST)],
        409,
        &["EntityAlreadyExists"],
    );
    refused(
        &iam,
        "CreateRole",
        &[("RoleName", "a b"), ("AssumeRolePolicyDocument", TRUST)],
        400,
        &["roleName is invalid"],
    );
    let resource = TRUST.replace(r#""Action""#, r#""Resource":"*","Action""#);
    let given = [("RoleName", "r"), ("AssumeRolePolicyDocument", resource.as_str())];
    refused(&iam, "CreateRole", &given, 400, &["Has prohibited field Resource"]);
    let boundary = [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST), ("PermissionsBoundary", ROLE)];
    refused(&iam, "CreateRole", &boundary, 501, &["NotImplemented", "PermissionsBoundary"]);
    refused(&iam, "CreateUser", &[("UserName", "u")], 501, &["NotImplemented", "iam:CreateUser"]);
    let variable = statement(
        r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"${aws:username}"}}"#,
    );
    let given = [("RoleName", "app"), ("PolicyName", "bad"), ("PolicyDocument", variable.as_str())];
    refused(&iam, "PutRolePolicy", &given, 501, &["policy variables in the conditions"]);
    let long =
        statement(&format!(r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{}""#, "x".repeat(10_300)));
    let given = [("RoleName", "app"), ("PolicyName", "bad"), ("PolicyDocument", long.as_str())];
    refused(&iam, "PutRolePolicy", &given, 409, &["LimitExceeded", "10240 bytes"]);
    assert!(!ok(&iam, "ListRolePolicies", &[("RoleName", "app")]).contains("bad"));
    assert!(!ok(&iam, "ListRoles", &[]).contains("<RoleName>r<"));
}

#[test]
fn lists_come_in_pages_and_documents_come_back_encoded() {
    let iam = with_role();
    for name in ["b", "c", "d"] {
        ok(&iam, "CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)]);
    }
    let first = ok(&iam, "ListRoles", &[("MaxItems", "3")]);
    assert!(first.contains("<IsTruncated>true</IsTruncated>") && first.contains("<Marker>c</Marker>"), "{first}");
    let second = ok(&iam, "ListRoles", &[("MaxItems", "3"), ("Marker", "c")]);
    assert!(second.contains("<RoleName>d</RoleName>") && !second.contains("<RoleName>b<"), "{second}");
    assert!(second.contains("<IsTruncated>false</IsTruncated>") && second.contains("%7B%22Version%22%3A"), "{second}");
    let aws = ok(&iam, "ListPolicies", &[("Scope", "AWS")]);
    assert!(aws.contains("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"), "{aws}");
}

#[test]
fn a_simulation_says_what_a_call_would_be_told() {
    let iam = with_role();
    put(&iam, &statement(r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*""#));
    let asked = [
        ("PolicySourceArn", ROLE),
        ("ActionNames.member.1", "s3:GetObject"),
        ("ActionNames.member.2", "sqs:SendMessage"),
        ("ResourceArns.member.1", "arn:aws:s3:::b/k"),
    ];
    let answer = ok(&iam, "SimulatePrincipalPolicy", &asked);
    assert!(answer.contains("<EvalDecision>allowed</EvalDecision>") && answer.contains("role_app_p"), "{answer}");
    assert!(answer.contains("<EvalDecision>implicitDeny</EvalDecision>"), "{answer}");
    refused(
        &iam,
        "SimulatePrincipalPolicy",
        &[("PolicySourceArn", "x"), ("ActionNames.member.1", "a:b")],
        400,
        &["InvalidInput"],
    );
}

proptest! {
    /// Whatever the text is, it is either taken or refused; and what is taken can be asked.
    #[test]
    fn no_document_panics(
        text in prop_oneof![
            ".{0,80}",
            r#"\{"Version":"2012-10-17","Statement":\{"Effect":"(Allow|Deny)","(Action|NotAction)":"[a-z0-9]{1,4}:[A-Za-z*?]{1,9}","(Resource|NotResource)":"(\*|arn:aws:s3:[a-z]{0,3}:[0-9*]{0,3}:[a-z*?/${}:,' ]{0,20})","Condition":\{"(StringLike|IpAddress|NumericEquals|Bool|DateLessThan|Null|ForAnyValue:StringEquals|ArnEquals|BinaryEquals)":\{"aws:[A-Za-z]{2,9}":("[a-z0-9./*]{0,9}"|true|7|\["1","2"\])\}\}\}\}"#,
        ],
        action in "[a-z]{1,5}:[A-Za-z]{1,5}",
        resource in "(\\*|arn:aws:s3:::[a-z/*?:]{0,12}|.{0,12})",
    ) {
        let iam = with_role();
        let given = [("RoleName", "app"), ("PolicyName", "p"), ("PolicyDocument", text.as_str())];
        let (status, body) = call(&iam, "PutRolePolicy", &given);
        prop_assert!(matches!(status, 200 | 400 | 501), "{}", body);
        if status == 200 {
            decide(&iam, &action, &resource, &[]);
        }
    }
}
