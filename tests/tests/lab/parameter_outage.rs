//! Parameter Store is throttled and then gone, under load: the last value stays for a minute, then nothing is broken, and no
//! request notices.

use std::time::{Duration, Instant};

use tests::{Lab, Traffic, text, until};

/// The least that the mode under test adds to a request.
const ADDED: Duration = Duration::from_millis(80);
/// How long the last value applies (`FAILURE_MODE_MAX_STALE_MS`), with room for the age it had when the outage began and
/// for a look of ours on either side.
const STILL: Duration = Duration::from_secs(56);
const NO_LONGER: Duration = Duration::from_secs(65);

/// The version that a reply says it was served under, and how long it took.
fn look(lab: &Lab) -> (String, Duration) {
    let start = Instant::now();
    let reply = lab.get("/");
    (reply.header("x-lab-config-version").unwrap_or("none").to_owned(), start.elapsed())
}

#[test]
fn a_parameter_that_cannot_be_read_applies_for_a_minute_and_then_no_longer() {
    let lab = Lab::up();
    let version = lab.set_mode(r#"{"mode":"latency","min_ms":80,"max_ms":90}"#);
    lab.until_applied(version);
    let wanted = version.to_string();

    let traffic = Traffic::start(lab.name("ALB_URL"), 50.0, &["/", "/db", "/work?ms=2"]);

    let began = Instant::now();
    lab.outage(&["ssm", "--throttle", "--for", "5m"]);
    let operator = lab.try_aws(&["ssm", "describe-parameters"]).expect_err("operators are throttled too");
    assert!(operator.to_string().contains("ThrottlingException"), "{operator}");
    until("the log names the throttling", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "ParameterUnavailable" }"#);
        let named = lines.iter().any(|line| line.contains("ThrottlingException: Rate exceeded"));
        if named { Ok(()) } else { Err(format!("{lines:?}")) }
    });
    let still_applies = |length: Duration| {
        until("the time has passed", length.as_secs() + 5, || {
            let (applied, took) = look(&lab);
            let elapsed = began.elapsed();
            assert_eq!(applied, wanted, "the last value is given up {elapsed:?} after the outage began");
            assert!(took >= ADDED, "the mode has no effect {elapsed:?} after the outage began: {took:?}");
            if elapsed >= length { Ok(()) } else { Err(format!("{elapsed:?}")) }
        });
    };
    still_applies(Duration::from_secs(25));
    lab.outage(&["ssm", "--refuse", "--for", "5m"]);
    still_applies(STILL);
    let status = lab.breakfix(&["status"]);
    assert!(text(&status.stdout).contains("outage    ssm: refuse, everybody's calls"), "{}", text(&status.stdout));
    let reset = lab.breakfix(&["reset", "--dry-run"]);
    assert!(text(&reset.stderr).contains("warning: an outage is active"), "{}", text(&reset.stderr));

    until("no mode applies any longer", 20, || {
        let looks: Vec<_> = (0..6).map(|_| look(&lab)).collect();
        let is_over = looks.iter().all(|(applied, took)| applied == "0" && *took < ADDED);
        if is_over { Ok(()) } else { Err(format!("{looks:?}")) }
    });
    assert!(began.elapsed() < NO_LONGER, "it took {:?}", began.elapsed());
    let lines = lab.log_messages(r#"{ $.errorType = "ParameterUnavailable" }"#);
    // Two tasks, a line every five seconds and at each change of the reason; reads that fail are several hundred.
    assert!(lines.len() <= 40, "an outage is said for as long as it lasts, not on every read: {lines:?}");

    lab.outage(&["ssm", "--end"]);
    lab.until_applied(version);
    let (_, took) = look(&lab);
    assert!(took >= ADDED, "the mode is back: {took:?}");
    lab.until_applied(lab.set_mode("none"));

    let summary = traffic.end();
    assert!(summary.finished > 50 * STILL.as_secs(), "{summary:?}");
    assert_eq!((summary.failed, summary.shed), (0, 0), "the outage costs no request: {summary:?}");
}
