//! The firewall in front of the balancer: it counts, it blocks, an exception lets the good client through, and `reset` ends it.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Lab, Reply, until};

/// A change acts within a second; the rate is looked at every ten seconds of the platform's, which are one here.
const PATIENCE_S: u64 = 15;

struct Firewall<'a> {
    lab: &'a Lab,
    id: String,
    arn: String,
}

impl<'a> Firewall<'a> {
    fn of(lab: &'a Lab) -> Self {
        let acl = lab.aws(&["wafv2", "list-web-acls", "--scope", "REGIONAL"])["WebACLs"][0].clone();
        let text = |name: &str| acl[name].as_str().expect("a text").to_owned();
        assert_eq!(text("Name"), "golden");
        Self { lab, id: text("Id"), arn: text("ARN") }
    }

    fn read(&self) -> Value {
        self.lab.aws(&["wafv2", "get-web-acl", "--name", "golden", "--scope", "REGIONAL", "--id", &self.id])
    }

    /// Changes the rules, as a person does it: get, edit, update with the lock token.
    fn change(&self, edit: impl FnOnce(&mut Vec<Value>)) {
        let mut held = self.read();
        let rules = held["WebACL"]["Rules"].as_array_mut().expect("rules");
        edit(rules);
        let text = |value: &Value| value.to_string();
        let acl = &held["WebACL"];
        self.lab.aws(&[
            "wafv2",
            "update-web-acl",
            "--name",
            "golden",
            "--scope",
            "REGIONAL",
            "--id",
            &self.id,
            "--lock-token",
            held["LockToken"].as_str().expect("a token"),
            "--default-action",
            &text(&acl["DefaultAction"]),
            "--visibility-config",
            &text(&acl["VisibilityConfig"]),
            "--rules",
            &text(&acl["Rules"]),
        ]);
    }

    /// The samples of a rule, of the last minutes.
    fn samples(&self, metric: &str) -> Vec<Value> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let window = format!("StartTime={},EndTime={}", now - 300, now + 1);
        let answer = self.lab.aws(&[
            "wafv2",
            "get-sampled-requests",
            "--web-acl-arn",
            &self.arn,
            "--rule-metric-name",
            metric,
            "--scope",
            "REGIONAL",
            "--time-window",
            &window,
            "--max-items",
            "100",
        ]);
        answer["SampledRequests"].as_array().cloned().unwrap_or_default()
    }

    /// The sum of a metric of a rule over the last minutes.
    fn sum(&self, metric: &str, rule: &str) -> f64 {
        let name = |name: &str, value: &str| json!({"Name": name, "Value": value});
        let region = self.lab.name("AWS_REGION");
        let dimensions = json!([name("Region", region), name("WebACL", "golden"), name("Rule", rule)]).to_string();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
        let answer = self.lab.aws(&[
            "cloudwatch",
            "get-metric-statistics",
            "--namespace",
            "AWS/WAFV2",
            "--metric-name",
            metric,
            "--dimensions",
            &dimensions,
            "--start-time",
            &(now - 600).to_string(),
            "--end-time",
            &(now + 60).to_string(),
            "--period",
            "60",
            "--statistics",
            "Sum",
        ]);
        answer["Datapoints"].as_array().into_iter().flatten().filter_map(|point| point["Sum"].as_f64()).sum()
    }
}

fn get(lab: &Lab, headers: &[(&str, &str)]) -> Reply {
    Reply::get(lab.name("ALB_URL"), headers, Duration::from_secs(5)).expect("the balancer answers")
}

fn until_status(lab: &Lab, headers: &[(&str, &str)], wanted: u16) {
    until(&format!("the balancer answers {wanted}"), PATIENCE_S, || {
        let statuses: Vec<u16> = (0..20).map(|_| get(lab, headers).status).collect();
        if statuses.last() == Some(&wanted) { Ok(()) } else { Err(format!("{statuses:?}")) }
    });
}

/// The rate rule, blocking from ten requests a minute on, but for those that the statement excepts.
fn strict(rules: &mut [Value], except: Option<Value>) {
    let rule = rules.iter_mut().find(|rule| rule["Name"] == "rate-per-client").expect("the lab's rate rule");
    rule["Action"] = json!({"Block": {}});
    let mut rate = json!({"Limit": 10, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"});
    if let Some(except) = except {
        rate["ScopeDownStatement"] = json!({"NotStatement": {"Statement": except}});
    }
    rule["Statement"] = json!({"RateBasedStatement": rate});
}

#[test]
fn a_rate_rule_counts_blocks_excepts_and_is_reset() {
    let lab = Lab::up();
    let firewall = Firewall::of(&lab);

    // As shipped, it blocks nobody; what AWS's rules would block is counted.
    let scanner = [("user-agent", "nmap scripting engine")];
    assert_eq!(get(&lab, &scanner).status, 200);
    let group = "AWSManagedRulesCommonRuleSet";
    let samples = firewall.samples(group);
    assert!(samples.iter().any(|it| it["RuleNameWithinRuleGroup"] == "UserAgent_BadBots_HEADER"), "{samples:?}");
    until("the scanner is counted", PATIENCE_S, || {
        let counted = firewall.sum("CountedRequests", group);
        if counted >= 1.0 { Ok(()) } else { Err(format!("{counted}")) }
    });

    // In COUNT a rule over its limit counts.
    firewall.change(|rules| {
        strict(rules, None);
        rules.last_mut().expect("a rule")["Action"] = json!({"Count": {}});
    });
    until("the rate rule counts", PATIENCE_S, || {
        assert!((0..20).all(|_| get(&lab, &[]).status == 200), "a rule that counts blocks nobody");
        let counted = firewall.sum("CountedRequests", "rate-per-client");
        if counted > 0.0 { Ok(()) } else { Err(format!("{counted}")) }
    });

    // In BLOCK it blocks, at the next request.
    firewall.change(|rules| strict(rules, None));
    let blocked = get(&lab, &[]);
    assert!(blocked.status == 403 && blocked.body.contains("403 Forbidden"), "{} {}", blocked.status, blocked.body);
    let samples = firewall.samples("rate-per-client");
    assert!(samples.iter().any(|it| it["Action"] == "BLOCK" && it["Request"]["URI"] == "/"), "{samples:?}");
    until("the blocked request is a metric", PATIENCE_S, || {
        get(&lab, &[]);
        let blocked = (firewall.sum("BlockedRequests", "rate-per-client"), firewall.sum("BlockedRequests", "ALL"));
        if blocked.0 > 0.0 && blocked.1 > 0.0 { Ok(()) } else { Err(format!("{blocked:?}")) }
    });
    let keys = [
        "wafv2",
        "get-rate-based-statement-managed-keys",
        "--scope",
        "REGIONAL",
        "--web-acl-name",
        "golden",
        "--web-acl-id",
        &firewall.id,
    ];
    let keys = lab.aws(&[&keys[..], &["--rule-name", "rate-per-client"]].concat());
    assert_eq!(keys["ManagedKeysIPV4"]["Addresses"], json!(["127.0.0.1/32"]));

    // An exception lets the good client through.
    let partner = json!({"ByteMatchStatement": {
        "FieldToMatch": {"SingleHeader": {"Name": "x-partner"}}, "PositionalConstraint": "EXACTLY", "SearchString": "yes",
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }});
    // Version 1 of the aws CLI takes text, version 2 Base64.
    let partner = encoded(&lab, partner);
    firewall.change(|rules| strict(rules, Some(partner)));
    until_status(&lab, &[], 403);
    assert!((0..20).all(|_| get(&lab, &[("x-partner", "yes")]).status == 200), "the exception");

    // `reset` brings the lab's rules back, and proves it by traffic.
    lab.reset();
    let rules = firewall.read()["WebACL"]["Rules"].clone();
    assert_eq!(rules[3]["Action"], json!({"Count": {}}));
    assert_eq!(rules[3]["Statement"]["RateBasedStatement"]["Limit"], 2000);
    assert_eq!(get(&lab, &[]).status, 200);
}

/// A statement with its search string as this aws CLI wants it.
fn encoded(lab: &Lab, mut statement: Value) -> Value {
    let rule = |statement: &Value| {
        json!([{
            "Name": "a", "Priority": 0, "Action": {"Count": {}}, "Statement": statement,
            "VisibilityConfig": {"SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": "a"},
        }])
        .to_string()
    };
    if lab.try_aws(&["wafv2", "check-capacity", "--scope", "REGIONAL", "--rules", &rule(&statement)]).is_err() {
        statement["ByteMatchStatement"]["SearchString"] = json!("eWVz");
    }
    statement
}

#[test]
fn blocked_requests_raise_the_surge_alarm_until_the_reset() {
    let lab = Lab::up();
    let firewall = Firewall::of(&lab);
    firewall.change(|rules| strict(rules, None));
    let name = "golden-firewall-blocks";
    until("the alarm is raised", 90, || {
        (0..10).for_each(|_| drop(get(&lab, &[])));
        let alarm = lab.aws(&["cloudwatch", "describe-alarms", "--alarm-names", name])["MetricAlarms"][0].clone();
        if alarm["StateValue"] == "ALARM" { Ok(()) } else { Err(alarm["StateReason"].to_string()) }
    });
    lab.reset();
    until("the alarm is over", 90, || {
        get(&lab, &[]);
        let alarm = lab.aws(&["cloudwatch", "describe-alarms", "--alarm-names", name])["MetricAlarms"][0].clone();
        if alarm["StateValue"] == "OK" { Ok(()) } else { Err(alarm["StateReason"].to_string()) }
    });
}
