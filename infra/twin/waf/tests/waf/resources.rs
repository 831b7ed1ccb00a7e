//! The API's resources: created, read back, changed, listed, deleted.

use serde_json::{Value, json};

use crate::support::{Lab, Sent, managed, rule, web_acl};

fn named(summary: &Value) -> Value {
    json!({"Name": summary["Name"], "Id": summary["Id"], "Scope": "REGIONAL", "LockToken": summary["LockToken"]})
}

#[tokio::test]
async fn a_web_acl_is_what_it_was_made() {
    let lab = Lab::new().await;
    let rules = [
        managed("AWSManagedRulesCommonRuleSet", 0, "Count"),
        rule("rate", 1, "Count", json!({"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP"}})),
    ];
    let mut acl = web_acl("golden", &rules);
    acl["Description"] = json!("In front of golden");
    acl["Tags"] = json!([{"Key": "team", "Value": "on-call"}]);
    let summary = lab.ok("CreateWebACL", &acl).await["Summary"].take();
    let read = lab.ok("GetWebACL", &named(&summary)).await;
    assert_eq!((&read["WebACL"]["Rules"], &read["WebACL"]["Capacity"]), (&json!(rules), &json!(702)));
    assert_eq!(read["WebACL"]["Description"], "In front of golden");
    assert_eq!(read["LockToken"], summary["LockToken"]);
    let by_arn = lab.ok("GetWebACL", &json!({"ARN": summary["ARN"]})).await;
    assert_eq!(by_arn["WebACL"], read["WebACL"]);
    let listed = lab.ok("ListWebACLs", &json!({"Scope": "REGIONAL"})).await;
    assert_eq!(listed["WebACLs"], json!([summary]));
    let tags = lab.ok("ListTagsForResource", &json!({"ResourceARN": summary["ARN"]})).await;
    assert_eq!(tags["TagInfoForResource"]["TagList"], json!([{"Key": "team", "Value": "on-call"}]));
    lab.ok("DeleteWebACL", &named(&summary)).await;
    assert_eq!(lab.ok("ListWebACLs", &json!({"Scope": "REGIONAL"})).await["WebACLs"], json!([]));
}

#[tokio::test]
async fn associations_come_and_go() {
    let lab = Lab::new().await;
    let of = json!({"ResourceArn": lab.balancer});
    assert_eq!(lab.ok("GetWebACLForResource", &of).await, json!({}));
    let summary = lab.protected(&[]).await;
    assert_eq!(lab.ok("GetWebACLForResource", &of).await["WebACL"]["ARN"], summary["ARN"]);
    let resources = json!({"WebACLArn": summary["ARN"], "ResourceType": "APPLICATION_LOAD_BALANCER"});
    assert_eq!(lab.ok("ListResourcesForWebACL", &resources).await["ResourceArns"], json!([lab.balancer]));
    assert_eq!(lab.refused("DeleteWebACL", &named(&summary)).await.0, "WAFAssociatedItemException");
    lab.ok("DisassociateWebACL", &of).await;
    lab.ok("DeleteWebACL", &named(&summary)).await;
}

#[tokio::test]
async fn sets_change_under_the_rules_that_refer_to_them() {
    let lab = Lab::new().await;
    let ips = json!({"Name": "bad", "Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": ["198.51.100.0/24"]});
    let ips = lab.ok("CreateIPSet", &ips).await["Summary"].take();
    let patterns = json!({"Name": "paths", "Scope": "REGIONAL", "RegularExpressionList": [{"RegexString": "^/old"}]});
    let patterns = lab.ok("CreateRegexPatternSet", &patterns).await["Summary"].take();
    let pattern = json!({"RegexPatternSetReferenceStatement": {
        "ARN": patterns["ARN"], "FieldToMatch": {"UriPath": {}}, "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }});
    lab.protected(&[
        rule("ips", 0, "Block", json!({"IPSetReferenceStatement": {"ARN": ips["ARN"]}})),
        rule("paths", 1, "Block", pattern),
    ])
    .await;
    let (bad, other) = (Sent::get("/").from([198, 51, 100, 7]), Sent::get("/"));
    assert!(lab.blocks(&bad) && !lab.blocks(&other) && lab.blocks(&Sent::get("/old")));
    let mut update = named(&ips);
    update["Addresses"] = json!(["192.0.2.1/32"]);
    let token = lab.ok("UpdateIPSet", &update).await["NextLockToken"].take();
    assert!(!lab.blocks(&bad) && lab.blocks(&other));
    assert_eq!(lab.refused("UpdateIPSet", &update).await.0, "WAFOptimisticLockException", "the token is spent");
    update["LockToken"] = token;
    assert_eq!(lab.refused("DeleteIPSet", &update).await.0, "WAFAssociatedItemException");
    update["Addresses"] = json!([]);
    lab.ok("UpdateIPSet", &update).await;
    let mut update = named(&patterns);
    update["RegularExpressionList"] = json!([{"RegexString": "^/new"}]);
    lab.ok("UpdateRegexPatternSet", &update).await;
    assert!(!lab.blocks(&Sent::get("/old")) && lab.blocks(&Sent::get("/new")));
}

#[tokio::test]
async fn capacity_is_counted_by_the_published_table() {
    let lab = Lab::new().await;
    let field = |field: Value, kind: &str, types: &[&str], more: Value| {
        let types: Vec<Value> =
            types.iter().zip(0..).map(|(name, priority)| json!({"Priority": priority, "Type": name})).collect();
        let mut statement = json!({"FieldToMatch": field, "TextTransformations": types});
        for (name, value) in more.as_object().into_iter().flatten() {
            statement[name] = value.clone();
        }
        json!({kind: statement})
    };
    let path = || json!({"UriPath": {}});
    for (statement, capacity) in [
        (field(path(), "XssMatchStatement", &["NONE"], json!({})), 40),
        (field(path(), "SqliMatchStatement", &["URL_DECODE", "LOWERCASE"], json!({})), 40),
        (
            field(
                json!({"AllQueryArguments": {}}),
                "SqliMatchStatement",
                &["NONE"],
                json!({"SensitivityLevel": "HIGH"}),
            ),
            40,
        ),
        (
            field(
                path(),
                "ByteMatchStatement",
                &["NONE"],
                json!({"SearchString": "YQ==", "PositionalConstraint": "EXACTLY"}),
            ),
            2,
        ),
        (
            field(
                path(),
                "ByteMatchStatement",
                &["LOWERCASE"],
                json!({"SearchString": "YQ==", "PositionalConstraint": "CONTAINS"}),
            ),
            20,
        ),
        (field(path(), "RegexMatchStatement", &["NONE"], json!({"RegexString": "a"})), 3),
        (json!({"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}}), 2),
        (
            json!({"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [{"IP": {}}, {"HTTPMethod": {}}]}}),
            62,
        ),
    ] {
        let rules = json!({"Scope": "REGIONAL", "Rules": [rule("one", 0, "Block", statement.clone())]});
        assert_eq!(lab.ok("CheckCapacity", &rules).await["Capacity"], capacity, "{statement}");
    }
}

#[tokio::test]
async fn managed_groups_are_described() {
    let lab = Lab::new().await;
    let groups = lab.ok("ListAvailableManagedRuleGroups", &json!({"Scope": "REGIONAL"})).await;
    assert_eq!(groups["ManagedRuleGroups"].as_array().expect("groups").len(), 3);
    let of = json!({"Scope": "REGIONAL", "VendorName": "AWS", "Name": "AWSManagedRulesAmazonIpReputationList"});
    let group = lab.ok("DescribeManagedRuleGroup", &of).await;
    assert_eq!(group["Capacity"], 25);
    assert_eq!(group["Rules"][2], json!({"Name": "AWSManagedIPDDoSList", "Action": {"Count": {}}}));
    assert_eq!(group["LabelNamespace"], "awswaf:managed:aws:amazon-ip-list:");
}

#[tokio::test]
async fn samples_say_which_rule_of_a_group_it_was() {
    let lab = Lab::new().await;
    let summary = lab.protected(&[managed("AWSManagedRulesCommonRuleSet", 0, "Count")]).await;
    lab.blocks(&Sent::get("/app/debug.log"));
    let samples = json!({
        "WebAclArn": summary["ARN"], "RuleMetricName": "AWSManagedRulesCommonRuleSet", "Scope": "REGIONAL", "MaxItems": 5,
        "TimeWindow": {"StartTime": 0, "EndTime": 4_000_000_000_u32},
    });
    let answer = lab.ok("GetSampledRequests", &samples).await;
    let sample = &answer["SampledRequests"][0];
    assert_eq!((&sample["Action"], &sample["OverriddenAction"]), (&json!("COUNT"), &json!("BLOCK")));
    assert_eq!(sample["RuleNameWithinRuleGroup"], "RestrictedExtensions_URIPATH");
    assert_eq!(sample["Labels"], json!([{"Name": "awswaf:managed:aws:core-rule-set:RestrictedExtensions_URIPath"}]));
    assert_eq!(sample["Request"]["URI"], "/app/debug.log");
    assert_eq!(answer["PopulationSize"], 1);
}
