//! Whatever comes, nothing panics: not as a rule, not as a request.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Lab, Sent, managed, rule, web_acl};

/// JSON made of the words that statements are made of.
fn anything() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "ByteMatchStatement",
        "SizeConstraintStatement",
        "RateBasedStatement",
        "AndStatement",
        "NotStatement",
        "Statements",
        "Statement",
        "FieldToMatch",
        "TextTransformations",
        "UriPath",
        "Body",
        "JsonBody",
        "Headers",
        "MatchPattern",
        "All",
        "Limit",
        "AggregateKeyType",
        "CustomKeys",
        "SearchString",
        "PositionalConstraint",
        "Type",
        "Priority",
        "Name",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|truth| json!(truth)),
        "[A-Z_]{0,12}".prop_map(|text| json!(text)),
        prop::sample::select(vec!["IP", "NONE", "EXACTLY", "ALL", "URL_DECODE", "YQ=="]).prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((words.clone(), inner), 0..5).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_rule_is_taken_or_refused(statement in anything(), action in anything()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lab = Lab::new().await;
            let mut given = rule("any", 0, "Block", statement);
            let (status, _) = lab.call("CreateWebACL", &web_acl("golden", &[given.clone()])).await;
            assert!([200, 400, 501].contains(&status));
            given["Action"] = action.clone();
            lab.call("CheckCapacity", &json!({"Scope": "REGIONAL", "Rules": [given]})).await;
            for call in ["GetSampledRequests", "AssociateWebACL", "UpdateIPSet", "CreateRegexPatternSet", "TagResource", "ListWebACLs"] {
                lab.call(call, &action).await;
            }
        });
    }

    #[test]
    fn any_request_is_judged(
        path in "/[!-~]{0,60}",
        header in prop::collection::vec(prop_oneof![32u8..127, 128u8..=255], 0..80),
        cookie in "[ -~]{0,80}",
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assume!(path.parse::<http::Uri>().is_ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lab = Lab::new().await;
            let groups = ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"];
            let rules: Vec<Value> = groups.iter().zip(0..).map(|(group, priority)| managed(group, priority, "Count")).collect();
            lab.protected(&rules).await;
            let mut sent = Sent::new("POST", &path).with("cookie", &cookie).body(body);
            if let Ok(value) = http::HeaderValue::from_bytes(&header) {
                sent.head.headers.insert("x-any", value);
            }
            assert!(!lab.blocks(&sent), "groups that only count");
        });
    }
}
