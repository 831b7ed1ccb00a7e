//! What readers may ask, and what they are refused.

use serde_json::json;

use super::client::{Client, balancer, now, server, trace};

#[tokio::test]
async fn ranges_are_about_starts_ends_or_changes() {
    let client = Client::new();
    let hour_ago = now() - 3600.0;
    client.0.record(balancer(trace(1), 0xb1, 200, (hour_ago, 0, 1_800_000)));
    let count = async |by: &str, from: f64, to: f64| {
        let question = json!({ "StartTime": from, "EndTime": to, "TimeRangeType": by });
        client.ok("/TraceSummaries", question).await["TraceSummaries"].as_array().map(Vec::len)
    };
    let half = hour_ago + 1800.0;
    assert_eq!(count("TraceId", hour_ago - 1.0, hour_ago + 1.0).await, Some(1));
    assert_eq!(count("TraceId", half - 1.0, now()).await, Some(0));
    assert_eq!(count("Service", half - 1.0, half + 1.0).await, Some(1));
    assert_eq!(count("Event", half - 1.0, half + 1.0).await, Some(0));
    assert_eq!(count("Event", now() - 60.0, now() + 1.0).await, Some(1));
}

#[tokio::test]
async fn pages_join_without_a_gap_while_traces_come() {
    let client = Client::new();
    let base = now() - 100.0;
    for number in 1..=450 {
        client.0.record(balancer(trace(number), 0xb1, 200, (base, number, number + 1)));
    }
    let mut question = json!({ "StartTime": base, "EndTime": now() + 10.0 });
    let mut seen = Vec::new();
    for number in 1_000.. {
        let page = client.ok("/TraceSummaries", question.clone()).await;
        let summaries = page["TraceSummaries"].as_array().expect("a list").clone();
        assert_eq!(page["TracesProcessedCount"], summaries.len());
        seen.extend(summaries.into_iter().map(|summary| summary["Id"].to_string()));
        client.0.record(balancer(trace(number), 0xb1, 200, (now(), 0, 1)));
        match page.get("NextToken") {
            Some(token) => question["NextToken"] = token.clone(),
            None => break,
        }
    }
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((count, seen.len()), (450, 450));
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_a_reason() {
    let client = Client::new();
    let range = |more: serde_json::Value| {
        let mut question = json!({ "StartTime": 1000, "EndTime": 2000 });
        question.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        question
    };
    for (path, question, part) in [
        ("/TraceSummaries", json!({}), "StartTime"),
        ("/TraceSummaries", json!([]), "cannot be read"),
        ("/TraceSummaries", json!({ "StartTime": 2000, "EndTime": 1000 }), "must not be after"),
        ("/TraceSummaries", json!({ "StartTime": 0, "EndTime": 90_000 }), "24 hours"),
        ("/TraceSummaries", range(json!({ "FilterExpression": "ok AND" })), "at position 7"),
        ("/TraceSummaries", range(json!({ "NextToken": "next" })), "NextToken"),
        ("/TraceSummaries", range(json!({ "TimeRangeType": "Birthday" })), "Birthday"),
        ("/TraceSummaries", range(json!({ "SamplingStrategy": { "Name": "FixedRate", "Value": 7 } })), "FixedRate"),
        ("/Traces", json!({}), "TraceIds"),
        ("/Traces", json!({ "TraceIds": ["x"] }), "Invalid trace id: x"),
        ("/Traces", json!({ "TraceIds": vec!["1-5759e988-bd862e3fe1be46a994272793"; 6] }), "at most 5"),
        ("/ServiceGraph", json!({ "StartTime": 0, "EndTime": 30_000 }), "6 hours"),
        ("/TraceGraph", json!({ "TraceIds": ["x"] }), "Invalid trace id"),
        ("/TraceGraph", json!({ "TraceIds": [] }), "at least 1"),
        ("/SamplingTargets", json!({}), "SamplingStatisticsDocuments"),
    ] {
        let (code, message) = client.refused(path, question).await;
        assert_eq!(code, "InvalidRequestException", "{path}: {message}");
        assert!(message.contains(part), "{path}: {message}");
    }
    for (path, name) in [
        ("/Groups", "GetGroups"),
        ("/CreateSamplingRule", "CreateSamplingRule"),
        ("/EncryptionConfig", "GetEncryptionConfig"),
        ("/Nonsense", "Nonsense"),
    ] {
        let (code, message) = client.refused(path, json!({})).await;
        assert_eq!(code, "NotImplemented");
        assert!(message.contains(&format!("xray:{name} ")), "{message}");
    }
}

#[tokio::test]
async fn unknown_traces_are_unprocessed_and_known_ones_answered() {
    let client = Client::new();
    client.export(vec![server(trace(1), 0xa1, "/", 200, None, (now(), 0, 1))]);
    let known = twin_xray::TraceId::from_bytes(trace(1)).expect("an id").to_string();
    let unknown = "1-5759e988-bd862e3fe1be46a994272793";
    let answer = client.ok("/Traces", json!({ "TraceIds": [unknown, known] })).await;
    assert_eq!(answer["UnprocessedTraceIds"], json!([unknown]));
    assert_eq!(answer["Traces"][0]["Id"], known);
}

#[tokio::test]
async fn there_is_one_sampling_rule_and_its_reservoir_is_shared() {
    let client = Client::new();
    let rules = client.ok("/GetSamplingRules", json!({})).await;
    let rule = &rules["SamplingRuleRecords"][0]["SamplingRule"];
    assert_eq!(
        (&rule["RuleName"], &rule["FixedRate"], &rule["ReservoirSize"]),
        (&json!("Default"), &json!(0.05), &json!(1))
    );
    let document = |rule: &str, client: char| {
        let client = client.to_string().repeat(24);
        json!({ "RuleName": rule, "ClientID": client, "Timestamp": now(), "RequestCount": 9, "SampledCount": 1 })
    };
    let documents = json!([document("Default", 'A'), document("Default", 'B'), document("mine", 'A')]);
    let answer = client.ok("/SamplingTargets", json!({ "SamplingStatisticsDocuments": documents })).await;
    let targets = answer["SamplingTargetDocuments"].as_array().expect("a list");
    assert_eq!(targets.iter().map(|it| &it["ReservoirQuota"]).collect::<Vec<_>>(), [&json!(1), &json!(0)]);
    assert!(targets[0]["ReservoirQuotaTTL"].as_f64().is_some_and(|ttl| ttl > now() + 290.0));
    assert_eq!(answer["UnprocessedStatistics"][0]["RuleName"], "mine");
}
