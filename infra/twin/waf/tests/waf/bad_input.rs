//! What is refused, in AWS's words, with nothing half done.

use serde_json::{Value, json};

use crate::support::{Lab, bytes, managed, path_starts, rule, web_acl};

async fn creating(rules: &[Value]) -> (String, String) {
    let lab = Lab::new().await;
    let refused = lab.refused("CreateWebACL", &web_acl("golden", rules)).await;
    assert_eq!(lab.ok("ListWebACLs", &json!({"Scope": "REGIONAL"})).await["WebACLs"], json!([]), "nothing was made");
    refused
}

#[tokio::test]
async fn a_rule_that_is_not_valid_names_its_field() {
    let rate = |value: Value| json!({"RateBasedStatement": value});
    let mut both = managed("AWSManagedRulesCommonRuleSet", 0, "None");
    both["Action"] = json!({"Count": {}});
    let mut none = rule("a", 0, "Block", path_starts("/"));
    none["Action"] = Value::Null;
    let two = json!({"ByteMatchStatement": path_starts("/")["ByteMatchStatement"], "NotStatement": {"Statement": path_starts("/")}});
    let nested = json!({"NotStatement": {"Statement": rate(json!({"Limit": 10, "AggregateKeyType": "IP"}))}});
    let reference =
        json!({"IPSetReferenceStatement": {"ARN": "arn:aws:wafv2:us-east-1:123456789012:regional/ipset/no/such"}});
    let regex = json!({"RegexMatchStatement": {"FieldToMatch": {"UriPath": {}}, "RegexString": "(", "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}});
    for (rules, field) in [
        (vec![both], "field: RULE, "),
        (vec![none], "field: RULE, "),
        (vec![rule("a", 0, "Block", two)], "field: STATEMENT, "),
        (vec![rule("a", 0, "Block", json!({}))], "field: STATEMENT, "),
        (vec![rule("a", 0, "Block", nested)], "nest a statement that can't be nested., field: STATEMENT, "),
        (
            vec![rule("a", 0, "Block", json!({"AndStatement": {"Statements": [path_starts("/")]}}))],
            "field: AND_STATEMENT, parameter: AndStatement",
        ),
        (
            vec![rule("a", 0, "Block", rate(json!({"Limit": 9, "AggregateKeyType": "IP"})))],
            "field: RATE_BASED_STATEMENT, parameter: 9",
        ),
        (
            vec![rule(
                "a",
                0,
                "Block",
                rate(json!({"Limit": 10, "AggregateKeyType": "IP", "EvaluationWindowSec": 90})),
            )],
            "parameter: 90",
        ),
        (
            vec![rule("a", 0, "Block", rate(json!({"Limit": 10, "AggregateKeyType": "FORWARDED_IP"})))],
            "field: RATE_BASED_STATEMENT, ",
        ),
        (vec![rule("a", 0, "Block", reference)], "A reference in your rule statement is not valid."),
        (vec![rule("a", 0, "Block", regex)], "parameter: ("),
        (vec![rule("a b", 0, "Block", path_starts("/"))], "field: RULE, parameter: a b"),
        (
            vec![rule("a", 0, "Block", path_starts("/")), rule("b", 0, "Block", path_starts("/"))],
            "field: RULE, parameter: b",
        ),
        (vec![rule("a", 0, "Explode", path_starts("/"))], "field: RULE_ACTION, "),
        (vec![rule("a", 0, "Block", bytes(json!({"Shoe": {}}), "EXACTLY", "x"))], "field: FIELD_TO_MATCH, "),
        (vec![rule("a", 0, "Block", bytes(json!({"UriPath": {}}), "NEARBY", "x"))], "field: BYTE_MATCH_STATEMENT, "),
    ] {
        let (code, message) = creating(&rules).await;
        assert_eq!(code, "WAFInvalidParameterException", "{message}");
        assert!(message.starts_with("Error reason: ") && message.contains(field), "{field}: {message}");
    }
    let (code, message) = creating(&[json!({"Name": "a"})]).await;
    assert_eq!(code, "ValidationException", "{message}");
}

#[tokio::test]
async fn what_aws_has_and_the_twin_has_not_is_refused_by_name() {
    for (rules, name) in [
        (vec![rule("a", 0, "Captcha", path_starts("/"))], "Captcha"),
        (vec![rule("a", 0, "Block", json!({"GeoMatchStatement": {"CountryCodes": ["DE"]}}))], "GeoMatchStatement"),
        (vec![managed("AWSManagedRulesSQLiRuleSet", 0, "None")], "AWSManagedRulesSQLiRuleSet"),
        (
            vec![rule(
                "a",
                0,
                "Block",
                bytes(json!({"JA3Fingerprint": {"FallbackBehavior": "MATCH"}}), "EXACTLY", "x"),
            )],
            "JA3Fingerprint",
        ),
    ] {
        let (code, message) = creating(&rules).await;
        assert!(code == "NotImplemented" && message.contains(name), "{code}: {message}");
    }
    let lab = Lab::new().await;
    assert_eq!(lab.refused("PutLoggingConfiguration", &json!({})).await.0, "NotImplemented");
}

#[tokio::test]
async fn too_much_too_often_too_late_and_not_there() {
    let xss = |n: u32| {
        let types: Vec<Value> = (0..10).map(|priority| json!({"Priority": priority, "Type": "LOWERCASE"})).collect();
        rule(
            &format!("r{n}"),
            n,
            "Block",
            json!({"XssMatchStatement": {"FieldToMatch": {"UriPath": {}}, "TextTransformations": types}}),
        )
    };
    let (code, message) = creating(&(0..36).map(xss).collect::<Vec<_>>()).await;
    assert_eq!(code, "WAFInvalidParameterException");
    assert!(
        message
            .contains("You exceeded the capacity limit for a rule group or web ACL., field: WEB_ACL, parameter: 5040"),
        "{message}"
    );
    assert_eq!(creating(&[managed("NoSuchGroup", 0, "None")]).await.0, "WAFNonexistentItemException");

    let lab = Lab::new().await;
    let summary = lab.protected(&[rule("a", 0, "Block", path_starts("/a"))]).await;
    assert_eq!(lab.refused("CreateWebACL", &web_acl("golden", &[])).await.0, "WAFDuplicateItemException");
    let mut update = web_acl("golden", &[]);
    (update["Id"], update["LockToken"]) = (summary["Id"].clone(), json!("00000000-0000-0000-0000-000000000000"));
    assert_eq!(lab.refused("UpdateWebACL", &update).await.0, "WAFOptimisticLockException");
    update["LockToken"] = summary["LockToken"].clone();
    update["Rules"] = json!([rule("a", 0, "Block", json!({}))]);
    lab.refused("UpdateWebACL", &update).await;
    assert!(lab.blocks(&crate::support::Sent::get("/a")), "a refused update changes nothing");
    update["Id"] = json!("11111111-1111-1111-1111-111111111111");
    assert_eq!(lab.refused("UpdateWebACL", &update).await.0, "WAFNonexistentItemException");
    let mut cloudfront = web_acl("other", &[]);
    cloudfront["Scope"] = json!("CLOUDFRONT");
    let (code, message) = lab.refused("CreateWebACL", &cloudfront).await;
    assert!(
        code == "WAFInvalidParameterException" && message.contains("field: SCOPE_VALUE, parameter: CLOUDFRONT"),
        "{message}"
    );
    for (arn, wanted) in [
        ("not-an-arn", "WAFInvalidParameterException"),
        (&*format!("{}x", lab.balancer), "WAFNonexistentItemException"),
    ] {
        let associate = json!({"WebACLArn": summary["ARN"], "ResourceArn": arn});
        assert_eq!(lab.refused("AssociateWebACL", &associate).await.0, wanted, "{arn}");
    }
}
