//! What a client gets when targets fail, and what is written about it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::AsyncWriteExt;
use twin_elbv2::{CustomResponse, Filter, Finished, Guard, Inspected, Observer, Verdict};

use crate::support::{Backend, Connection, HOST, Lab, eventually, free_port, full, get, request, scripted, send};

#[tokio::test]
async fn nobody_registered_is_503_and_a_closed_port_is_502() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let (status, headers, body) = get(port, "/").await;
    assert_eq!(status, 503);
    assert_eq!(
        (headers["server"].as_bytes(), headers["content-type"].as_bytes()),
        (b"awselb/2.0".as_slice(), b"text/html".as_slice())
    );
    assert!(body.contains("<h1>503 Service Temporarily Unavailable</h1>"), "{body}");

    lab.register(&group, SocketAddr::from((HOST, free_port()))).await;
    assert_eq!(get(port, "/").await.0, 502, "nothing listens there");
    lab.until_health(&group, &["unhealthy Target.FailedHealthChecks Health checks failed"]).await;
    let (status, _, body) = get(port, "/").await;
    assert_eq!(status, 502, "open although unhealthy, and still nothing listens there");
    assert!(body.contains("<h1>502 Bad Gateway</h1>"), "{body}");
    let line = lab.finished().pop().expect("a record").to_string();
    assert!(line.contains(" -1 -1 -1 502 - "), "{line}");
}

#[tokio::test]
async fn answers_that_are_none_are_502() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let target = scripted(move |mut stream, _| {
        let turn = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let answer: &[u8] = [b"nonsense\r\n\r\n".as_slice(), b"", b"HTTP/1.1 200 OK\r\ncontent-le"][turn % 3];
            let _ = stream.write_all(answer).await;
        }
    })
    .await;
    lab.register(&group, target).await;
    lab.until_health(&group, &["healthy"]).await;
    for what in ["malformed", "closed without a word", "closed within the head"] {
        assert_eq!(get(port, "/").await.0, 502, "{what}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 3, "no request was sent twice");
}

#[tokio::test]
async fn a_lost_keep_alive_race_is_shown_and_not_hidden() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let second = Arc::new(AtomicUsize::new(0));
    let seconds = Arc::clone(&second);
    // Serves the first request of a connection and hangs up on the second, as a target does whose keep-alive just ran out.
    let target = scripted(move |stream, count| {
        assert!(count > 1, "the first request is answered");
        seconds.fetch_add(1, Ordering::SeqCst);
        async move { drop(stream) }
    })
    .await;
    lab.register(&group, target).await;
    lab.until_health(&group, &["healthy"]).await;
    assert_eq!(get(port, "/first").await.0, 200);
    eventually("the kept-alive connection is used again and lost", || async {
        match get(port, "/second").await.0 {
            502 => Ok(()),
            other => Err(other.to_string()),
        }
    })
    .await;
    assert_eq!(second.load(Ordering::SeqCst), 1, "and not sent again elsewhere");
}

#[tokio::test]
async fn a_silent_target_is_504_after_the_idle_timeout_and_a_silent_client_408() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|request| async move {
        // Reads what is sent, then never answers.
        let _ = request.into_body().collect().await;
        std::future::pending::<Response<crate::support::Body>>().await
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let balancer = lab.ok("DescribeLoadBalancers", &[]).await.text("LoadBalancerArn");
    let one_second = [
        ("LoadBalancerArn", balancer.as_str()),
        ("Attributes.member.1.Key", "idle_timeout.timeout_seconds"),
        ("Attributes.member.1.Value", "1"),
    ];
    lab.ok("ModifyLoadBalancerAttributes", &one_second).await;
    let began = Instant::now();
    let (status, _, body) = get(port, "/").await;
    assert_eq!(status, 504);
    assert!(body.contains("<h1>504 Gateway Time-out</h1>"), "{body}");
    assert!(began.elapsed() >= Duration::from_millis(990), "not divided by the time factor: {:?}", began.elapsed());
    let answer = crate::support::raw(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_breaks_off_for_the_client_too() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let target = scripted(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    })
    .await;
    lab.register(&group, target).await;
    lab.until_health(&group, &["healthy"]).await;
    let response = Connection::open(port).await.send(request("GET", "/")).await.expect("the head came");
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_err(), "a cut body is never passed off as a whole one");
}

#[tokio::test]
async fn a_client_that_leaves_is_460_in_the_log_and_frees_the_target() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|_| std::future::pending::<Response<crate::support::Body>>()).await;
    lab.registered(&group, &[&backend]).await;
    let mut client = Connection::open(port).await;
    let left = tokio::time::timeout(Duration::from_millis(100), client.send(request("GET", "/slow"))).await;
    assert!(left.is_err(), "the target does not answer");
    drop(client);
    eventually("a 460", || async {
        let records = lab.finished();
        records.iter().any(|record| record.elb_status == 460).then_some(()).ok_or(format!("{} records", records.len()))
    })
    .await;
    lab.deregister(&group, backend.address).await;
    lab.until_health(&group, &[]).await;
}

#[derive(Default)]
struct Seen {
    finished: Mutex<Vec<u16>>,
    failed: AtomicUsize,
}

impl Observer for Seen {
    fn finished(&self, request: &Finished) {
        self.finished.lock().expect("no panic").push(request.elb_status);
    }

    fn connection_failed(&self, _target_group_arn: &str, _target: std::net::SocketAddrV4) {
        self.failed.fetch_add(1, Ordering::SeqCst);
    }
}

struct NoAdmins;

impl Filter for NoAdmins {
    fn guard(&self, _load_balancer_arn: &str) -> Option<Arc<dyn Guard>> {
        Some(Arc::new(Self))
    }
}

impl Guard for NoAdmins {
    fn wants_body(&self) -> bool {
        true
    }

    fn inspect(&self, request: &Inspected<'_>) -> Verdict {
        match request.head.uri.path() {
            path if path.starts_with("/admin") => Verdict::Block(403),
            "/teapot" => Verdict::Answer(Box::new(CustomResponse {
                status: 418,
                headers: vec![(HeaderName::from_static("x-why"), HeaderValue::from_static("tea"))],
                body: Some(("text/plain", "short and stout".into())),
            })),
            "/size" => {
                let size = format!("{} {}", request.body.len(), request.oversize);
                let size = HeaderValue::from_str(&size).expect("ASCII");
                Verdict::Allow(vec![(HeaderName::from_static("x-size"), size)])
            }
            _ => Verdict::Allow(Vec::new()),
        }
    }
}

#[tokio::test]
async fn a_filter_sees_the_start_of_a_body_and_the_target_all_of_it() {
    let lab = Lab::new();
    lab.elbv2.set_filter(Arc::new(NoAdmins));
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|request| async {
        let size = request.headers().get("x-size").cloned();
        let body = request.into_body().collect().await.expect("whole").to_bytes();
        let mut response = Response::new(full(body.len().to_string()));
        response.headers_mut().extend(size.map(|size| (HeaderName::from_static("x-size"), size)));
        response
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    for (length, seen) in
        [(0, "0 false"), (5, "5 false"), (8192, "8192 false"), (8193, "8192 true"), (300_000, "8192 true")]
    {
        let request =
            Request::post("/size").header("host", "a").body(Full::new(Bytes::from("x".repeat(length)))).expect("valid");
        let (status, headers, body) = send(port, request).await;
        assert_eq!((status, &*body), (200, &*length.to_string()));
        assert_eq!(headers.get("x-size").expect("the header was inserted"), seen, "{length}");
    }
    let (status, headers, body) = send(port, request("GET", "/teapot")).await;
    assert_eq!((status, &*body, &headers["x-why"]), (418, "short and stout", &HeaderValue::from_static("tea")));
    eventually("the access log says who answered", || async {
        let lines: Vec<String> = lab.finished().iter().map(ToString::to_string).collect();
        let told = lines.first().is_some_and(|line| line.contains(" \"waf,forward\" "))
            && lines.last().is_some_and(|line| line.contains(" \"waf\" "));
        if told { Ok(()) } else { Err(lines.join("\n")) }
    })
    .await;
}

#[tokio::test]
async fn seams_see_every_request() {
    let lab = Lab::new();
    let seen = Arc::new(Seen::default());
    lab.elbv2.set_observer(Arc::clone(&seen) as Arc<dyn Observer>);
    lab.elbv2.set_filter(Arc::new(NoAdmins));
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|_| async { Response::new(full("fine")) }).await;
    lab.registered(&group, &[&backend]).await;
    assert_eq!(get(port, "/").await.0, 200);
    assert_eq!(send(port, request("GET", "/admin/x")).await.0, 403);
    assert_eq!(backend.requests.load(Ordering::SeqCst), 1, "a blocked request never reaches a target");
    let address = backend.address;
    drop(backend);
    eventually("the server is gone", || async {
        tokio::net::TcpStream::connect(address).await.map_or(Ok(()), |_| Err("it still accepts".into()))
    })
    .await;
    assert_eq!(get(port, "/").await.0, 502);
    eventually("three requests and a failed connection are counted", || async {
        let (finished, failed) = (seen.finished.lock().expect("no panic").clone(), seen.failed.load(Ordering::SeqCst));
        if finished == [200, 403, 502] && failed == 1 { Ok(()) } else { Err(format!("{finished:?} {failed}")) }
    })
    .await;
}
