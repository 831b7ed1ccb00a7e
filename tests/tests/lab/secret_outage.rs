//! Secrets Manager denies the secret, or is out of reach: new tasks say so on `/db`, and heal by themselves.

use contract::names::resource;
use tests::{Lab, Reply, until};

/// Waits until this many calls of `/db` in a row have this status, so that each task was asked; answers the last reply.
fn until_every_db(lab: &Lab, status: u16) -> Reply {
    until(&format!("/db answers {status} from every task"), 30, || {
        let replies: Vec<_> = (0..6).map(|_| lab.get("/db")).collect();
        match replies.iter().find(|reply| reply.status != status) {
            Some(other) => Err(format!("{} {}", other.status, other.body)),
            None => replies.into_iter().next_back().ok_or_else(|| "no reply".to_owned()),
        }
    })
}

#[test]
fn a_secret_that_cannot_be_read_is_named_and_heals_by_itself() {
    let lab = Lab::up();
    until_every_db(&lab, 200);

    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"secretsmanager:*","Resource":"*"}}"#;
    let of_drill = ["--role-name", resource::TASK_ROLE, "--policy-name", "drill"];
    lab.aws(&[&["iam", "put-role-policy"], of_drill.as_slice(), &["--policy-document", deny]].concat());
    until_every_db(&lab, 200);
    // Only what has no credentials yet must have them.
    lab.redeploy();
    lab.until_deployed();
    let denied = until_every_db(&lab, 503);
    assert_eq!(denied.json()["error"]["code"], "SecretUnavailable", "{}", denied.body);
    assert!(denied.header("retry-after").is_some(), "{denied:?}");
    assert!(!denied.body.contains("authorized"), "the caller learns no detail: {}", denied.body);
    for path in ["/", "/healthz"] {
        assert_eq!(lab.get(path).status, 200, "{path}");
    }
    let request = denied.header("x-request-id").expect("every reply has its id").to_owned();
    let lines = until("the request is in the log", 10, || {
        let lines = lab.log_messages(&format!(r#"{{ $.requestId = "{request}" }}"#));
        if lines.is_empty() { Err("no such line") } else { Ok(lines) }
    });
    assert_eq!(lines.len(), 1, "one line, with the detail in it: {lines:?}");
    assert!(lines[0].contains(r#""errorType":"SecretUnavailable""#), "{lines:?}");
    assert_eq!(lines[0].matches("AccessDeniedException").count(), 1, "{lines:?}");

    lab.outage(&["secretsmanager", "--refuse", "--for", "5m", "--tasks-only"]);
    lab.aws(&[&["iam", "delete-role-policy"], of_drill.as_slice()].concat());
    until("the log says that nothing was answered", 20, || {
        assert_eq!(lab.get("/db").status, 503);
        let lines = lab.log_messages(r#"{ $.errorType = "SecretUnavailable" }"#);
        let last = lines.last().cloned().unwrap_or_default();
        if last.contains("connection closed") { Ok(()) } else { Err(last) }
    });

    lab.outage(&["secretsmanager", "--end"]);
    until_every_db(&lab, 200);
    let password = lab.secret().password;
    let secrets: Vec<_> = lab.log_messages("").into_iter().filter(|line| line.contains(&password)).collect();
    assert!(secrets.is_empty(), "a password is in the log: {secrets:?}");
}
