//! Both services, calls to them, and an HTTP subscriber that answers by script.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use twin_messaging::{Sns, Sqs};
use twin_platform::{Account, Request, Response, Service, Speed};

pub(crate) const ENDPOINT: &str = "http://127.0.0.1:4566";

pub(crate) struct Lab {
    pub(crate) sqs: Arc<Sqs>,
    pub(crate) sns: Arc<Sns>,
    pub(crate) account: Account,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let account = Account::in_region("eu-west-1");
        let sqs = Sqs::new(account.clone(), ENDPOINT);
        // 20 s between two tries become 200 ms.
        let speed = Speed::new(100.0).unwrap();
        let sns = Sns::new(account.clone(), speed, ENDPOINT, sqs.clone());
        Self { sqs, sns, account }
    }

    /// An SQS call: its output, or the code of its error.
    pub(crate) async fn sqs(&self, action: &str, input: Value) -> Result<Value, String> {
        let response = self.sqs.handle(sqs_request(action, &input)).await;
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match response.status {
            200 => Ok(body),
            _ => Err(body["__type"].as_str().unwrap().to_owned()),
        }
    }

    /// A new queue's URL.
    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let made = self.sqs("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await.unwrap();
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// An SNS call: its XML, or the error's.
    pub(crate) async fn sns(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let pairs = parameters.iter().map(|(name, value)| format!("&{name}={}", encode(value)));
        let body = format!("Action={action}&Version=2010-03-31{}", pairs.collect::<String>());
        let request = Request { method: "POST".into(), uri: "/".into(), headers: HeaderMap::new(), body: body.into() };
        text_of(self.sns.handle(request).await)
    }

    /// A new topic's ARN.
    pub(crate) async fn topic(&self, name: &str) -> String {
        element(&self.sns("CreateTopic", &[("Name", name)]).await.unwrap(), "TopicArn")
    }

    /// Opens a URL that SNS gave out.
    pub(crate) async fn open(&self, url: &str) -> Result<String, String> {
        let uri = url.strip_prefix(ENDPOINT).unwrap().to_owned();
        let request = Request { method: "GET".into(), uri, headers: HeaderMap::new(), body: Bytes::new() };
        text_of(self.sns.handle(request).await)
    }
}

fn text_of(response: Response) -> Result<String, String> {
    let text = String::from_utf8(response.body.to_vec()).unwrap();
    if response.status == 200 { Ok(text) } else { Err(text) }
}

pub(crate) fn sqs_request(action: &str, input: &Value) -> Request {
    let target = format!("AmazonSQS.{action}").parse().unwrap();
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-amz-target"), target)]);
    Request { method: "POST".into(), uri: "/".into(), headers, body: input.to_string().into() }
}

/// The text of the first element of that name.
pub(crate) fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once('<').unwrap().0.to_owned()
}

/// Waits until `look` finds something; fails with `state` after ten seconds.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "after ten seconds still not: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One request that a subscriber got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// An HTTP subscriber on a port of its own.
pub(crate) struct Subscriber {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Subscriber {
    /// Answers with these statuses in turn, then with 200; 0 is no answer at all.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(statuses.iter().rev().copied().collect::<Vec<_>>()));
        let record = got.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (record, script) = (record.clone(), script.clone());
                let service = service_fn(move |request| answer(request, record.clone(), script.clone()));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Self { url, got }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The first `count` requests, once they are there.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Got> {
        until(&format!("{count} requests"), || async { Some(self.got()).filter(|got| got.len() >= count) }).await
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    record: Arc<Mutex<Vec<Got>>>,
    script: Arc<Mutex<Vec<u16>>>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    record.lock().unwrap().push(Got { headers: parts.headers, body });
    let status = script.lock().unwrap().pop().unwrap_or(200);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut response = hyper::Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
