//! One request's trace: the balancer starts it, golden continues it, and every call to a dependency is in it.

use std::{
    collections::BTreeSet,
    net::UdpSocket,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tests::{Lab, Reply, Session, until};

/// Names of a document's segment and subsegments, wherever they are.
fn names(document: &Value, into: &mut Vec<String>) {
    into.extend(document["name"].as_str().map(str::to_owned));
    for below in document["subsegments"].as_array().into_iter().flatten() {
        names(below, into);
    }
}

fn documents(lab: &Lab, id: &str) -> Vec<Value> {
    let found = lab.aws(&["xray", "batch-get-traces", "--trace-ids", id]);
    let segments = found["Traces"][0]["Segments"].as_array().cloned().unwrap_or_default();
    segments.iter().filter_map(|segment| serde_json::from_str(segment["Document"].as_str()?).ok()).collect()
}

/// The trace that a reply belongs to.
fn trace_of(reply: &Reply) -> String {
    let header = reply.header("x-amzn-trace-id").expect("every reply names its trace");
    header.split(';').find_map(|field| field.strip_prefix("Root=")).expect("the root is the trace").to_owned()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The first subsegment with this name.
fn subsegment<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    let below = document["subsegments"].as_array()?;
    below.iter().find_map(|one| if one["name"] == name { Some(one) } else { subsegment(one, name) })
}

#[test]
fn a_database_request_is_traced_from_the_balancer_to_postgresql() {
    let lab = Lab::up();
    // Credentials are read once and used until they are refused. After a rotation a new session needs them anew.
    let mut session = Session::open(&lab.secret()).expect("a session");
    lab.rotate_secret();
    session.end_all("golden");
    let reply = lab.get("/db");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let id = trace_of(&reply);
    let logged = until("the log line", 10, || {
        let lines = lab.log_messages(&format!(r#"{{ $.traceId = "{id}" }}"#));
        lines.into_iter().next().ok_or("no line has the trace's id")
    });
    assert!(logged.contains("\"path\":\"/db\""), "{logged}");

    let secret = lab.secret();
    let database = format!("{}@{}", secret.dbname, secret.host);
    let seen = until("the trace is whole", 20, || {
        let mut seen = Vec::new();
        documents(&lab, &id).iter().for_each(|document| names(document, &mut seen));
        let has = |part: &str| seen.iter().any(|name| name == part);
        if ["golden", "SecretsManager", &database].iter().all(|part| has(part)) {
            Ok(seen.clone())
        } else {
            Err(format!("{seen:?}"))
        }
    });
    let documents = documents(&lab, &id);
    let balancer =
        documents.iter().find(|it| it["origin"].as_str().is_some_and(|origin| origin.contains("ElasticLoadBalancing")));
    let balancer = balancer.unwrap_or_else(|| panic!("the balancer is in {seen:?}: {documents:?}"));
    let golden = documents.iter().find(|it| it["name"] == "golden").expect("golden is in its trace");
    assert_eq!(golden["parent_id"], balancer["id"], "the balancer comes first");
    let asked = subsegment(golden, "SecretsManager").expect("golden reads the secret");
    assert_eq!((&asked["namespace"], &asked["aws"]["operation"]), (&json!("aws"), &json!("GetSecretValue")), "{asked}");
    let statement =
        golden["subsegments"].as_array().into_iter().flatten().find(|it| it["sql"]["url"] == "UPDATE visits");
    let sql = &statement.unwrap_or_else(|| panic!("the statement is in {golden}"))["sql"];
    assert_eq!(sql["database_type"], "postgresql", "{sql}");
    assert_eq!(sql["connection_string"], format!("{}:{}/{}", secret.host, secret.port, secret.dbname), "{sql}");
    assert!(sql["sanitized_query"].as_str().is_some_and(|query| query.starts_with("UPDATE visits")), "{sql}");
}

#[test]
fn exactly_the_faulty_ones_of_a_thousand_traces_are_found() {
    let lab = Lab::up();
    lab.until_applied(lab.set_mode(r#"{"mode":"return_500","every":10,"match":{"path":"/work"}}"#));
    let start = (now_s() - 5).to_string();
    let replies = (0..1000).map(|_| lab.get("/work?ms=0")).filter(|reply| reply.status == 500);
    let failed: BTreeSet<String> = replies.map(|reply| trace_of(&reply)).collect();
    assert_eq!(failed.len(), 100);
    let end = (now_s() + 60).to_string();
    until("a hundred traces are faulty", 30, || {
        let arguments =
            ["xray", "get-trace-summaries", "--start-time", &start, "--end-time", &end, "--filter-expression"];
        let found = lab.aws(&[&arguments[..], &[r#"service("golden") { fault } AND http.status = 500"#]].concat());
        let ids = found["TraceSummaries"].as_array().into_iter().flatten().filter_map(|one| one["Id"].as_str());
        let ids: BTreeSet<String> = ids.map(str::to_owned).collect();
        if ids == failed { Ok(()) } else { Err(format!("{} traces", ids.len())) }
    });
}

#[test]
fn segments_come_by_the_daemons_protocol_and_none_is_over_64_kib() {
    let lab = Lab::up();
    let now = now_s();
    let trace = format!("1-{now:08x}-0123456789abcdef01234567");
    let segment = |id: &str, name: &str| {
        let (start, end) = (now as f64, now as f64 + 0.25);
        json!({ "trace_id": trace, "id": id, "name": name, "start_time": start, "end_time": end }).to_string()
    };
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let daemon = lab.name("AWS_ENDPOINT_URL").trim_start_matches("http://").to_owned();
    let header = "{\"format\": \"json\", \"version\": 1}\n";
    for datagram in
        ["no header".to_owned(), format!("{header}{{"), format!("{header}{}", segment("00000000000000aa", "cron"))]
    {
        socket.send_to(datagram.as_bytes(), &daemon).expect("sent");
    }
    let large = json!({ "trace_id": trace, "id": "00000000000000bb", "name": "large", "start_time": now, "end_time": now,
        "metadata": { "x": "y".repeat(64 << 10) } });
    let put = lab.aws(&[
        "xray",
        "put-trace-segments",
        "--trace-segment-documents",
        &large.to_string(),
        &segment("00000000000000cc", "small"),
    ]);
    let refused = put["UnprocessedTraceSegments"].as_array().cloned().unwrap_or_default();
    assert_eq!(refused.len(), 1, "{put}");
    assert!(refused[0]["ErrorCode"].is_string() && refused[0]["Message"].is_string(), "{put}");
    until("what is good is in the trace", 10, || {
        let mut seen = Vec::new();
        documents(&lab, &trace).iter().for_each(|document| names(document, &mut seen));
        seen.sort();
        if seen == ["cron", "small"] { Ok(()) } else { Err(format!("{seen:?}")) }
    });
}
