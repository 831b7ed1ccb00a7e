//! Secrets Manager denies the secret, or is out of reach: new tasks say so on `/db`, and heal by themselves.

use tests::{Lab, Outage, Reply, until};

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
    let outage = Outage::before(lab.name("AWS_ENDPOINT_URL"));
    let revision = lab.revision_with(&[("AWS_ENDPOINT_URL_SECRETS_MANAGER", &outage.url())]);
    lab.deploy(&["--task-definition", &revision]);
    lab.until_deployed();
    until_every_db(&lab, 200);

    outage.answer("AccessDeniedException", "User is not authorized to perform: secretsmanager:GetSecretValue");
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

    outage.close();
    until("the log says that the connection is refused", 20, || {
        assert_eq!(lab.get("/db").status, 503);
        let lines = lab.log_messages(r#"{ $.errorType = "SecretUnavailable" }"#);
        let last = lines.last().cloned().unwrap_or_default();
        if last.to_lowercase().contains("refused") { Ok(()) } else { Err(last) }
    });

    outage.open();
    until_every_db(&lab, 200);
    let password = lab.secret().password;
    let secrets: Vec<_> = lab.log_messages("").into_iter().filter(|line| line.contains(&password)).collect();
    assert!(secrets.is_empty(), "a password is in the log: {secrets:?}");
}
