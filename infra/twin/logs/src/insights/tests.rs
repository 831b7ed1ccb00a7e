//! Queries over sample lines, refusals with their places, and properties over arbitrary input.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::Key;

/// 2026-09-21 14:13:20
const START_MS: i64 = 1_790_000_000_000;

pub(super) fn records(lines: &[(i64, &str)]) -> Vec<Record> {
    let mut records: Vec<Record> = lines
        .iter()
        .zip(1..)
        .map(|((after_ms, message), sequence)| {
            let key = Key { timestamp_ms: START_MS + after_ms, sequence };
            let stream = "golden/golden/1".into();
            let event = Event { key, ingestion_ms: key.timestamp_ms + 5, stream, message: (*message).into() };
            Record { event: Arc::new(event), group: 0 }
        })
        .collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.event.key));
    records
}

fn run(query: &str, records: &[Record]) -> (Vec<ResultRow>, Statistics) {
    let sources = Sources { account: "123456789012".into(), groups: vec!["/ecs/golden".into()] };
    let parsed = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    parsed.run(records, &sources, START_MS, None, || None).expect("nothing interrupts")
}

/// Rows as `name=value` joined by blanks, without `@ptr`.
#[track_caller]
fn check(query: &str, lines: &[(i64, &str)], expected: &[&str]) {
    let (rows, _) = run(query, &records(lines));
    let written: Vec<String> = rows
        .iter()
        .map(|row| {
            let fields =
                row.iter().filter(|(name, _)| &**name != "@ptr").map(|(name, value)| format!("{name}={value}"));
            fields.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(written, expected, "{query}");
}

const LINES: &[(i64, &str)] = &[
    (0, r#"{"status":200,"path":"/","latencyMs":3.5,"errorType":null,"ok":true,"tags":[{"k":"v1"}]}"#),
    (30_000, r#"{"status":500,"path":"/db","latencyMs":12,"errorType":"DatabaseError","ok":false}"#),
    (60_000, r#"{"status":503,"path":"/db","latencyMs":40.25,"errorType":"Overloaded","a-b":"dash"}"#),
    (90_000, "plain user=ada took 17 ms"),
];

#[test]
fn without_fields_a_row_is_time_message_and_pointer() {
    let (rows, statistics) = run("filter status = 503", &records(LINES));
    let names: Vec<&str> = rows[0].iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["@timestamp", "@message", "@ptr"]);
    assert_eq!(rows[0][0].1, "2026-09-21 14:14:20.000");
    assert_eq!(rows[0][1].1, LINES[2].1);
    assert!(rows[0][2].1.ends_with("/ecs/golden"), "{rows:?}");
    let bytes = LINES.iter().map(|(_, line)| line.len() as u64).sum();
    assert_eq!(statistics, Statistics { records_matched: 1, records_scanned: 4, bytes_scanned: bytes });
}

#[test]
fn fields_and_filters() {
    check("fields status", LINES, &["", "status=503", "status=500", "status=200"]);
    check("fields status | filter ispresent(path) and not (status>=500)", LINES, &["status=200"]);
    check("fields @log, @logStream | limit 1", LINES, &["@log=123456789012:/ecs/golden @logStream=golden/golden/1"]);
    check("fields @ingestionTime | limit 1", LINES, &["@ingestionTime=2026-09-21 14:14:50.005"]);
    check("fields tags.0.k as k, tags[0].k | filter ispresent(k)", LINES, &["k=v1 tags.0.k=v1"]);
    check("fields `a-b` | filter `a-b` = 'dash'", LINES, &["a-b=dash"]);
    check("fields status | filter path like /^.D(?i)B$/ or path =~ \"d\" | limit 1", LINES, &["status=503"]);
    check("fields status | filter path not like 'db' and ispresent(path)", LINES, &["status=200"]);
    check("fields status | filter status in [200, '500', \"x\"]", LINES, &["status=500", "status=200"]);
    check("fields status | filter status not in [200, 500] and status > 1", LINES, &["status=503"]);
    check("fields status | filter ok = 1", LINES, &["status=200"]);
    check("fields status | filter ok = false", LINES, &["status=500"]);
    check("fields status | filter missing != 5", LINES, &[]);
    check(
        "fields status | filter errorType = 'DatabaseError' OR errorType > 'E'",
        LINES,
        &["status=503", "status=500"],
    );
    check("fields status # a comment | limit\n# another\n| filter status < 300 # the end", LINES, &["status=200"]);
    check("fields status, path | display path | filter status = 500", LINES, &["path=/db"]);
    check("display path | fields status + 1 as more | filter more = 501", LINES, &["path=/db"]);
    check(
        "fields @timestamp, @message, @logStream, @log | sort @timestamp desc | limit 20 | display status",
        LINES,
        &["", "status=503", "status=500", "status=200"],
    );
    check("fields @timestamp < now() as early | limit 1", LINES, &["early=0"]);
}

#[test]
fn arithmetic_and_functions() {
    for (expression, value) in [
        ("1 + 2 * 3 ^ 2 % 5 - -1", "5"),
        ("(1 + 2) * 3", "9"),
        ("2 ^ 3 ^ 2", "512"),
        ("7 / 2", "3.5"),
        ("abs(0 - 4.5)", "4.5"),
        ("ceil(1.2) + floor(1.8)", "3"),
        ("greatest(1, 3, 2) - least(1, 3, 2)", "2"),
        ("round(2.5) + round(1.2345, 2) + round('x')", "-"),
        ("round(2.5) + round(1.2345, 2)", "4.23"),
        ("toInt('7.9') + toNumber('0.5')", "7.5"),
        ("startsWith('abc', 'ab') - endsWith('abc', 'ab')", "1"),
        ("sqrt(16) + log(1)", "4"),
        ("strlen('née')", "3"),
        ("concat(\"a\", 1, 'b')", "a1b"),
        ("replace('foo', 'o', '0')", "f00"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("substr('xyZfoo', 3)", "foo"),
        ("trim('xyZfooxyZ', 'xyZ')", "foo"),
        ("ltrim('  a ')", "a "),
        ("rtrim(' a  ')", " a"),
        ("toupper('a')", "A"),
        ("tolower('A')", "a"),
        ("strcontains('abc', 'b')", "1"),
        ("coalesce(missing, 'd')", "d"),
        ("if(1 > 2, 'yes', 'no')", "no"),
        ("isblank(' ')", "1"),
        ("isempty(missing)", "1"),
        ("isPresent(missing)", "0"),
        ("datefloor(@timestamp, 1m)", "2026-09-21 14:13:00.000"),
        ("dateceil(@timestamp, 1h)", "2026-09-21 15:00:00.000"),
        ("bin(1d)", "2026-09-21 00:00:00.000"),
        ("toMillis(fromMillis(1790000000000))", "1790000000000"),
        ("now()", "1790000000"),
        ("isValidIpV4('10.0.0.1') + isValidIp('::1') + isValidIpV6('10.0.0.1')", "2"),
        ("isIpv4InSubnet('10.1.2.3', '10.1.0.0/16')", "1"),
        ("isIpInSubnet('10.1.2.3', '0.0.0.0/0')", "1"),
        ("isIpv6InSubnet('fd00::1', 'fd01::/16')", "0"),
    ] {
        let expected = if value == "-" { String::new() } else { format!("it={value}") };
        check(&format!("fields {expression} as it"), &[(0, "x")], &[&expected]);
    }
    check("fields 1 / 0 as it, 'a' + 1 as that", &[(0, "x")], &[""]);
    check("fields abs(status-600)", &[(0, r#"{"status":500}"#)], &["abs(status-600)=100"]);
}

#[test]
fn statistics_by_group() {
    check("stats count(*) as n by path | sort n desc, path", LINES, &["path=/db n=2", "n=1", "path=/ n=1"]);
    check("stats count (*)", LINES, &["count (*)=4"]);
    check(
        "stats count(*), count(status) by bin(1m) as minute | sort minute",
        LINES,
        &[
            "minute=2026-09-21 14:13:00.000 count(*)=2 count(status)=2",
            "minute=2026-09-21 14:14:00.000 count(*)=2 count(status)=1",
        ],
    );
    check(
        "stats avg(latencyMs), sum(latencyMs), max(status), min(status), median(latencyMs)",
        LINES,
        &["avg(latencyMs)=18.5833 sum(latencyMs)=55.75 max(status)=503 min(status)=200 median(latencyMs)=12"],
    );
    check(
        "stats pct(latencyMs, 50) as p50, pct(latencyMs, 99) as p99, stddev(latencyMs) as s",
        LINES,
        &["p50=12 p99=40.25 s=19.2392"],
    );
    check(
        "stats earliest(status) as e, latest(path) as l, sortsFirst(path) as f, sortsLast(errorType) as t",
        LINES,
        &["e=200 l=/db f=/ t=Overloaded"],
    );
    check(
        "stats earliest(@timestamp) as e | display e, fromMillis(e) as first",
        LINES,
        &["e=1790000000000 first=2026-09-21 14:13:20.000"],
    );
    check("stats count_distinct(path) as d, sum(status >= 500) / count(*) * 100 as rate", LINES, &["d=2 rate=50"]);
    check("stats count(*) as n by path | stats max(n) as most", LINES, &["most=2"]);
    check(
        "stats count(*) by bin(1h) | display count( * ), bin(1h) as hour",
        LINES,
        &["count(*)=4 hour=2026-09-21 14:00:00.000"],
    );
    check("filter status = 1 | stats count(*)", LINES, &[]);
}

#[test]
fn sort_limit_and_dedup() {
    check("fields status | sort status | limit 2", LINES, &["", "status=200"]);
    check("fields status | sort path desc, status asc | limit 2", LINES, &["status=500", "status=503"]);
    check("fields path | filter ispresent(path) | dedup path", LINES, &["path=/db", "path=/"]);
    check("fields status | sort @timestamp asc | dedup path | limit 2", LINES, &["status=200", "status=500"]);
    let moment = [(5, "first"), (5, "second"), (5, "third")];
    check("fields @message as it | sort @timestamp asc", &moment, &["it=first", "it=second", "it=third"]);
    check("fields @message as it | sort @timestamp desc", &moment, &["it=third", "it=second", "it=first"]);
    let many: Vec<String> = (0..5000).map(|index| format!(r#"{{"n":{}}}"#, (index * 7919) % 5000)).collect();
    let lines: Vec<(i64, &str)> = (0..).zip(many.iter().map(String::as_str)).collect();
    check("fields n | sort n desc | limit 3", &lines, &["n=4999", "n=4998", "n=4997"]);
    assert_eq!(run("fields n | sort n | limit 3", &records(&lines)).1.records_matched, 5000);
    assert_eq!(run("filter n > 9 | sort n", &records(&lines)).1.records_matched, 4990);
}

#[test]
fn parsing_out_of_text() {
    check(
        "parse @message \"user=* took * ms\" as who, ms | filter ispresent(who) | fields who, ms * 2 as twice",
        LINES,
        &["who=ada twice=34"],
    );
    check("parse 'plain *' as rest | display rest | limit 1", LINES, &["rest=user=ada took 17 ms"]);
    check(r"parse @message /took (?<ms>\d+) ms/ | stats max(ms) as ms", LINES, &["ms=17"]);
    check(r"parse @message /(\w+)=(\w+)/ as key, value | display key, value | limit 1", LINES, &["key=user value=ada"]);
    check("parse path '/*' as rest | filter rest = 'db' | stats count(*) as n", LINES, &["n=2"]);
}

#[track_caller]
fn refused(query: &str, start: usize, end: usize, message: &str) {
    let error = Query::parse(query).expect_err(query);
    assert!(error.message.contains(message), "{query}: {error}");
    assert_eq!((error.start, error.end), (start, end), "{query}: {error}");
}

#[test]
fn a_refusal_names_the_place() {
    refused("", 0, 0, "unexpected end of the query");
    refused("feilds @message", 0, 6, "unexpected symbol found feilds");
    refused("fields @message | filtre x", 18, 24, "expected a command");
    refused("fields @message |", 17, 17, "unexpected end");
    refused("fields @message filter x", 16, 22, "expected '|'");
    refused("filter status = ", 16, 16, "expected a field name");
    refused("filter status = = 5", 16, 17, "unexpected symbol found =");
    refused("filter (status = 5", 18, 18, "expected ')'");
    refused("filter é like /a(/", 14, 18, "refused");
    refused("filter a like /(?=x)/", 14, 21, "refused");
    refused("filter a like /open", 14, 19, "never closed");
    refused("filter a = \"open", 11, 16, "never closed");
    refused("fields nothing(a)", 7, 15, "'nothing' does not exist");
    refused("fields jsonParse(@message)", 7, 17, "'jsonParse' is not imitated");
    refused("fields abs(1, 2)", 7, 16, "takes 1 arguments, not 2");
    refused("fields count(*)", 7, 13, "stands in stats");
    refused("stats status", 6, 12, "within an aggregation");
    refused("stats 1 + 1", 6, 11, "needs an aggregation");
    refused("stats pct(a, 101)", 6, 17, "percentage");
    refused("stats count(*) by bin(5)", 22, 23, "a period is");
    refused("stats count(*) by bin(1m) | sort bin(1m)", 36, 37, "sort takes a field");
    refused("limit 0", 6, 7, "from 1 to 100000");
    refused("parse @message \"*-*\" as a", 15, 20, "1 names after 'as' for 2");
    refused("parse @message /x/", 15, 18, "no named group");
    refused("SOURCE logGroups()", 0, 6, "'source' is not imitated");
    refused("fields a | pattern @message", 11, 18, "'pattern' is not imitated");
    refused("dedup a | fields b", 10, 16, "only limit can follow dedup");
    refused("stats count(*) | sort x | stats count(*)", 26, 31, "after the second stats");
    let deep = |levels: usize| format!("filter {}1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Query::parse(&deep(32)).is_ok());
    assert!(Query::parse(&deep(33)).expect_err("too deep").message.contains("nested"));
    assert!(Query::parse(&format!("filter {}a", "not ".repeat(2000))).is_err());
    assert!(Query::parse(&format!("filter {}", "a or ".repeat(1900) + "a")).is_ok());
    assert!(Query::parse(&format!("limit 5{}", " ".repeat(MAX_LENGTH))).is_err());
    let error = Query::parse("fields a\n| filtre b").expect_err("a bad command");
    assert_eq!(error.to_string().split(", ").next(), Some("unexpected symbol found filtre"));
    assert!(error.to_string().ends_with("at line 2 and position 3"), "{error}");
}

#[test]
fn a_run_can_be_interrupted() {
    let sources = Sources { account: String::new(), groups: Vec::new() };
    let query = Query::parse("fields @message").expect("a query");
    let ended = query.run(&records(LINES), &sources, 0, None, || Some(Interrupt::Cancelled));
    assert_eq!(ended.expect_err("it was stopped"), Interrupt::Cancelled);
}

proptest! {
    #[test]
    fn nothing_panics(query in any::<String>(), line in any::<String>()) {
        if let Ok(query) = Query::parse(&query) {
            let sources = Sources { account: String::new(), groups: Vec::new() };
            drop(query.run(&records(&[(0, &line)]), &sources, 0, None, || None));
        }
    }

    #[test]
    fn nothing_panics_near_the_grammar(
        query in "(fields|filter|stats|sort|parse|limit|dedup|display) ([ab@.`'\"/*#é()\\[\\]|,=<>!~^%+-]|\
            and|or|not|like|in|as|by|bin\\(|5m|count\\(|pct\\(|substr\\(|@message|@timestamp|1e9| |\n){0,30}",
        line in r#"\{?("a":|[1\[\]"{}, \\é]|null){0,20}\}?"#,
        time_ms in any::<i32>(),
    ) {
        match Query::parse(&query) {
            Ok(parsed) => {
                let sources = Sources { account: String::new(), groups: Vec::new() };
                drop(parsed.run(&records(&[(time_ms.into(), &line), (1, "a")]), &sources, 0, None, || None));
            }
            Err(error) => {
                let length = query.chars().count();
                prop_assert!(error.start <= error.end && error.end <= length, "{error:?} in {query}");
            }
        }
    }

    #[test]
    fn a_comparison_agrees_with_the_number(value in -50_i64..50, line_value in -50_i64..50) {
        let line = serde_json::json!({ "x": { "y": [line_value] } }).to_string();
        let (rows, _) = run(&format!("fields x.y.0 as it | filter it >= {value}"), &records(&[(0, &line)]));
        prop_assert_eq!(!rows.is_empty(), line_value >= value);
    }

    #[test]
    fn every_row_is_in_one_group(values in prop::collection::vec(0_u8..5, 0..40)) {
        let lines: Vec<String> = values.iter().map(|value| format!(r#"{{"v":{value}}}"#)).collect();
        let lines: Vec<(i64, &str)> = (0..).zip(lines.iter().map(String::as_str)).collect();
        let (rows, _) = run("stats count(*) as n by v", &records(&lines));
        let total: usize = rows.iter().map(|row| row[1].1.parse::<usize>().expect("a count")).sum();
        prop_assert_eq!(total, values.len());
    }
}
