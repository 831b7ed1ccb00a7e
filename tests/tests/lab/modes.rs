//! The modes that no other test of the whole lab covers: each takes hold through the balancer, and leaving it undoes it.

use std::time::{Duration, Instant};

use tests::{Lab, Reply, until};

#[test]
fn modes_take_hold_and_let_go() {
    let lab = Lab::up();
    let apply = |value: &str| lab.until_applied(lab.set_mode(value));

    apply(r#"{"mode":"latency","min_ms":400,"max_ms":450,"match":{"path":"/work"}}"#);
    let start = Instant::now();
    assert_eq!(lab.get("/work?ms=0").status, 200);
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(lab.get("/").status, 200);
    assert!(start.elapsed() < Duration::from_millis(400), "the match keeps / out: {:?}", start.elapsed());

    apply(r#"{"mode":"slow_query","ms":600}"#);
    let start = Instant::now();
    assert_eq!(lab.get("/db").status, 200);
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());

    apply("none");
    let whole = lab.get("/").body;
    apply("corrupt_body");
    let cut = lab.get("/");
    assert!(
        cut.body.len() < whole.len() && serde_json::from_str::<serde_json::Value>(&cut.body).is_err(),
        "{}",
        cut.body
    );

    apply("hang");
    let url = format!("{}/", lab.name("ALB_URL"));
    assert!(Reply::get(&url, &[], Duration::from_secs(2)).is_err(), "hang does not answer");
    assert_eq!(lab.get("/healthz").status, 200, "hang leaves the health check alone");

    apply(r#"{"mode":"dependency_down","targets":["database"]}"#);
    assert_eq!(lab.get("/db").status, 503);
    let health = until("the deep health check names the database", 15, || match lab.get("/health") {
        reply if reply.status == 503 => Ok(reply.json()),
        reply => Err(reply.body),
    });
    assert_ne!(health["services"]["database"], "healthy", "{health}");

    apply(r#"{"mode":"return_500","every":2,"blind":true,"match":{"path":"/work"}}"#);
    let statuses: Vec<u16> = (0..8).map(|_| lab.get("/work?ms=0").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&500), "{statuses:?}");

    apply("none");
    for path in ["/", "/db", "/work?ms=0", "/healthz"] {
        assert_eq!(lab.get(path).status, 200, "{path} after every mode is left");
    }
    lab.reset();
    let blind = lab.log_messages("return_500");
    assert!(blind.is_empty(), "a blind mode's name is in the log: {blind:?}");
}

#[test]
fn lock_contention_makes_others_wait() {
    let lab = Lab::up();
    let version = lab.set_mode(r#"{"mode":"lock_contention","hold_ms":1500}"#);
    lab.until_applied(version);
    let lab = &lab;
    let waits: Vec<Duration> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let start = Instant::now();
                    lab.get("/db");
                    start.elapsed()
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().expect("a caller ends")).collect()
    });
    let slowest = waits.iter().max().copied().unwrap_or_default();
    assert!(slowest >= Duration::from_millis(2_800), "the second waits for the first one's lock: {waits:?}");
    lab.reset();
}

#[test]
fn an_unhealthy_check_takes_tasks_out_of_service_though_they_serve() {
    let lab = Lab::up();
    let version = lab.set_mode("unhealthy");
    lab.until_applied(version);
    assert_eq!(lab.get("/").status, 200, "business routes are fine");
    until("a target is unhealthy for its 503s", 30, || {
        let targets = lab.target_health();
        let found =
            targets.iter().any(|target| target["Description"] == "Health checks failed with these codes: [503]");
        if found { Ok(()) } else { Err(format!("{targets:?}")) }
    });
    lab.reset();
}
