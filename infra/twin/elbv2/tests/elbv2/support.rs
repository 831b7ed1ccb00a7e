//! A balancer, backends and clients for the tests.

use std::{
    convert::Infallible,
    future::Future,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use twin_elbv2::{AccessLog, Elbv2, Finished};
use twin_platform::{Account, Request as Call, Service, Speed};

pub(crate) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A service at full speed: a health-check interval of 5 s takes 50 ms.
pub(crate) struct Lab {
    pub(crate) elbv2: Arc<Elbv2>,
    log: Arc<Log>,
}

/// Every record of the access log.
#[derive(Default)]
struct Log(Mutex<Vec<Finished>>);

impl AccessLog for Log {
    fn turned(&self, _: &Arc<str>, _: bool) {}

    fn write(&self, request: &Finished) {
        self.0.lock().expect("no panic").push(request.clone());
    }
}

/// The answer to an API call.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) xml: String,
}

impl Reply {
    /// The text of the first element with this name.
    pub(crate) fn text(&self, name: &str) -> String {
        self.texts(name).into_iter().next().unwrap_or_else(|| panic!("no <{name}> in {}", self.xml))
    }

    /// The texts of all elements with this name.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.xml.split(&open).skip(1);
        parts.filter_map(|part| part.split_once(&close)).map(|(text, _)| text.to_owned()).collect()
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        let speed = Speed::new(100.0).expect("within the range");
        let (elbv2, log) = (Elbv2::new(Account::in_region("us-east-1"), speed, HOST), Arc::new(Log::default()));
        elbv2.set_access_log(log.clone());
        Self { elbv2, log }
    }

    /// The finished requests so far, oldest first.
    pub(crate) fn finished(&self) -> Vec<Finished> {
        self.log.0.lock().expect("no panic").clone()
    }

    /// Makes a call, whatever the answer.
    pub(crate) async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let mut body = format!("Action={action}&Version=2015-12-01");
        for (name, value) in parameters {
            body += &format!("&{name}={}", encode(value));
        }
        let (method, uri) = ("POST".to_owned(), "http://127.0.0.1:4566/".to_owned());
        let call = Call { method, uri, headers: HeaderMap::new(), body: Bytes::from(body) };
        let response = self.elbv2.handle(call).await;
        Reply { status: response.status, xml: String::from_utf8(response.body.to_vec()).expect("XML is UTF-8") }
    }

    /// Makes a call that must succeed.
    pub(crate) async fn ok(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let reply = self.call(action, parameters).await;
        assert_eq!(reply.status, 200, "{action}: {}", reply.xml);
        reply
    }

    /// A target group checked every 5 s (50 ms here) with thresholds of 2.
    pub(crate) async fn group(&self, name: &str) -> String {
        let parameters = [
            ("Name", name),
            ("Protocol", "HTTP"),
            ("Port", "8080"),
            ("TargetType", "ip"),
            ("HealthCheckPath", "/healthz"),
            ("HealthCheckIntervalSeconds", "5"),
            ("HealthCheckTimeoutSeconds", "2"),
            ("HealthyThresholdCount", "2"),
        ];
        self.ok("CreateTargetGroup", &parameters).await.text("TargetGroupArn")
    }

    pub(crate) async fn balancer(&self, name: &str) -> String {
        self.ok("CreateLoadBalancer", &[("Name", name)]).await.text("LoadBalancerArn")
    }

    /// A listener on a free port; the port may be lost to another process between the look and the call, so it tries again.
    pub(crate) async fn listener(&self, balancer: &str, actions: &[(&str, &str)]) -> (String, u16) {
        for _ in 0..20 {
            let port = free_port();
            let text = port.to_string();
            let mut parameters = vec![("LoadBalancerArn", balancer), ("Protocol", "HTTP"), ("Port", text.as_str())];
            parameters.extend_from_slice(actions);
            let reply = self.call("CreateListener", &parameters).await;
            if reply.status == 200 {
                return (reply.text("ListenerArn"), port);
            }
            assert!(reply.xml.contains("already taken"), "{}", reply.xml);
        }
        panic!("no free port in 20 tries");
    }

    /// A balancer that forwards everything to a new group. Gives the group's ARN and the port.
    pub(crate) async fn forwarding(&self) -> (String, u16) {
        let group = self.group("golden").await;
        let balancer = self.balancer("golden").await;
        let (_, port) = self.listener(&balancer, &forward(&group)).await;
        (group, port)
    }

    pub(crate) async fn register(&self, group: &str, address: SocketAddr) {
        let (id, port) = (address.ip().to_string(), address.port().to_string());
        let parameters = [("TargetGroupArn", group), ("Targets.member.1.Id", &id), ("Targets.member.1.Port", &port)];
        self.ok("RegisterTargets", &parameters).await;
    }

    pub(crate) async fn deregister(&self, group: &str, address: SocketAddr) {
        let (id, port) = (address.ip().to_string(), address.port().to_string());
        let parameters = [("TargetGroupArn", group), ("Targets.member.1.Id", &id), ("Targets.member.1.Port", &port)];
        self.ok("DeregisterTargets", &parameters).await;
    }

    /// `state reason description` of each target, in the order of registration.
    pub(crate) async fn health(&self, group: &str) -> Vec<String> {
        let reply = self.ok("DescribeTargetHealth", &[("TargetGroupArn", group)]).await;
        let part = |reply: &Reply, name| reply.texts(name).into_iter().next().unwrap_or_default();
        reply
            .texts("TargetHealth")
            .into_iter()
            .map(|xml| {
                let one = Reply { status: 200, xml };
                format!("{} {} {}", part(&one, "State"), part(&one, "Reason"), part(&one, "Description"))
                    .trim()
                    .to_owned()
            })
            .collect()
    }

    /// Waits until the targets' health reads so.
    pub(crate) async fn until_health(&self, group: &str, wanted: &[&str]) {
        eventually(&format!("health {wanted:?}"), || async {
            let health = self.health(group).await;
            if health == wanted { Ok(()) } else { Err(format!("{health:?}")) }
        })
        .await;
    }

    pub(crate) async fn registered(&self, group: &str, backends: &[&Backend]) {
        for backend in backends {
            self.register(group, backend.address).await;
        }
        self.until_health(group, &vec!["healthy"; backends.len()]).await;
    }
}

pub(crate) fn forward(group: &str) -> [(&'static str, &str); 2] {
    [("DefaultActions.member.1.Type", "forward"), ("DefaultActions.member.1.TargetGroupArn", group)]
}

/// Waits on a condition; the last state is in the message when it never holds.
pub(crate) async fn eventually<F: Future<Output = Result<(), String>>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match condition().await {
            Ok(()) => return,
            Err(last) => assert!(Instant::now() < deadline, "{what} never held; last: {last}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = StdListener::bind((HOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// What a backend answers with.
pub(crate) type Body = BoxBody<Bytes, std::io::Error>;

pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed()
}

/// A real HTTP server.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Arc<AtomicUsize>,
    /// Status of `/healthz`.
    pub(crate) health: Arc<AtomicU16>,
    /// Heads of the business requests, as they came.
    pub(crate) seen: Arc<Mutex<Vec<http::request::Parts>>>,
    task: JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    /// Answers its name to everything, and `/healthz` with `health`.
    pub(crate) async fn named(name: &'static str) -> Self {
        Self::with(move |_| async move { Response::new(full(name)) }).await
    }

    /// Answers business requests with `handler`.
    pub(crate) async fn with<H, F>(handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind((HOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (health, seen) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let shared = (Arc::clone(&connections), Arc::clone(&requests), Arc::clone(&health), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            // Connections end with the server, as those of a process do.
            let mut open = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (handler, shared) = (handler.clone(), shared.clone());
                let first = Arc::new(std::sync::atomic::AtomicBool::new(true));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (handler, (connections, requests, health, seen)) = (handler.clone(), shared.clone());
                    let first = Arc::clone(&first);
                    async move {
                        if request.uri().path() == "/healthz" {
                            let mut response = Response::new(full("health"));
                            *response.status_mut() =
                                StatusCode::from_u16(health.load(Ordering::SeqCst)).expect("a valid status");
                            return Ok::<_, Infallible>(response);
                        }
                        if first.swap(false, Ordering::SeqCst) {
                            connections.fetch_add(1, Ordering::SeqCst);
                        }
                        requests.fetch_add(1, Ordering::SeqCst);
                        let (head, body) = request.into_parts();
                        seen.lock().expect("no panic").push(head.clone());
                        Ok(handler(Request::from_parts(head, body)).await)
                    }
                });
                open.spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                });
            }
        });
        Self { address, connections, requests, health, seen, task }
    }
}

/// A backend that answers `/healthz` well and does what `script` says with every other request's connection.
pub(crate) async fn scripted<F, S>(script: S) -> SocketAddr
where
    S: Fn(TcpStream, usize) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((HOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let script = script.clone();
            tokio::spawn(async move {
                for count in 1.. {
                    let Some(head) = read_head(&mut stream).await else { return };
                    if head.starts_with("GET /healthz") {
                        let _ = stream
                            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                            .await;
                        return;
                    }
                    if count == 1 && head.starts_with("GET /first") {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                        continue;
                    }
                    return script(stream, count).await;
                }
            });
        }
    });
    address
}

/// A request head as text.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// A connection of a client that keeps it alive.
pub(crate) struct Connection(hyper::client::conn::http1::SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(port: u16) -> Self {
        let stream = TcpStream::connect((HOST, port)).await.expect("the listener accepts");
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection.with_upgrades());
        Self(sender)
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.0.ready().await?;
        self.0.send_request(request).await
    }
}

/// Status, headers and body of `GET path` on a connection of its own.
pub(crate) async fn get(port: u16, path: &str) -> (u16, HeaderMap, String) {
    send(port, request("GET", path)).await
}

pub(crate) fn request(method: &str, path: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "lab.test")
        .body(Full::default())
        .expect("a valid request")
}

pub(crate) async fn send(port: u16, request: Request<Full<Bytes>>) -> (u16, HeaderMap, String) {
    let response = Connection::open(port).await.send(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}

/// Sends bytes as they are and reads until the balancer closes.
pub(crate) async fn raw(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect((HOST, port)).await.expect("the listener accepts");
    stream.write_all(bytes).await.expect("written");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    let so_far = String::from_utf8_lossy(&answer).into_owned();
    read.unwrap_or_else(|_| panic!("the balancer closes after {so_far}")).expect("readable");
    String::from_utf8_lossy(&answer).into_owned()
}
