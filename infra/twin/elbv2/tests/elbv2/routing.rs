//! Who gets a request, and what the target and the client see of it.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Backend, Connection, Lab, forward, full, get, request, send};

#[tokio::test]
async fn requests_go_round_robin_over_kept_alive_connections() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let (a, b) = (Backend::named("a").await, Backend::named("b").await);
    lab.registered(&group, &[&a, &b]).await;
    let mut client = Connection::open(port).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        let response = client.send(request("GET", "/")).await.expect("an answer");
        answers.push(response.into_body().collect().await.expect("a body").to_bytes());
    }
    assert!(answers.windows(2).all(|pair| pair[0] != pair[1]), "they take turns: {answers:?}");
    for backend in [&a, &b] {
        assert_eq!(backend.requests.load(Ordering::SeqCst), 10);
        assert!(backend.connections.load(Ordering::SeqCst) <= 2, "connections are used again");
    }
}

#[tokio::test]
async fn weights_share_requests_and_zero_gets_none() {
    let lab = Lab::new();
    let (blue, green, off) = (lab.group("blue").await, lab.group("green").await, lab.group("off").await);
    let balancer = lab.balancer("weighted").await;
    let tuple =
        |index: u32, part: &str| format!("DefaultActions.member.1.ForwardConfig.TargetGroups.member.{index}.{part}");
    let names: Vec<String> =
        (1..=3).flat_map(|index| [tuple(index, "TargetGroupArn"), tuple(index, "Weight")]).collect();
    let values = [&blue, "3", &green, "1", &off, "0"];
    let mut actions = vec![("DefaultActions.member.1.Type", "forward")];
    actions.extend(names.iter().map(String::as_str).zip(values));
    let (listener, port) = lab.listener(&balancer, &actions).await;
    let (a, b, c) = (Backend::named("blue").await, Backend::named("green").await, Backend::named("off").await);
    for (group, backend) in [(&blue, &a), (&green, &b), (&off, &c)] {
        lab.registered(group, &[backend]).await;
    }
    let mut count = BTreeMap::new();
    for _ in 0..400 {
        *count.entry(get(port, "/").await.2).or_insert(0_u32) += 1;
    }
    assert_eq!(count.len(), 2, "{count:?}");
    assert!((220..=380).contains(&count["blue"]), "three in four go to blue: {count:?}");
    let described = lab.ok("DescribeListeners", &[("ListenerArns.member.1", &listener)]).await;
    assert_eq!(described.texts("Weight"), ["3", "1", "0"]);
}

#[tokio::test]
async fn the_target_sees_what_a_balancer_adds_and_not_what_is_hop_by_hop() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|_| async {
        Response::builder().header("keep-alive", "timeout=5").header("server", "mine").body(full("x")).expect("valid")
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let mut asked = request("GET", "/path?query=1");
    for (name, value) in [
        ("connection", "keep-alive, x-secret"),
        ("x-secret", "1"),
        ("te", "trailers"),
        ("x-forwarded-for", "10.1.2.3"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678;CalledFrom=test"),
    ] {
        asked.headers_mut().append(name, value.parse().expect("a valid value"));
    }
    let (status, headers, _) = send(port, asked).await;
    assert_eq!((status, headers["server"].as_bytes()), (200, b"mine".as_slice()));
    assert!(!headers.contains_key("keep-alive"), "{headers:?}");

    let seen = backend.seen.lock().expect("no panic").pop().expect("one request");
    assert_eq!((seen.uri.to_string().as_str(), seen.version), ("/path?query=1", http::Version::HTTP_11));
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().expect("ASCII").to_owned());
    assert_eq!(header("host").as_deref(), Some("lab.test"));
    assert_eq!(header("x-forwarded-for").as_deref(), Some("10.1.2.3, 127.0.0.1"));
    assert_eq!(header("x-forwarded-proto").as_deref(), Some("http"));
    assert_eq!(header("x-forwarded-port"), Some(port.to_string()));
    let trace = header("x-amzn-trace-id").expect("a trace");
    assert!(trace.starts_with("Self=1-"), "{trace}");
    assert!(trace.ends_with(";Root=1-67891233-abcdef012345678912345678;CalledFrom=test"), "{trace}");
    for gone in ["connection", "x-secret", "te"] {
        assert_eq!(header(gone), None, "{gone}");
    }
    let record = lab.finished().pop().expect("a record");
    let line = record.to_string();
    assert_eq!(record.trace_id.expect("a trace").to_str().expect("ASCII"), trace);
    assert!(line.contains(&format!("\"GET http://lab.test:{port}/path?query=1 HTTP/1.1\"")), "{line}");
    assert!(line.contains(&format!(" {} 0.", backend.address)) && line.contains(" 200 200 "), "{line}");
}

#[tokio::test]
async fn rules_choose_by_priority_and_act() {
    let lab = Lab::new();
    let (group, _) = lab.forwarding().await;
    let reply = lab.ok("DescribeLoadBalancers", &[("Names.member.1", "golden")]).await;
    let (listener, port) = lab.listener(&reply.text("LoadBalancerArn"), &forward(&group)).await;
    let backend = Backend::named("forwarded").await;
    lab.registered(&group, &[&backend]).await;
    let fixed = [
        ("Priority", "20"),
        ("Conditions.member.1.Field", "path-pattern"),
        ("Conditions.member.1.Values.member.1", "/fixed/*"),
        ("Actions.member.1.Type", "fixed-response"),
        ("Actions.member.1.FixedResponseConfig.StatusCode", "418"),
        ("Actions.member.1.FixedResponseConfig.ContentType", "application/json"),
        ("Actions.member.1.FixedResponseConfig.MessageBody", "{\"teapot\":true}"),
        ("ListenerArn", &listener),
    ];
    let rule = lab.ok("CreateRule", &fixed).await.text("RuleArn");
    let redirect = [
        ("Priority", "10"),
        ("Conditions.member.1.Field", "query-string"),
        ("Conditions.member.1.QueryStringConfig.Values.member.1.Key", "moved"),
        ("Conditions.member.1.QueryStringConfig.Values.member.1.Value", "*"),
        ("Actions.member.1.Type", "redirect"),
        ("Actions.member.1.RedirectConfig.StatusCode", "HTTP_302"),
        ("Actions.member.1.RedirectConfig.Host", "elsewhere.test"),
        ("ListenerArn", &listener),
    ];
    lab.ok("CreateRule", &redirect).await;

    let (status, headers, body) = get(port, "/fixed/x").await;
    assert_eq!((status, body.as_str()), (418, "{\"teapot\":true}"));
    assert_eq!(
        (&headers["content-type"], &headers["server"]),
        (&"application/json".parse().expect("valid"), &"awselb/2.0".parse().expect("valid"))
    );
    let (status, headers, _) = get(port, "/fixed/x?moved=yes").await;
    assert_eq!(status, 302, "the lower priority number wins");
    assert_eq!(headers["location"], format!("http://elsewhere.test:{port}/fixed/x?moved=yes"));
    assert_eq!(get(port, "/other").await.2, "forwarded");

    let listed = lab.ok("DescribeRules", &[("ListenerArn", &listener)]).await;
    assert_eq!(listed.texts("Priority"), ["10", "20", "default"]);
    assert_eq!(listed.texts("IsDefault"), ["false", "false", "true"]);
    lab.ok("DeleteRule", &[("RuleArn", &rule)]).await;
    assert_eq!(get(port, "/fixed/x").await.2, "forwarded");
}

#[tokio::test]
async fn bodies_stream_both_ways_and_are_counted() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|request: Request<hyper::body::Incoming>| async {
        let length = request.into_body().collect().await.map(|body| body.to_bytes().len()).unwrap_or_default();
        Response::new(full(vec![b'x'; length * 2]))
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let body = Bytes::from(vec![b'y'; 3 << 20]);
    let post = Request::post("/").header("host", "lab.test").body(Full::new(body)).expect("a valid request");
    let (status, _, answer) = send(port, post).await;
    assert_eq!((status, answer.len()), (200, 6 << 20));
    crate::support::eventually("one record with both sizes", || async {
        let record = lab.finished().pop().ok_or("no record")?;
        let (received, sent) = (record.received_bytes, record.sent_bytes);
        let right = (3 << 20..(3 << 20) + 1000).contains(&received) && (6 << 20..(6 << 20) + 1000).contains(&sent);
        if right { Ok(()) } else { Err(format!("{received} {sent}")) }
    })
    .await;
    let (status, headers, answer) = send(port, request("HEAD", "/")).await;
    assert_eq!((status, answer.as_str()), (200, ""), "{headers:?}");
}

#[tokio::test]
async fn a_connection_that_changes_protocol_passes_bytes_both_ways() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let backend = Backend::with(|mut request: Request<hyper::body::Incoming>| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = hyper_util::rt::TokioIo::new(upgrade.await.expect("upgraded"));
            let mut word = [0; 4];
            stream.read_exact(&mut word).await.expect("four bytes");
            word.reverse();
            stream.write_all(&word).await.expect("written");
        });
        Response::builder()
            .status(101)
            .header("upgrade", "echo")
            .header("connection", "upgrade")
            .body(full(""))
            .expect("valid")
    })
    .await;
    lab.registered(&group, &[&backend]).await;
    let mut asked = request("GET", "/socket");
    asked.headers_mut().insert("upgrade", "echo".parse().expect("valid"));
    asked.headers_mut().insert("connection", "upgrade".parse().expect("valid"));
    let mut response = Connection::open(port).await.send(asked).await.expect("an answer");
    assert_eq!(response.status(), 101);
    let mut stream = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut response).await.expect("upgraded"));
    stream.write_all(b"ping").await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("until the target closes");
    assert_eq!(answer, b"gnip");
}
