//! The generator against real listeners: one that freezes, one that hangs, one that hangs up.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use load::{EndReason, ErrorKind, Outcome, Profile, Target};
use tokio::{io::AsyncWriteExt, net::TcpListener};

async fn serve<F>(answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = StatusCode> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request| {
                    let answer = answer(request);
                    async move {
                        let mut reply = Response::new(Full::new(Bytes::from_static(b"ok")));
                        *reply.status_mut() = answer.await;
                        Ok::<_, Infallible>(reply)
                    }
                });
                // A client that goes away is no failure of the server.
                let _ =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_shows_in_the_tail() {
    let start = Instant::now();
    let (from, until) = (start + Duration::from_millis(500), start + Duration::from_millis(1000));
    let address = serve(move |_| async move {
        if (from..until).contains(&Instant::now()) {
            tokio::time::sleep_until(until.into()).await;
        }
        StatusCode::OK
    })
    .await;
    let profile = Profile::new(format!("http://{address}"), 200.0).target(Target::get("/")).counting(300);
    let summary = load::run(profile).await.expect("sound profile");
    assert_eq!((summary.finished, summary.failed, summary.shed), (300, 0, 0), "{summary:?}");
    assert_eq!(summary.statuses[&200], 300);
    // A third of the arrivals fall into the freeze of 500 ms; a closed loop would have sent one request into it.
    assert!(summary.latency_ms.p99 > 400.0, "{:?}", summary.latency_ms);
    assert!(summary.latency_ms.p50 < 250.0, "{:?}", summary.latency_ms);
    assert!(summary.latency_ms.p50 <= summary.latency_ms.p90 && summary.latency_ms.p99_9 <= summary.latency_ms.max);
}

#[tokio::test]
async fn arrivals_past_the_cap_are_shed_and_the_others_time_out() {
    let address = serve(|_| std::future::pending()).await;
    let mut profile = Profile::new(format!("http://{address}"), 500.0).target(Target::get("/")).counting(50);
    (profile.in_flight_max, profile.timeout) = (10, Duration::from_millis(1500));
    let summary = load::run(profile).await.expect("sound profile");
    assert_eq!((summary.arrivals, summary.shed, summary.finished), (50, 40, 10), "{summary:?}");
    assert_eq!(summary.errors[&ErrorKind::Timeout], 10);
    assert!((summary.error_rate - 1.0).abs() < f64::EPSILON);
    assert!(summary.latency_ms.min >= 1490.0, "{:?}", summary.latency_ms);
}

#[tokio::test]
async fn a_mix_is_sent_by_weight_and_counted_by_target() {
    let posts = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&posts);
    let address = serve(move |request: Request<Incoming>| {
        counted.fetch_add(u64::from(request.method() == Method::POST), Ordering::Relaxed);
        let status = if request.uri().path() == "/bad" { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
        std::future::ready(status)
    })
    .await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let samples = Arc::clone(&seen);
    let profile = Profile::new(format!("http://{address}"), 1000.0)
        .target(Target::get("/good?x=1").weight(3))
        .target(Target::get("/bad").method(Method::POST).body("text"))
        .counting(400);
    let run = load::start_observed(profile, move |sample| samples.lock().expect("sound").push(*sample)).expect("sound");
    let mut snapshots = run.snapshots();
    let summary = run.finish().await;
    assert_eq!(posts.load(Ordering::Relaxed), 100);
    assert_eq!((summary.targets[0].finished, summary.targets[0].failed), (300, 0));
    assert_eq!((summary.targets[1].finished, summary.targets[1].failed), (100, 100));
    assert_eq!((summary.statuses[&200], summary.statuses[&502]), (300, 100));
    assert!(summary.last_failed_at >= summary.first_failed_at && summary.first_failed_at.is_some());
    let seen = std::mem::take(&mut *seen.lock().expect("sound"));
    assert_eq!(seen.len(), 400);
    assert!(seen.iter().all(|sample| (sample.target == 1) == (sample.outcome == Outcome::Status(502))));
    snapshots.borrow_and_update();
    assert!(snapshots.changed().await.is_err(), "the channel closes with the run");
    let json = serde_json::to_value(&summary).expect("a summary serializes");
    assert_eq!(json["statuses"]["502"], 100);
    assert!(json["latency_ms"]["p99_9"].is_number() && json["started_at"].is_string());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = closed.local_addr().expect("bound");
    drop(closed);
    let hangs_up = raw(b"").await;
    let cut_short = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let gibberish = raw(b"220 mail.example ready\r\n\r\n").await;
    for (address, wanted) in [
        (nobody, ErrorKind::ConnectionRefused),
        (hangs_up, ErrorKind::Closed),
        (cut_short, ErrorKind::Closed),
        (gibberish, ErrorKind::Protocol),
    ] {
        let profile = Profile::new(format!("http://{address}"), 200.0).target(Target::get("/")).counting(5);
        let summary = load::run(profile).await.expect("sound profile");
        assert_eq!(summary.errors.get(&wanted), Some(&5), "{wanted:?}: {summary:?}");
    }
}

/// A listener that reads a little, answers these bytes and closes.
async fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accept");
            let mut request = [0; 1024];
            stream.readable().await.expect("the client speaks first");
            let _ = stream.try_read(&mut request);
            stream.write_all(answer).await.expect("the client listens");
        }
    });
    address
}

#[tokio::test]
async fn a_stop_ends_the_arrivals_and_cuts_what_hangs() {
    let address = serve(|_| std::future::pending()).await;
    let mut profile = Profile::new(format!("http://{address}"), 100.0).target(Target::get("/"));
    (profile.duration, profile.timeout) = (Some(Duration::from_secs(600)), Duration::from_secs(600));
    profile.snapshot_interval = Duration::from_millis(20);
    let start = Instant::now();
    let run = load::start(profile).expect("sound profile");
    let mut snapshots = run.snapshots();
    snapshots.wait_for(|snapshot| snapshot.in_flight >= 3).await.expect("requests pile up");
    run.stopper().stop();
    let summary = run.finish().await;
    assert_eq!(summary.end, EndReason::Stopped);
    assert_eq!(summary.unfinished, summary.arrivals, "{summary:?}");
    assert!(summary.error_rate.abs() < f64::EPSILON);
    assert!(start.elapsed() < Duration::from_secs(60), "a stop does not wait for the timeout");
}
