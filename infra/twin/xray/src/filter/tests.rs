//! Which expressions parse, what they mean for a trace of four services, and what refusals say.

use proptest::prelude::*;

use super::Filter;
use crate::{document, store::Trace, view::View};

fn parse(text: &str) -> Result<Filter, (usize, String)> {
    text.parse().map_err(|mistake: super::Mistake| (mistake.position, mistake.message))
}

/// api (504 ms, 200) calls backend (fault, handled) and DynamoDB; backend calls nobody and is still in progress.
fn trace() -> Trace {
    let api = r#"{
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "00000000000000a1", "name": "api.example.com",
        "origin": "AWS::ECS::Container", "start_time": 1000.0, "end_time": 1000.504, "user": "alice",
        "resource_arn": "arn:aws:ecs:task/1",
        "aws": {"ecs": {"availability_zone": "eu-west-1a"}, "ec2": {"instance_id": "i-07"}},
        "annotations": {"gameid": "817DL6VO", "age": 30, "beta": true, "gamma": false},
        "http": {"request": {"method": "GET", "url": "http://api.example.com/v2/x", "user_agent": "curl/8", "client_ip": "10.0.0.1"},
                 "response": {"status": 200}},
        "subsegments": [
            {"id": "00000000000000b1", "name": "backend.example.com", "namespace": "remote", "start_time": 1000.1, "end_time": 1000.2,
             "fault": true, "http": {"response": {"status": 503}}},
            {"id": "00000000000000b2", "name": "DynamoDB", "namespace": "aws", "start_time": 1000.3, "end_time": 1000.4,
             "error": true, "throttle": true}
        ]
    }"#;
    let backend = r#"{
        "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "id": "00000000000000a2", "parent_id": "00000000000000b1",
        "name": "backend.example.com", "start_time": 1000.11, "in_progress": true, "fault": true
    }"#;
    let mut store = crate::store::Store::new(1 << 20);
    for document in [api, backend] {
        for segment in document::read(document).expect("a document") {
            store.put(segment, 1001.0);
        }
    }
    let id = crate::TraceId::parse("1-5759e988-bd862e3fe1be46a994272793").expect("an id");
    (*store.get(id).expect("the trace")).clone()
}

#[test]
fn what_the_guide_shows_means_what_the_guide_says() {
    let trace = trace();
    let view = View::of(&trace);
    for (text, holds) in [
        ("ok", true),
        ("!ok", false),
        ("ok = false", false),
        ("ok != \"false\"", true),
        ("fault", false),
        ("error OR throttle", false),
        ("partial", true),
        ("inferred", true),
        ("ok !partial duration <3", false),
        ("ok partial duration <3", true),
        ("responsetime > 0.5", true),
        ("responseTime > 5", false),
        ("duration >= 0.5 AND duration <= 0.6", true),
        ("http.status != 200", false),
        ("http.status = 200", true),
        ("http.url CONTAINS \"/v2/\"", true),
        ("http.url AND responseTime > 0.2", true),
        (
            "http.url BEGINSWITH \"http://api.example.com/\" AND http.url contains '/v2/' AND !service(\"api.example.com\")",
            false,
        ),
        ("http.url ENDSWITH \"/x\" and http.method = \"GET\" and http.useragent beginswith \"curl\"", true),
        ("http.clientip != \"10.0.0.1\"", false),
        ("user CONTAINS \"\"", true),
        ("user = \"bob\"", false),
        ("availabilityzone = \"eu-west-1a\" instance.id = \"i-07\" resource.arn endswith \"task/1\"", true),
        ("service()", true),
        ("service() { fault }", true),
        ("service(\"backend.example.com\") { fault }", true),
        ("service(\"api.example.com\") { fault }", false),
        ("service(\"api.example.com\") {root = true and fault = true}", false),
        ("service(\"api.example.com\") { root and http.status = 200 }", true),
        ("service(\"nobody\")", false),
        ("service(id(name: \"DynamoDB\", type: \"AWS::DynamoDB::Table\")) { throttle }", true),
        ("service(id(type: \"AWS::DynamoDB::Table\")) { inferred and responsetime < 0.2 }", true),
        (
            "service(id(type: \"AWS::DynamoDB::Table\")) { type BEGINSWITH \"AWS\" and name = \"DynamoDB\" and !ok }",
            true,
        ),
        ("service(id(type: \"AWS::Lambda::Function\")) { error }", false),
        ("edge(\"api.example.com\", \"backend.example.com\") { fault }", true),
        ("edge(\"api.example.com\", \"backend.example.com\") { http.status = 503 }", true),
        ("edge(\"backend.example.com\", \"api.example.com\")", false),
        ("edge(id(name: \"api.example.com\", type: \"AWS::ECS::Container\"), \"DynamoDB\") { error }", true),
        ("annotation.gameid = \"817DL6VO\"", true),
        ("annotation[gameid] = \"817DL6VO\" annotation[\"age\"] = 30", true),
        ("annotation.age", true),
        ("!annotation.size", true),
        ("annotation.age > 29 and annotation.age <= 3e1", true),
        ("annotation.age = \"30\"", false),
        ("annotation.beta", true),
        ("annotation.gamma", false),
        ("annotation.gamma = false", true),
        ("NOT (ok AND (fault OR error))", true),
        ("error or ok and partial", true),
        ("service(\"api.example.com\") { fault = true OR responsetime > 0.5 } AND annotation.age = 30", true),
    ] {
        let filter: Filter = text.parse().unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        assert_eq!(filter.matches(&view), holds, "{text}");
    }
}

#[test]
fn a_refusal_names_the_position_and_what_would_do() {
    for (text, position, part) in [
        ("", 1, "expected a keyword, found the end"),
        ("ok AND", 7, "expected a keyword, found the end"),
        ("ok fault)", 9, "AND, OR or the end"),
        ("speed > 1", 1, "`speed` is not a keyword"),
        ("ok AND spéed", 8, "not a keyword"),
        ("duration > fast", 12, "expected a number, found `fast`"),
        ("duration CONTAINS \"1\"", 10, "does not fit"),
        ("fault > 1", 7, "does not fit"),
        ("fault = 1", 9, "`true` or `false`"),
        ("user = alice", 8, "a text in quotation marks"),
        ("user = \"alice", 8, "never closed"),
        ("http.status = 20O", 15, "`20O` is not a number"),
        ("duration > 1e999", 12, "not a number"),
        ("ok & fault", 4, "unexpected character `&`"),
        ("(ok", 4, "expected `)`"),
        ("service(\"a\" { ok }", 13, "expected `)`"),
        ("service(a)", 9, "service's name in quotation marks"),
        ("service(\"a\") { service(\"b\") }", 16, "cannot stand inside braces"),
        ("service(\"a\") { annotation.x }", 16, "cannot stand inside braces"),
        ("edge(\"a\")", 9, "expected `,`"),
        ("edge()", 6, "service's name"),
        ("service(id(nome: \"a\"))", 12, "`name` or `type`"),
        ("service(id(name \"a\"))", 17, "expected `:`"),
        ("annotation.", 1, "needs a key"),
        ("annotation", 11, "expected `[`"),
        ("name = \"x\"", 1, "only inside the braces"),
        ("root", 1, "only inside the braces"),
        ("rootcause.fault.service { name = \"Auth\" }", 1, "not imitated"),
        ("group.name = \"x\"", 1, "not imitated"),
        ("ok AND coverage > 0.7", 8, "root causes"),
    ] {
        let (at, message) = parse(text).expect_err(text);
        assert_eq!(at, position, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
    let mistake = "ok &".parse::<Filter>().expect_err("no sign");
    assert_eq!(mistake.to_string(), "Invalid filter expression at position 4: unexpected character `&`");
}

#[test]
fn deep_nesting_is_refused_before_it_hurts() {
    for deep in ["(".repeat(100_000), "!".repeat(100_000), "not ".repeat(100_000)] {
        assert!(parse(&deep).expect_err("too deep").1.contains("nested deeper"));
    }
    assert!(parse(&format!("{}ok{}", "(".repeat(60), ")".repeat(60))).is_ok());
    assert!(parse(&"ok ".repeat(10_000)).is_ok());
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused_within_itself(text in any::<String>()) {
        if let Err((position, _)) = parse(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&position));
        }
    }

    /// Words of the language in any order reach further into the parser than characters do.
    #[test]
    fn any_words_parse_or_are_refused_and_what_parses_can_be_asked(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "ok", "fault", "!", "not", "and", "or", "(", ")", "{", "}", "[", "]", ",", ":", "=", "!=", "<", ">=", "1.5", "-2",
            "\"a\"", "true", "service", "edge", "id", "name", "type", "annotation", "annotation.k", "http.url", "contains",
            "duration", "user", "partial", "root", "inferred", "availabilityzone", "http.status",
        ]), 0..14)
    ) {
        let text = words.join(" ");
        match parse(&text) {
            Ok(filter) => {
                let trace = trace();
                filter.matches(&View::of(&trace));
            }
            Err((position, message)) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&position), "{}: {}", text, message);
                prop_assert!(!message.is_empty());
            }
        }
    }

    /// Numbers and texts mean themselves.
    #[test]
    fn values_survive(number in -1e9..1e9_f64, word in "[^\\\\\"]*") {
        prop_assert!(parse(&format!("duration > {number}")).is_ok(), "{}", number);
        prop_assert!(parse(&format!("user = \"{word}\"")).is_ok(), "{}", word);
    }
}
