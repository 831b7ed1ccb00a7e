//! PostgreSQL is killed, or refuses the password of the secret.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tests::{Lab, until};

fn instance_status(lab: &Lab) -> Value {
    lab.aws(&["rds", "describe-db-instances"])["DBInstances"][0]["DBInstanceStatus"].clone()
}

#[test]
fn a_killed_database_is_started_again_and_has_lost_nothing() {
    let lab = Lab::up();
    let before = lab.get("/db").json()["visits"].as_i64().expect("/db counts its visits");
    let children = lab.children();
    let postgres = children.iter().find(|(name, _)| name.contains("postgres"));
    let (_, pid) = postgres.unwrap_or_else(|| panic!("no postgres among {children:?}"));
    kill(Pid::from_raw(*pid), Signal::SIGKILL).expect("the postmaster runs");

    let away = until("/db is refused", 5, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(reply),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    assert_eq!(away.json()["error"]["code"], "DatabaseConnectionLost", "{}", away.body);
    assert!(away.header("retry-after").is_some(), "{away:?}");
    assert_eq!(instance_status(&lab), "failed");
    for path in ["/", "/healthz"] {
        assert_eq!(lab.get(path).status, 200, "{path} while the database is away");
    }

    let back = until("/db is back by itself", 30, || match lab.get("/db") {
        reply if reply.status == 200 => Ok(reply.json()),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    assert!(back["visits"].as_i64() > Some(before), "committed visits are still there: {before}, then {back}");
    assert_eq!(instance_status(&lab), "available");
    let events = lab.aws(&["rds", "describe-events", "--duration", "60"]);
    assert!(events.to_string().contains("Recovery of the DB instance is complete"), "{events}");
    lab.reset();
}

#[test]
fn a_wrong_password_in_the_secret_is_named_and_reset_mends_it() {
    let lab = Lab::up();
    let mut wrong = lab.secret();
    wrong.password = "not-the-password".into();
    lab.put_secret(&serde_json::to_string(&wrong).expect("a secret is JSON"));
    lab.redeploy();
    lab.until_deployed();
    let refused = until("/db is refused", 10, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(reply),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    assert_eq!(refused.json()["error"]["code"], "DatabaseAuthenticationFailed", "{}", refused.body);
    until("the log names the refused log-in", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "DatabaseAuthenticationFailed" }"#);
        if lines.iter().any(|line| line.contains("28P01")) { Ok(()) } else { Err(format!("{lines:?}")) }
    });
    assert_eq!(lab.get("/").status, 200, "only the database route suffers");

    lab.reset();
    assert_eq!(lab.get("/db").status, 200);
    tests::Session::open(&lab.secret()).expect("the secret logs in again");
    let told: Vec<_> = lab.log_messages("").into_iter().filter(|line| line.contains(&wrong.password)).collect();
    assert!(told.is_empty(), "a password is in the log: {told:?}");
}
