//! `DB_CREDENTIALS=env`, the anti-pattern: a rotation breaks what has its password from the task definition, and only another
//! revision heals it.

use tests::{Lab, until};

fn until_db(lab: &Lab, status: u16) {
    until(&format!("/db answers {status} from every task"), 40, || {
        let replies: Vec<_> = (0..6).map(|_| lab.get("/db")).collect();
        match replies.iter().find(|reply| reply.status != status) {
            Some(other) => Err(format!("{} {}", other.status, other.body)),
            None => Ok(()),
        }
    });
}

#[test]
fn a_rotation_breaks_fixed_credentials_and_only_another_revision_heals() {
    let lab = Lab::up();
    let first = lab.service()["taskDefinition"].clone();
    let first = first.as_str().expect("the service has a task definition");
    let secret = lab.secret();
    let fixed = lab.revision_with(&[
        ("DB_CREDENTIALS", "env"),
        ("DB_USERNAME", &secret.username),
        ("DB_PASSWORD", &secret.password),
        // Open sessions outlive a changed password; shorter ones show it sooner.
        ("DB_SESSION_MAX_LIFETIME_MS", "2000"),
    ]);
    lab.deploy(&["--task-definition", &fixed]);
    lab.until_deployed();
    until_db(&lab, 200);

    lab.rotate_secret();
    until_db(&lab, 503);
    until("the log names the refused log-in", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "DatabaseAuthenticationFailed" }"#);
        if lines.iter().any(|line| line.contains("28P01")) { Ok(()) } else { Err(format!("{lines:?}")) }
    });
    assert_eq!(lab.get("/").status, 200, "only the database route suffers");

    lab.redeploy();
    lab.until_deployed();
    let still: Vec<u16> = (0..6).map(|_| lab.get("/db").status).collect();
    assert_eq!(still, [503; 6], "new tasks of the same revision have the old password");

    lab.deploy(&["--task-definition", first]);
    lab.until_deployed();
    until_db(&lab, 200);
    let told: Vec<_> = lab.log_messages("").into_iter().filter(|line| line.contains(&secret.password)).collect();
    assert!(told.is_empty(), "a password is in the log: {told:?}");
}
