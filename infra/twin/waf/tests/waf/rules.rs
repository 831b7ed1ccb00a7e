//! What rules do: order, labels, overrides, answers, rates.

use serde_json::{Value, json};
use twin_elbv2::Verdict;

use crate::support::{Lab, Sent, bytes, managed, path_starts, rule, visibility, web_acl};

fn rate(limit: u32, scope: Option<Value>) -> Value {
    let mut rate = json!({"Limit": limit, "AggregateKeyType": "IP", "EvaluationWindowSec": 60});
    if let Some(scope) = scope {
        rate["ScopeDownStatement"] = scope;
    }
    json!({"RateBasedStatement": rate})
}

/// Sends until a request is blocked; at this speed the rate is looked at ten times a second.
async fn until_blocked(lab: &Lab, sent: &Sent) {
    for _ in 0..100 {
        if (0..20).any(|_| lab.blocks(sent)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no request was blocked");
}

#[tokio::test]
async fn rules_run_by_priority_and_the_first_that_ends_ends() {
    let lab = Lab::new().await;
    lab.protected(&[
        rule("late", 9, "Block", path_starts("/a")),
        rule("early", 1, "Allow", path_starts("/a/good")),
        rule("never", 5, "Count", path_starts("/a")),
    ])
    .await;
    assert!(!lab.blocks(&Sent::get("/a/good/x")) && lab.blocks(&Sent::get("/a/bad")) && !lab.blocks(&Sent::get("/b")));
    let mut metrics = lab.metrics();
    metrics.sort_by(|a, b| (&a.0, &a.1).partial_cmp(&(&b.0, &b.1)).expect("texts"));
    let of = |name: &str, rule: &str, count: f64| (name.to_owned(), rule.to_owned(), count);
    assert_eq!(
        metrics,
        [
            of("AllowedRequests", "ALL", 2.0),
            of("AllowedRequests", "Default_Action", 1.0),
            of("AllowedRequests", "early", 1.0),
            of("BlockedRequests", "ALL", 1.0),
            of("BlockedRequests", "late", 1.0),
            of("CountedRequests", "ALL", 1.0),
            of("CountedRequests", "never", 1.0),
        ]
    );
}

#[tokio::test]
async fn a_later_rule_sees_the_labels_of_an_earlier_one() {
    let lab = Lab::new().await;
    let mut labels = rule("label", 0, "Count", path_starts("/admin"));
    labels["RuleLabels"] = json!([{"Name": "zone:admin"}]);
    let label = |key: &str, scope: &str| json!({"LabelMatchStatement": {"Scope": scope, "Key": key}});
    let not_home =
        json!({"NotStatement": {"Statement": bytes(json!({"SingleHeader": {"Name": "X-Home"}}), "EXACTLY", "yes")}});
    let guard = json!({"AndStatement": {"Statements": [label("zone:", "NAMESPACE"), not_home]}});
    let managed_label = label("awswaf:managed:aws:known-bad-inputs:Propfind_Method", "LABEL");
    lab.protected(&[
        labels,
        managed("AWSManagedRulesKnownBadInputsRuleSet", 1, "Count"),
        rule("guard", 2, "Block", guard),
        rule("propfind", 3, "Block", managed_label),
    ])
    .await;
    assert!(lab.blocks(&Sent::get("/admin")) && !lab.blocks(&Sent::get("/admin").with("x-home", "yes")));
    assert!(lab.blocks(&Sent::new("PROPFIND", "/")), "a group that only counts still labels");
}

#[tokio::test]
async fn answers_and_headers_are_a_rules_own() {
    let lab = Lab::new().await;
    let mut teapot = rule("teapot", 0, "Block", path_starts("/tea"));
    teapot["Action"] = json!({"Block": {"CustomResponse": {
        "ResponseCode": 418, "CustomResponseBodyKey": "tea", "ResponseHeaders": [{"Name": "x-tea", "Value": "green"}],
    }}});
    let mut mark = rule("mark", 1, "Count", path_starts("/"));
    mark["Action"] = json!({"Count": {"CustomRequestHandling": {"InsertHeaders": [{"Name": "seen", "Value": "1"}]}}});
    let mut acl = web_acl("golden", &[teapot, mark]);
    acl["CustomResponseBodies"] = json!({"tea": {"ContentType": "TEXT_PLAIN", "Content": "short and stout"}});
    let arn = lab.ok("CreateWebACL", &acl).await["Summary"]["ARN"].take();
    lab.ok("AssociateWebACL", &json!({"WebACLArn": arn, "ResourceArn": lab.balancer})).await;
    let Verdict::Answer(answer) = lab.judge(&Sent::get("/tea")) else { panic!("no answer of its own") };
    assert_eq!((answer.status, answer.body), (418, Some(("text/plain", "short and stout".into()))));
    assert_eq!(answer.headers[0].1, "green");
    let Verdict::Allow(inserted) = lab.judge(&Sent::get("/")) else { panic!("not allowed") };
    assert_eq!((inserted[0].0.as_str(), &inserted[0].1), ("x-amzn-waf-seen", &"1".parse().expect("valid")));
}

#[tokio::test]
async fn a_rate_rule_counts_then_blocks_and_a_scope_down_lets_the_good_client_through() {
    let lab = Lab::new().await;
    let summary = lab.protected(&[rule("rate", 0, "Count", rate(10, None))]).await;
    let (bad, good) = (Sent::get("/"), Sent::get("/").with("x-partner", "yes"));
    for _ in 0..50 {
        assert!(!lab.blocks(&bad), "a rule that counts blocks nobody");
    }
    // Turned to BLOCK it keeps its counts.
    let update = |action: &str, statement: Value, token: &Value| {
        let mut acl = web_acl("golden", &[rule("rate", 0, action, statement)]);
        acl["Id"] = summary["Id"].clone();
        acl["LockToken"] = token.clone();
        acl
    };
    let token =
        lab.ok("UpdateWebACL", &update("Block", rate(10, None), &summary["LockToken"])).await["NextLockToken"].take();
    until_blocked(&lab, &bad).await;
    assert!(lab.blocks(&good), "the same address");
    assert!(!lab.blocks(&bad.clone().from([192, 0, 2, 2])), "another address");
    let keys = json!({"Scope": "REGIONAL", "WebACLName": "golden", "WebACLId": summary["Id"], "RuleName": "rate"});
    let keys = lab.ok("GetRateBasedStatementManagedKeys", &keys).await;
    assert_eq!(keys["ManagedKeysIPV4"]["Addresses"], json!(["192.0.2.1/32"]));
    let samples = json!({
        "WebAclArn": summary["ARN"], "RuleMetricName": "rate", "Scope": "REGIONAL", "MaxItems": 100,
        "TimeWindow": {"StartTime": 0, "EndTime": 4_000_000_000_u32},
    });
    let samples = lab.ok("GetSampledRequests", &samples).await;
    let actions: Vec<&str> =
        samples["SampledRequests"].as_array().expect("samples").iter().filter_map(|it| it["Action"].as_str()).collect();
    assert!(actions.contains(&"BLOCK"), "{samples}");
    let but_partners =
        json!({"NotStatement": {"Statement": bytes(json!({"SingleHeader": {"Name": "x-partner"}}), "EXACTLY", "yes")}});
    lab.ok("UpdateWebACL", &update("Block", rate(10, Some(but_partners)), &token)).await;
    until_blocked(&lab, &bad).await;
    assert!(!lab.blocks(&good), "the exception");
}

#[tokio::test]
async fn rates_are_kept_by_what_the_rule_says() {
    let lab = Lab::new().await;
    let forwarded = json!({"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH"});
    let by_header = json!({"RateBasedStatement": {
        "Limit": 10, "AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": forwarded, "EvaluationWindowSec": 60,
    }});
    let plain = json!([{"Priority": 0, "Type": "NONE"}]);
    let by_key = json!({"RateBasedStatement": {
        "Limit": 10, "AggregateKeyType": "CUSTOM_KEYS", "EvaluationWindowSec": 60,
        "CustomKeys": [{"Header": {"Name": "x-key", "TextTransformations": plain}}, {"HTTPMethod": {}}],
    }});
    lab.protected(&[rule("header", 0, "Block", by_header), rule("key", 1, "Block", by_key)]).await;
    until_blocked(&lab, &Sent::get("/").with("x-forwarded-for", "198.51.100.1, 10.0.0.1")).await;
    assert!(!lab.blocks(&Sent::get("/").with("x-forwarded-for", "198.51.100.2")));
    assert!(!lab.blocks(&Sent::get("/").with("x-forwarded-for", "nonsense")));
    until_blocked(&lab, &Sent::get("/").with("x-key", "a")).await;
    assert!(!lab.blocks(&Sent::get("/").with("x-key", "b")) && !lab.blocks(&Sent::new("POST", "/").with("x-key", "a")));
    assert!((0..100).all(|_| !lab.blocks(&Sent::get("/"))), "a request without the key is not counted");
}

#[tokio::test]
async fn fields_are_read_as_they_are_named() {
    let none = json!([{"Priority": 0, "Type": "NONE"}]);
    let all = |kind: &str, scope: &str| json!({kind: {"MatchPattern": {"All": {}}, "MatchScope": scope, "OversizeHandling": "CONTINUE"}});
    let json_body = |paths: Value, scope: &str| json!({"JsonBody": {"MatchPattern": paths, "MatchScope": scope, "InvalidFallbackBehavior": "NO_MATCH"}});
    let post = |body: &str| Sent::new("POST", "/").body(body);
    let cases = [
        (bytes(json!({"Method": {}}), "EXACTLY", "POST"), Sent::new("POST", "/"), Sent::get("/")),
        (bytes(json!({"QueryString": {}}), "ENDS_WITH", "z"), Sent::get("/?a=z"), Sent::get("/?z=a")),
        (
            bytes(json!({"SingleQueryArgument": {"Name": "A"}}), "EXACTLY", "1"),
            Sent::get("/?b=2&a=1"),
            Sent::get("/?b=1"),
        ),
        (bytes(json!({"AllQueryArguments": {}}), "CONTAINS", "x"), Sent::get("/?b=2&a=axa"), Sent::get("/?x=1")),
        (bytes(json!({"Body": {}}), "CONTAINS", "evil"), post("an evil body"), post("a good body")),
        (
            bytes(all("Cookies", "KEY"), "EXACTLY", "id"),
            Sent::get("/").with("cookie", "a=1; id=2"),
            Sent::get("/").with("cookie", "a=id"),
        ),
        (
            bytes(all("Headers", "ALL"), "EXACTLY", "x-evil"),
            Sent::get("/").with("x-evil", "1"),
            Sent::get("/").with("x-good", "1"),
        ),
        (
            bytes(json_body(json!({"All": {}}), "VALUE"), "EXACTLY", "1"),
            post(r#"{"a":[{"b":1}]}"#),
            post(r#"{"1":"a"}"#),
        ),
        (
            bytes(json_body(json!({"IncludedPaths": ["/a/0"]}), "ALL"), "EXACTLY", "b"),
            post(r#"{"a":[{"b":1}]}"#),
            post(r#"{"c":{"b":1}}"#),
        ),
        (
            json!({"SizeConstraintStatement": {"FieldToMatch": {"UriPath": {}}, "ComparisonOperator": "GT", "Size": 5, "TextTransformations": none}}),
            Sent::get("/12345"),
            Sent::get("/1234"),
        ),
        (
            json!({"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": "^/user/[0-9]+$", "TextTransformations": none}}),
            Sent::get("/user/42"),
            Sent::get("/user/x"),
        ),
        (
            json!({"SqliMatchStatement": {"FieldToMatch": {"AllQueryArguments": {}}, "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}]}}),
            Sent::get("/?id=1%27%20OR%20%271%27=%271"),
            Sent::get("/?id=O%27Neill"),
        ),
        (
            json!({"XssMatchStatement": {"FieldToMatch": {"QueryString": {}}, "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}]}}),
            Sent::get("/?q=%3Cscript%3Ealert(1)"),
            Sent::get("/?q=script"),
        ),
        (
            json!({"OrStatement": {"Statements": [path_starts("/a"), path_starts("/b")]}}),
            Sent::get("/b"),
            Sent::get("/c"),
        ),
    ];
    for (statement, hit, miss) in cases {
        let lab = Lab::new().await;
        lab.protected(&[rule("only", 0, "Block", statement.clone())]).await;
        assert!(lab.blocks(&hit), "{statement}");
        assert!(!lab.blocks(&miss), "{statement}");
    }
}

#[tokio::test]
async fn a_group_of_ones_own_and_its_override() {
    let lab = Lab::new().await;
    let mut first = rule("first", 0, "Block", path_starts("/a"));
    first["RuleLabels"] = json!([{"Name": "seen"}]);
    let second = rule("second", 1, "Block", json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": "seen"}}));
    let group = json!({
        "Name": "own", "Scope": "REGIONAL", "Capacity": 10, "Rules": [first, second], "VisibilityConfig": visibility("own"),
    });
    let arn = lab.ok("CreateRuleGroup", &group).await["Summary"]["ARN"].take();
    let refer = |overrides: Value| {
        json!({
            "Name": "group", "Priority": 0, "OverrideAction": {"None": {}}, "VisibilityConfig": visibility("group"),
            "Statement": {"RuleGroupReferenceStatement": {"ARN": arn, "RuleActionOverrides": overrides}},
        })
    };
    let count = |name: &str| json!({"Name": name, "ActionToUse": {"Count": {}}});
    let summary = lab.protected(&[refer(json!([count("first"), count("second")]))]).await;
    assert!(!lab.blocks(&Sent::get("/a")));
    let mut acl = web_acl("golden", &[refer(json!([count("first")]))]);
    (acl["Id"], acl["LockToken"]) = (summary["Id"].clone(), summary["LockToken"].clone());
    lab.ok("UpdateWebACL", &acl).await;
    assert!(lab.blocks(&Sent::get("/a")), "the second sees the label of the first");
    assert!(!lab.blocks(&Sent::get("/b")));
}
