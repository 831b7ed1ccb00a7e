//! Bad input: a clear answer, and nothing lost.

use tests::{Lab, Reply, text, until};

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let lab = Lab::up();

    // A value that nobody can parse: behaviour is `none`, and the refusal is visible.
    let version = lab.set_mode(r#"{"mode":"latency","min_ms":-5}"#);
    lab.until_applied(version);
    assert_eq!(lab.get("/").status, 200);
    until("the refusal is in the log", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "InvalidFailureMode" }"#);
        if lines.iter().any(|line| line.contains("min_ms")) { Ok(()) } else { Err(format!("{lines:?}")) }
    });

    // The CLI refuses to write such a value at all.
    let refused = lab.breakfix(&["break", "latency", "min_ms=-5"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("min_ms"), "{}", text(&refused.stderr));
    let unknown = lab.breakfix(&["break", "return_501"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("return_500"), "the known modes are listed: {}", text(&unknown.stderr));

    // A parameter that no task reads breaks nothing and mends nothing, so nobody writes it.
    for command in ["break", "reset"] {
        let mode = if command == "break" { &["return_500"][..] } else { &[] };
        let mut mistyped = lab.command(&[&[command], mode].concat());
        let output = mistyped.env("PARAM_FAILURE_MODE", "/golden/oops").output().expect("breakfix runs");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(said.contains("the tasks read the parameter /golden/failure_mode, you named /golden/oops"), "{said}");
    }

    for (query, named) in [("abc", "abc"), ("-1", "-1"), ("1e9", "1e9"), ("10001", "10001")] {
        let reply = lab.get(&format!("/work?ms={query}"));
        assert_eq!(reply.status, 400, "ms={query}");
        assert!(
            reply.json()["error"]["message"].as_str().is_some_and(|message| message.contains(named)),
            "{}",
            reply.body
        );
    }
    let missing = lab.get("/no-such-route");
    assert_eq!(missing.status, 404);
    assert!(missing.json()["error"]["requestId"].is_string(), "{}", missing.body);

    // A secret with a missing key: /db says 503, the log says which key, and the repaired secret heals it.
    let good =
        lab.aws(&["secretsmanager", "get-secret-value", "--secret-id", lab.name("DB_SECRET_ARN")])["SecretString"]
            .clone();
    let good = good.as_str().expect("the lab's secret is text");
    let broken = r#"{"host":"127.0.0.1","port":5432,"username":"golden","dbname":"golden"}"#;
    lab.put_secret(broken);
    let version = lab.set_mode("none");
    lab.until_applied(version);
    lab.redeploy();
    until("/db is refused for the secret", 60, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(()),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    until("the log names the missing key", 10, || {
        let lines = lab.log_messages("password");
        if lines.iter().any(|line| line.contains("`password` is missing")) { Ok(()) } else { Err(format!("{lines:?}")) }
    });
    lab.put_secret(good);
    lab.reset();
}

#[test]
fn a_web_page_cannot_drive_the_twin_and_what_is_not_imitated_says_so() {
    let lab = Lab::up();
    let endpoint = lab.name("AWS_ENDPOINT_URL");
    for header in [("origin", "https://example.com"), ("host", "example.com")] {
        let reply = Reply::get(&format!("{endpoint}/"), &[header], std::time::Duration::from_secs(5)).expect("a reply");
        assert_eq!(reply.status, 403, "{header:?}: {}", reply.body);
    }
    let error = lab.try_aws(&[
        "ecs",
        "create-capacity-provider",
        "--name",
        "x",
        "--auto-scaling-group-provider",
        "autoScalingGroupArn=x",
    ]);
    let error = error.expect_err("the twin does not imitate capacity providers").to_string();
    assert!(error.contains("CreateCapacityProvider") && error.contains("not imitated"), "{error}");
    let error = lab.try_aws(&["dynamodb", "list-tables"]).expect_err("the twin has no DynamoDB").to_string();
    assert!(error.contains("ListTables"), "{error}");
}

#[test]
fn a_taken_port_is_named_before_anything_starts() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = std::process::Command::new(tests::binary("breakfix"))
        .args(["up", "--detach", "--port", &port, "--state-dir"])
        .arg(folder.path())
        .output()
        .expect("breakfix runs");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}
