//! Requests that are refused before any target sees them.

use std::sync::atomic::Ordering;

use crate::support::{Backend, Lab, raw};

#[tokio::test]
async fn what_cannot_be_read_gets_a_page_and_a_log_line() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::named("x").await;
    lab.registered(&group, &[&backend]).await;
    let long_header = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "x".repeat(70_000));
    let long_path = format!("GET /{} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "x".repeat(17_000));
    let cases: [(&[u8], &str); 7] = [
        (b"nonsense\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost a\r\n\r\n", "400 Bad Request"),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400 Bad Request"),
        (long_header.as_bytes(), "400 Bad Request"),
        (long_path.as_bytes(), "414 Request-URI Too Large"),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "405 Not Allowed"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
            "501 Not Implemented",
        ),
    ];
    for (bytes, page) in cases {
        let what = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let answer = raw(port, bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {}", &page[..3])), "{what}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.to_ascii_lowercase().contains("server: awselb/2.0"), "{what}: {head}");
        assert!(body.contains(&format!("<h1>{page}</h1>")), "{what}: {body}");
    }
    assert_eq!(backend.requests.load(Ordering::SeqCst), 0);
    let statuses: Vec<u16> = lab.finished().iter().map(|record| record.elb_status).collect();
    assert_eq!(statuses, [400, 400, 400, 400, 414, 405, 501]);
}

#[tokio::test]
async fn a_targets_own_400_is_passed_on_as_it_is() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|_| async {
        http::Response::builder().status(400).body(crate::support::full("")).expect("valid")
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let answer = raw(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && !answer.contains("awselb"), "{answer}");
}

#[tokio::test]
async fn an_http_1_0_client_without_a_host_is_served() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::named("old").await;
    lab.registered(&group, &[&backend]).await;
    let answer = raw(port, b"GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.contains(" 200 OK\r\n") && answer.ends_with("old"), "{answer}");
    let seen = backend.seen.lock().expect("no panic").pop().expect("one request");
    assert_eq!(seen.headers["host"], format!("127.0.0.1:{port}"));
}
