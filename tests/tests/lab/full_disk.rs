//! A disk that is full before the lab starts, and one that fills while it runs.

use std::time::Duration;

use tests::{Lab, Reply, SmallDisk, free_port, process, text, until};

/// Runs `up` where there is no room and wants one line that names the directory and what is wrong, and one that mends it.
fn refused(lab: &Lab, wrong: &str) {
    let (port, balancer_port) = (free_port().to_string(), free_port().to_string());
    let output = lab.breakfix(&["up", "--detach", "--port", &port, "--balancer-port", &balancer_port]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let [error, hint] = lines[..] else { panic!("an error and its mend, in a line each: {said}") };
    assert!(error.starts_with("error: ") && error.contains(wrong), "{said}");
    assert!(error.contains(&lab.state_dir().display().to_string()), "{said}");
    assert!(hint.starts_with("hint: ") && hint.contains("--state-dir"), "{said}");
    assert_eq!(process::that_name(lab.state_dir()), [], "nothing is left running");
}

#[test]
fn up_says_that_its_disk_is_too_small_or_full() {
    let lab = Lab::unstarted_on(SmallDisk::of(100));
    refused(&lab, "a lab needs 150");
    lab.disk().fill();
    refused(&lab, "No space left on device");
}

#[test]
fn a_disk_that_fills_costs_nothing_but_the_log() {
    let mut lab = Lab::unstarted_on(SmallDisk::of(300));
    lab.start(&[]);
    let before = lab.get("/db").json()["visits"].as_i64().expect("/db counts its visits");
    lab.disk().fill();

    let version = lab.set_mode(r#"{"mode":"return_500","match":{"path":"/work"}}"#);
    lab.until_applied(version);
    assert_eq!(lab.get("/work?ms=0").status, 500, "a mode can be set");
    lab.until_applied(lab.set_mode("none"));

    let task = lab.tasks("RUNNING")[0]["taskArn"].clone();
    lab.aws(&["ecs", "stop-task", "--cluster", lab.name("CLUSTER"), "--task", task.as_str().expect("an ARN")]);
    until("the task is replaced, and its checks run", 30, || {
        let tasks = lab.tasks("RUNNING");
        let healthy = tasks.iter().filter(|other| other["taskArn"] != task && other["healthStatus"] == "HEALTHY");
        if healthy.count() == 2 { Ok(()) } else { Err(format!("{tasks:?}")) }
    });
    for path in ["/", "/healthz", "/work?ms=0", "/db"] {
        assert_eq!(lab.get(path).status, 200, "{path}");
    }

    // Each refusal is a line in the twin's log, which has no room for it.
    let endpoint = format!("{}/", lab.name("AWS_ENDPOINT_URL"));
    for _ in 0..60 {
        let page = Reply::get(&endpoint, &[("origin", "https://example.com")], Duration::from_secs(5));
        assert_eq!(page.expect("the twin answers though it cannot log").status, 403);
    }

    lab.disk().clear();
    lab.reset();
    let after = lab.get("/db").json();
    assert!(after["visits"].as_i64() > Some(before), "{before}, then {after}");
}
