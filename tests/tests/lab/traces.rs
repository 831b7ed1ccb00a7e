//! One request's trace: the balancer starts it, golden continues it, and every call to a dependency is in it.

use serde_json::Value;
use tests::{Lab, until};

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

#[test]
fn a_database_request_is_traced_from_the_balancer_to_postgresql() {
    let lab = Lab::up();
    let reply = lab.get("/db");
    let header = reply.header("x-amzn-trace-id").expect("every reply names its trace").to_owned();
    let id = header.split(';').find_map(|field| field.strip_prefix("Root=")).expect("the root is the trace").to_owned();
    let logged = until("the log line", 10, || {
        let lines = lab.log_messages(&format!(r#"{{ $.traceId = "{id}" }}"#));
        lines.into_iter().next().ok_or("no line has the trace's id")
    });
    assert!(logged.contains("\"path\":\"/db\""), "{logged}");

    let seen = until("the trace is whole", 20, || {
        let mut seen = Vec::new();
        documents(&lab, &id).iter().for_each(|document| names(document, &mut seen));
        let has = |part: &str| seen.iter().any(|name| name.to_lowercase().contains(part));
        if has("golden") && seen.len() >= 3 { Ok(seen.clone()) } else { Err(format!("{seen:?}")) }
    });
    let documents = documents(&lab, &id);
    let balancer =
        documents.iter().find(|it| it["origin"].as_str().is_some_and(|origin| origin.contains("ElasticLoadBalancing")));
    let balancer = balancer.unwrap_or_else(|| panic!("the balancer is in {seen:?}: {documents:?}"));
    let golden = documents.iter().find(|it| it["name"] == "golden").expect("golden is in its trace");
    assert_eq!(golden["parent_id"], balancer["id"], "the balancer comes first");
}

#[test]
fn faulty_requests_are_found_by_a_filter_expression() {
    let lab = Lab::up();
    lab.until_applied(lab.set_mode(r#"{"mode":"return_500","every":10,"match":{"path":"/work"}}"#));
    let failed = (0..100).filter(|_| lab.get("/work?ms=0").status == 500).count();
    assert_eq!(failed, 10);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let (start, end) = ((now - 120).to_string(), (now + 60).to_string());
    until("ten traces are faulty", 20, || {
        let arguments =
            ["xray", "get-trace-summaries", "--start-time", &start, "--end-time", &end, "--filter-expression"];
        let found = lab.aws(&[&arguments[..], &[r#"service("golden") { fault } AND http.status = 500"#]].concat());
        match found["TraceSummaries"].as_array().map(Vec::len) {
            Some(10) => Ok(()),
            count => Err(format!("{count:?}")),
        }
    });
}
