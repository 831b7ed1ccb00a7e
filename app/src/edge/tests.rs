//! The public service without a socket, its AWS endpoint a small server of ours.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::{
    aws::Clients,
    config::tests::config,
    identity::Identity,
    telemetry::{Telemetry, log::tests::Captured},
};

/// A task whose parameter store is a closed port, unless a test serves one.
struct Task {
    app: Arc<App>,
    log: Captured,
    telemetry: Telemetry,
}

struct Reply {
    status: StatusCode,
    headers: http::HeaderMap,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{}: {error}", self.body))
    }
}

impl Task {
    async fn start(endpoint: &str, flags: &[&str]) -> Self {
        let identity = Identity::local(None);
        let log = Captured::default();
        let telemetry = Telemetry::detached(&identity, Box::new(log.clone())).expect("nothing is exported");
        let app = App::with_clients(config(flags), identity, &telemetry, Clients::at(endpoint).await);
        Self { app, log, telemetry }
    }

    async fn alone() -> Self {
        Self::start("http://127.0.0.1:1", &[]).await
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let response = Edge::new(Arc::clone(&self.app)).oneshot(request).await.expect("the edge cannot fail");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.expect("bodies are in memory");
        let body = String::from_utf8(bytes.to_vec()).expect("bodies are UTF-8");
        Reply { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).expect("a sound request")).await
    }

    fn lines(&self) -> Vec<Value> {
        self.telemetry.log.flush();
        self.log.lines()
    }
}

/// Answers every call as SSM's GetParameter does, with this value.
async fn parameter_store(value: &'static str) -> String {
    parameter_history(vec![value]).await
}

/// Answers each call with the next of these values as the next version; the last one stays.
async fn parameter_history(values: Vec<&'static str>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port 0 is free");
    let address = listener.local_addr().expect("the listener is bound");
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let written = time::OffsetDateTime::now_utc().unix_timestamp();
    let reply = move || {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed).min(values.len() - 1);
        let answer = serde_json::json!({ "Parameter": {
            "Name": "/golden/failure_mode", "Type": "String", "Value": values[at], "Version": 7 + at,
            "LastModifiedDate": written,
        }});
        let body = answer.to_string();
        async move { ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body) }
    };
    let routes = Router::new().fallback(reply);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

#[tokio::test]
async fn every_reply_carries_the_labs_headers_and_one_log_line() {
    let task = Task::alone().await;
    let mut wanted = Vec::new();
    for path in ["/", "/healthz", "/live", "/ready", "/work?ms=1", "/work?ms=-1", "/nowhere"] {
        let reply = task.get(path).await;
        for name in [lab::REQUEST_ID, lab::TRACE_ID, lab::TASK, lab::CONFIG_VERSION] {
            assert!(reply.headers.contains_key(name), "{path} has no {name}");
        }
        wanted.push((reply.status.as_u16(), reply.headers[lab::REQUEST_ID].to_str().expect("ASCII").to_owned()));
    }
    let lines = task.lines();
    let logged: Vec<_> = lines
        .iter()
        .map(|line| {
            let status = line["status"].as_u64().and_then(|status| u16::try_from(status).ok());
            (status.expect("a status"), line["requestId"].as_str().expect("an id").to_owned())
        })
        .collect();
    assert_eq!(logged, wanted);
    assert_eq!(lines[5]["errorType"], "BadRequest");
    assert_eq!(lines[4]["path"], "/work", "the query stays out of the log");
}

#[tokio::test]
async fn errors_are_json_and_name_the_value_but_not_the_detail() {
    let task = Task::alone().await;
    for (method, path, status, code, text) in [
        (Method::GET, "/nowhere", 404, "NotFound", "route"),
        (Method::DELETE, "/", 405, "MethodNotAllowed", "method"),
        (Method::GET, "/work?ms=1e9", 400, "BadRequest", "`1e9`"),
        (Method::GET, "/health?detailed=maybe", 400, "BadRequest", "`maybe`"),
        (Method::GET, "/db", 503, "SecretUnavailable", "dependency"),
        (Method::GET, "/ready", 503, "NotReady", "starting"),
    ] {
        let request = Request::builder().method(method).uri(path).header("x-request-id", "r-1");
        let reply = task.send(request.body(Body::empty()).expect("a sound request")).await;
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.body);
        assert_eq!(reply.headers[header::CONTENT_LENGTH].to_str().ok(), Some(reply.body.len().to_string().as_str()));
        let error = &reply.json()["error"];
        assert_eq!((error["code"].as_str(), error["requestId"].as_str()), (Some(code), Some("r-1")), "{path}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(text)), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_trace_that_the_balancer_started_goes_on() {
    let task = Task::alone().await;
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let request = Request::get("/").header("x-amzn-trace-id", trace).body(Body::empty()).expect("a sound request");
    let reply = task.send(request).await;
    assert_eq!(reply.headers["x-amzn-trace-id"], trace);
    assert_eq!(task.lines()[0]["traceId"], "1-5759e988-bd862e3fe1be46a994272793");
}

#[tokio::test]
async fn a_mode_hits_its_routes_and_no_others() {
    let task = Task::start(&parameter_store("return_500").await, &[]).await;
    task.app.failure.refresh().await;
    for (path, status) in [("/", 500), ("/healthz", 500), ("/live", 200), ("/work?ms=0", 500)] {
        let reply = task.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers[lab::CONFIG_VERSION]),
            (status, &"7".parse().expect("digits"))
        );
    }
    let lines = task.lines();
    let line = lines.iter().find(|line| line["path"] == "/").expect("a line for /");
    assert_eq!((line["errorType"].as_str(), line["modes"].as_str()), (Some("InjectedFailure"), Some("return_500")));
}

#[tokio::test]
async fn a_blind_mode_leaves_its_name_nowhere() {
    let task = Task::start(&parameter_store(r#"{"mode":"return_500","status":502,"blind":true}"#).await, &[]).await;
    task.app.failure.refresh().await;
    let reply = task.get("/").await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"]["code"].as_str()), (502, Some("InternalError")));
    let report = crate::failure::report(&task.app).to_string();
    let log = serde_json::to_string(&task.lines()).expect("values are JSON");
    let metrics = task.app.metrics.text().expect("the metrics agree");
    for (place, text) in [("reply", &reply.body), ("report", &report), ("log", &log), ("metrics", &metrics)] {
        assert!(!text.contains("return_500"), "the {place} names the mode: {text}");
    }
}

#[tokio::test]
async fn a_corrupt_body_is_shorter_than_it_should_be_and_honest() {
    let task = Task::start(&parameter_store("corrupt_body").await, &[]).await;
    let whole = task.get("/").await;
    task.app.failure.refresh().await;
    let cut = task.get("/").await;
    assert_eq!(cut.body.len(), whole.body.len() / 2);
    assert_eq!(cut.headers[header::CONTENT_LENGTH].to_str().ok(), Some(cut.body.len().to_string().as_str()));
}

#[tokio::test]
async fn a_hang_gives_way_to_the_drain_and_a_lost_caller_is_logged() {
    let task = Task::start(&parameter_store("hang").await, &["--request-timeout-ms", "3001"]).await;
    task.app.failure.refresh().await;
    assert!(tokio::time::timeout(Duration::from_millis(50), task.get("/")).await.is_err());
    let lines = task.lines();
    assert_eq!((lines[0]["status"].as_u64(), lines[0]["errorType"].as_str()), (Some(499), Some("InjectedFailure")));
    let drain = async { task.app.lifecycle.begin_drain() };
    let (reply, ()) = tokio::join!(task.get("/"), drain);
    assert_eq!((reply.status.as_u16(), reply.headers[header::CONNECTION].to_str().ok()), (503, Some("close")));
}

#[tokio::test]
async fn what_a_mode_holds_goes_on_when_the_mode_is_left() {
    let latency = r#"{"mode":"latency","min_ms":3600000,"max_ms":3600000}"#;
    let blind = r#"{"mode":"hang","blind":true}"#;
    for (value, status, error_type) in
        [("hang", 503, Some("InjectedFailure")), (blind, 503, Some("InternalError")), (latency, 200, None)]
    {
        let task = Task::start(&parameter_history(vec![value, "none"]).await, &[]).await;
        task.app.failure.refresh().await;
        let mut held = Box::pin(task.get("/"));
        // The mode is still on: a wait of several looks does not end.
        assert!(tokio::time::timeout(Duration::from_millis(350), &mut held).await.is_err(), "{value} does not hold");
        task.app.failure.refresh().await;
        let reply = tokio::time::timeout(Duration::from_secs(5), held).await.expect("leaving the mode ends the wait");
        assert_eq!(reply.status.as_u16(), status, "{value}");
        assert_eq!(task.lines().last().expect("a line")["errorType"].as_str(), error_type, "{value}");
    }
}

#[tokio::test]
async fn our_own_deadline_is_504() {
    let value = r#"{"mode":"latency","min_ms":60000,"max_ms":60000}"#;
    let flags = ["--request-timeout-ms", "30", "--db-acquire-timeout-ms", "20"];
    let task = Task::start(&parameter_store(value).await, &flags).await;
    task.app.failure.refresh().await;
    let reply = task.get("/").await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"]["code"].as_str()), (504, Some("DeadlineExceeded")));
}

#[tokio::test]
async fn with_a_maximum_age_of_zero_each_request_reads() {
    let task = Task::start(&parameter_store("none").await, &["--failure-mode-max-age-ms", "0"]).await;
    for asked in 1..=3 {
        assert_eq!(task.get("/").await.headers[lab::CONFIG_VERSION], "7");
        assert_eq!(task.app.failure.reads(), asked);
    }
}

#[tokio::test]
async fn deep_health_tells_each_dependency_apart() {
    let flags = ["--db-secret-arn", "golden/db", "--s3-bucket-name", "one,two"];
    let task = Task::start(&parameter_store("none").await, &flags).await;
    task.app.failure.refresh().await;
    let reply = task.get("/health?detailed=true").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let health = reply.json();
    assert_eq!(health["services"]["parameter_store"]["status"], "healthy");
    assert_eq!(health["services"]["database"]["status"], "unhealthy");
    assert!(health["services"]["s3:two"]["latencyMs"].is_number(), "{health}");
    assert_eq!((health["database"].as_str(), health["region"].as_str()), (Some("disconnected"), Some("us-east-1")));
    assert_eq!(task.lines()[0]["errorType"], "DependencyUnhealthy");
}
