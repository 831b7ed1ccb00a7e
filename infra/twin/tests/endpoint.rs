//! The twin from outside: its endpoint over HTTP, its database over SQL.

#[path = "endpoint/fixture.rs"]
mod fixture;

use fixture::{Twin, login, sqlstate};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn rotation_changes_the_password_of_the_real_database() {
    let twin = Twin::start().await;
    let (arn, before) = twin.database_secret();
    let mut open = login(&before).await.expect("the first credentials log in");

    let token = "0123456789abcdef0123456789abcdef";
    let rotated = twin.secrets("RotateSecret", json!({"SecretId": arn, "ClientRequestToken": token})).expect("rotated");
    assert_eq!((&rotated["VersionId"], &rotated["Name"]), (&token.into(), &"golden/db".into()));

    let after = twin.current(&arn);
    assert_ne!(before["password"], after["password"]);
    assert_eq!(before["username"], after["username"]);
    let refused = login(&before).await.expect_err("the old password is refused");
    assert_eq!(sqlstate(&refused).as_deref(), Some("28P01"));
    login(&after).await.expect("the new password logs in");
    let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&mut open).await.expect("an open session lives on");
    assert_eq!(one, 1);

    let described = twin.secrets("DescribeSecret", json!({"SecretId": "golden/db"})).expect("described");
    assert_eq!(described["RotationEnabled"], true);
    assert!(described["LastRotatedDate"].is_number(), "{described}");
    let stages = described["VersionIdsToStages"].as_object().expect("versions");
    assert_eq!((stages.len(), &stages[token]), (2, &json!(["AWSCURRENT"])), "{described}");
    let again = twin.secrets("RotateSecret", json!({"SecretId": arn, "ClientRequestToken": token})).expect("accepted");
    assert_eq!((again["VersionId"].as_str(), twin.current(&arn)), (Some(token), after), "the same token rotates once");
    twin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_rotation_leaves_the_current_version_and_the_password() {
    let twin = Twin::start().await;
    let (arn, before) = twin.database_secret();
    let mut held = Vec::new();
    let full = loop {
        match login(&before).await {
            Ok(session) => held.push(session),
            Err(error) => break sqlstate(&error),
        }
    };
    // Three of twenty sessions are the master's, and the metrics may be looking with one more just now.
    assert_eq!(full.as_deref(), Some("53300"));
    assert!((16..=17).contains(&held.len()), "{}", held.len());

    let rotated =
        twin.secrets("RotateSecret", json!({"SecretId": arn})).expect("accepted, as AWS accepts before it rotates");
    assert_eq!(twin.current(&arn), before, "AWSCURRENT did not move");
    let pending = json!({"SecretId": arn, "VersionStage": "AWSPENDING"});
    let pending = twin.secrets("GetSecretValue", pending).expect("the new version is left pending");
    assert_eq!(pending["VersionId"], rotated["VersionId"]);
    drop(held);
    fixture::until("a session is free", async || login(&before).await.map(drop)).await;

    let again = twin.secrets("RotateSecret", json!({"SecretId": arn})).expect_err("one rotation is not complete");
    assert!(again.contains("InvalidRequestException") && again.contains("reattempted"), "{again}");
    assert_eq!(
        twin.current(&arn)["password"],
        serde_json::from_str::<Value>(pending["SecretString"].as_str().expect("text")).expect("JSON")["password"]
    );
    login(&twin.current(&arn)).await.expect("the rotation that was tried again is done");

    let plain = twin.secrets("CreateSecret", json!({"Name": "plain", "SecretString": "text"})).expect("created");
    let refused = twin.secrets("RotateSecret", json!({"SecretId": plain["ARN"]})).expect_err("nothing can rotate it");
    assert!(refused.contains("InvalidRequestException") && refused.contains("rotation function"), "{refused}");
    twin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rds_describes_stops_and_starts_the_real_server() {
    let twin = Twin::start().await;
    let (_, credentials) = twin.database_secret();
    let described = twin.rds("DescribeDBInstances", "");
    for part in ["<DBInstanceStatus>available<", "<Engine>postgres<", &format!("<Port>{}<", credentials["port"])] {
        assert!(described.1.contains(part), "{part} is not in {}", described.1);
    }
    assert_eq!(twin.rds("DescribeDBInstances", "&DBInstanceIdentifier=missing").0, 404);
    assert_eq!(twin.rds("StartDBInstance", "&DBInstanceIdentifier=golden-db").0, 400, "it is not stopped");
    assert_eq!(twin.rds("StopDBInstance", "&DBInstanceIdentifier=golden-db").0, 200);
    let status = async |wanted: &str| {
        let now = twin.rds("DescribeDBInstances", "").1;
        if now.contains(&format!("<DBInstanceStatus>{wanted}<")) { Ok(()) } else { Err(now) }
    };
    fixture::until("it is stopped", async || status("stopped").await).await;
    login(&credentials).await.expect_err("a stopped server takes no log-in");
    assert_eq!(twin.rds("StartDBInstance", "&DBInstanceIdentifier=golden-db").0, 200);
    fixture::until("it is available", async || status("available").await).await;
    login(&credentials).await.expect("the data is still there");

    fixture::kill_9(twin.child("postgres"));
    fixture::until("the crash is noticed", async || status("failed").await).await;
    fixture::until("it recovers by itself", async || status("available").await).await;
    login(&credentials).await.expect("the data is still there");
    let events = twin.rds("DescribeEvents", "").1;
    assert!(
        events.contains("ended unexpectedly") && events.contains("Recovery of the DB instance is complete"),
        "{events}"
    );
    twin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_is_closed_to_web_pages_and_unknown_actions_are_refused_by_name() {
    let twin = Twin::start().await;
    let get = |headers: &[(&str, &str)]| twin.send("GET", "/", headers, "");
    assert_eq!(get(&[("origin", "http://localhost")]).0, 403);
    assert_eq!(get(&[("host", "example.com")]).0, 403);
    let unsigned = get(&[]);
    assert!(unsigned.0 == 403 && unsigned.1.contains("MissingAuthenticationToken"), "{unsigned:?}");

    let json = twin.send("POST", "/", &[("x-amz-target", "DynamoDB_20120810.ListTables")], "{}");
    assert!(
        json.0 == 501 && json.1.contains(r#""__type":"NotImplemented""#) && json.1.contains("ListTables"),
        "{json:?}"
    );
    let xml = twin.rds("CreateDBInstance", "");
    assert!(
        xml.0 == 501 && xml.1.contains("<Code>NotImplemented</Code>") && xml.1.contains("rds:CreateDBInstance"),
        "{xml:?}"
    );
    let scope =
        "AWS4-HMAC-SHA256 Credential=lab/20261120/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0";
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricStream";
    let cbor = twin.send("POST", path, &[("authorization", scope), ("smithy-protocol", "rpc-v2-cbor")], "");
    assert!(cbor.0 == 501 && cbor.1.contains("monitoring:PutMetricStream"), "{cbor:?}");
    let health = twin.send("GET", "/_twin/health", &[], "");
    assert!(health.0 == 200 && health.1.contains(r#""database":"available""#), "{health:?}");
    twin.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_directory_and_the_port_have_one_owner_and_the_end_leaves_nothing() {
    let twin = Twin::start().await;
    let second = twin.second(0).await.expect_err("the state directory is taken");
    assert!(second.to_string().contains(&std::process::id().to_string()), "{second}");
    assert_eq!(second.exit_code(), 2);
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let taken = twin.second_in(elsewhere.path(), twin.port()).await.expect_err("the port is taken");
    assert!(taken.to_string().contains(&twin.port().to_string()) && taken.to_string().contains("--port"), "{taken}");
    assert!(!elsewhere.path().join("postgres.log").exists(), "nothing was started");

    let (credentials, child) = (twin.app_secret(), twin.child("postgres"));
    let state = twin.end().await;
    login(&credentials).await.expect_err("the server has ended");
    assert!(!fixture::runs(child));
    for gone in ["twin.json", "db-app-secret.json", "postgres"] {
        assert!(!state.path().join(gone).exists(), "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cut_short_is_refused_in_its_protocol() {
    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=lab/20261120/us-west-2/xray/aws4_request";
    let twin = Twin::start().await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (method, path, header, body) in [
        ("POST", "/", ("x-amz-target", "AmazonSSM.PutParameter"), "\"__type\":\"RequestAbortedException\""),
        ("POST", "/", form, "<Code>RequestAbortedException</Code>"),
        ("POST", "/TraceSegments", ("authorization", SIGNED), "\"__type\":\"RequestAbortedException\""),
        ("PUT", "/bucket/key", ("x-any", "1"), "<Code>IncompleteBody</Code>"),
        (
            "POST",
            "/v1/traces",
            ("content-type", "application/json"),
            "{\"code\":3,\"message\":\"the body is cut short\"}",
        ),
        ("POST", "/v1/traces", ("content-type", "application/x-protobuf"), "content-type: application/x-protobuf"),
    ] {
        let answer = twin.send_cut(method, path, &[header]);
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains(body), "{method} {path} {header:?}: {answer}");
    }
    twin.end().await;
}
