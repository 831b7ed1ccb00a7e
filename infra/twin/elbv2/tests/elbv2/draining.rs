//! Deregistration: no new requests, those under way end, nothing is dropped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::{sync::Notify, task::JoinSet};

use crate::support::{Backend, Connection, Lab, eventually, forward, get, request};

const DRAINING: &str = "draining Target.DeregistrationInProgress Target deregistration is in progress";

/// A body of two frames with `middle` between them.
fn in_two(middle: Arc<Notify>) -> crate::support::Body {
    let (frames, body) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let _ = frames.send(Ok(Frame::data(Bytes::from_static(b"first ")))).await;
        middle.notified().await;
        let _ = frames.send(Ok(Frame::data(Bytes::from_static(b"second")))).await;
    });
    let stream = futures(body);
    BodyExt::boxed(StreamBody::new(stream))
}

/// A channel as a stream.
fn futures(
    body: tokio::sync::mpsc::Receiver<Result<Frame<Bytes>, std::io::Error>>,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + Sync {
    futures_util::stream::unfold(body, |mut body| async { body.recv().await.map(|frame| (frame, body)) })
}

#[tokio::test]
async fn a_response_under_way_is_finished_before_the_target_goes() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let middle = Arc::new(Notify::new());
    let go = Arc::clone(&middle);
    let leaving = Backend::with(move |_| {
        let body = in_two(Arc::clone(&go));
        async { Response::new(body) }
    })
    .await;
    lab.registered(&group, &[&leaving]).await;
    let response = Connection::open(port).await.send(request("GET", "/")).await.expect("the head came");
    let staying = Backend::named("staying").await;
    lab.register(&group, staying.address).await;
    lab.until_health(&group, &["healthy", "healthy"]).await;
    lab.deregister(&group, leaving.address).await;
    lab.until_health(&group, &[DRAINING, "healthy"]).await;
    for _ in 0..6 {
        assert_eq!(get(port, "/").await.2, "staying", "a leaving target gets no new requests");
    }
    assert_eq!(lab.health(&group).await.len(), 2, "its response is still under way");
    middle.notify_one();
    let body = response.into_body().collect().await.expect("a whole body").to_bytes();
    assert_eq!(body, "first second");
    lab.until_health(&group, &["healthy"]).await;
}

#[tokio::test]
async fn after_the_delay_what_is_left_is_cut() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|_| std::future::pending::<Response<crate::support::Body>>()).await;
    lab.registered(&group, &[&backend]).await;
    // 100 s are 1 s here.
    let delay = [
        ("TargetGroupArn", group.as_str()),
        ("Attributes.member.1.Key", "deregistration_delay.timeout_seconds"),
        ("Attributes.member.1.Value", "100"),
    ];
    lab.ok("ModifyTargetGroupAttributes", &delay).await;
    let waiting = tokio::spawn(get(port, "/"));
    eventually("the request is with the target", || async {
        let count = backend.requests.load(Ordering::SeqCst);
        if count == 1 { Ok(()) } else { Err(count.to_string()) }
    })
    .await;
    let began = Instant::now();
    lab.deregister(&group, backend.address).await;
    assert_eq!(waiting.await.expect("no panic").0, 502, "the delay elapsed for a request in hand");
    assert!(began.elapsed() >= Duration::from_millis(990), "{:?}", began.elapsed());
    lab.until_health(&group, &[]).await;
    assert_eq!(get(port, "/").await.0, 503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_dropped_while_targets_are_replaced_under_load() {
    let lab = Arc::new(Lab::new());
    let (group, port) = lab.forwarding().await;
    let mut current = vec![Backend::named("v0").await, Backend::named("v0").await];
    for backend in &current {
        lab.register(&group, backend.address).await;
    }
    lab.until_health(&group, &["healthy", "healthy"]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let stop = Arc::clone(&stop);
        clients.spawn(async move {
            let (mut good, mut bad) = (0_u32, Vec::new());
            let mut connection = Connection::open(port).await;
            while !stop.load(Ordering::SeqCst) {
                let response = connection.send(request("GET", "/")).await.expect("the balancer answers");
                let status = response.status();
                match response.into_body().collect().await {
                    Ok(_) if status == 200 => good += 1,
                    other => bad.push(format!("{status} {other:?}")),
                }
            }
            (good, bad)
        });
    }
    for _ in 0..10 {
        let new = vec![Backend::named("next").await, Backend::named("next").await];
        for backend in &new {
            lab.register(&group, backend.address).await;
        }
        lab.until_health(&group, &["healthy"; 4]).await;
        for backend in &current {
            lab.deregister(&group, backend.address).await;
        }
        lab.until_health(&group, &["healthy", "healthy"]).await;
        // The old servers end only now, when the balancer says that they are gone.
        current = new;
    }
    stop.store(true, Ordering::SeqCst);
    let mut total = 0;
    while let Some(result) = clients.join_next().await {
        let (good, bad) = result.expect("no panic");
        assert_eq!(bad, Vec::<String>::new());
        total += good;
    }
    assert!(total > 100, "there was load: {total}");
}

#[tokio::test]
async fn a_target_registered_again_while_leaving_starts_anew() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let middle = Arc::new(Notify::new());
    let go = Arc::clone(&middle);
    let backend = Backend::with(move |_| {
        let body = in_two(Arc::clone(&go));
        async { Response::new(body) }
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let response = Connection::open(port).await.send(request("GET", "/")).await.expect("the head came");
    lab.deregister(&group, backend.address).await;
    assert_eq!(lab.health(&group).await, [DRAINING]);
    lab.register(&group, backend.address).await;
    lab.until_health(&group, &["healthy"]).await;
    middle.notify_one();
    assert_eq!(response.into_body().collect().await.expect("a whole body").to_bytes(), "first second");
    assert_eq!(lab.health(&group).await, ["healthy"]);
}

#[tokio::test]
async fn shutdown_lets_requests_end_and_frees_the_ports() {
    let lab = Lab::new();
    let group = lab.group("ending").await;
    let balancer = lab.balancer("ending").await;
    let (_, port) = lab.listener(&balancer, &forward(&group)).await;
    let middle = Arc::new(Notify::new());
    let go = Arc::clone(&middle);
    let backend = Backend::with(move |_| {
        let body = in_two(Arc::clone(&go));
        async { Response::new(body) }
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let response = Connection::open(port).await.send(request("GET", "/")).await.expect("the head came");
    let elbv2 = Arc::clone(&lab.elbv2);
    let ending = tokio::spawn(async move { elbv2.shutdown().await });
    eventually("nobody listens any more", || async {
        tokio::net::TcpStream::connect((crate::support::HOST, port)).await.map_or(Ok(()), |_| Err("it accepts".into()))
    })
    .await;
    middle.notify_one();
    assert_eq!(response.into_body().collect().await.expect("a whole body").to_bytes(), "first second");
    tokio::time::timeout(Duration::from_secs(4), ending).await.expect("before the bound of 5 s").expect("no panic");
}
