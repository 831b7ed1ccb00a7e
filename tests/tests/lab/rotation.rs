//! Rotation with credentials that nobody reads again: 28P01 in the log, and a redeployment heals.

use tests::{Lab, until};

#[test]
fn stale_credentials_break_at_rotation_and_a_redeployment_heals() {
    let lab = Lab::up();
    let version = lab.set_mode("stale_credentials");
    lab.until_applied(version);
    assert_eq!(lab.get("/db").status, 200, "the credentials read at start are still good");

    let before = lab.secret();
    lab.rotate_secret();
    let after = lab.secret();
    assert_ne!(before.password, after.password);
    assert!(tests::Session::open(&before).is_err(), "the old password really is refused");
    tests::Session::open(&after).expect("the new password really logs in");

    until("/db fails", 15, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(()),
        reply => Err(format!("{} {}", reply.status, reply.body)),
    });
    until("the log names the refused log-in", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "DatabaseAuthenticationFailed" }"#);
        if lines.is_empty() { Err("no such line") } else { Ok(()) }
    });
    assert!(!lab.log_messages("28P01").is_empty(), "the detail with its SQLSTATE is logged");
    assert_eq!(lab.get("/").status, 200, "only the database route suffers");

    lab.redeploy();
    lab.until_deployed();
    let healed = lab.get("/db");
    assert_eq!(healed.status, 200, "new tasks read the new credentials at start: {}", healed.body);
    let secrets: Vec<String> = lab.log_messages("").into_iter().filter(|line| line.contains(&after.password)).collect();
    assert!(secrets.is_empty(), "a password is in the log: {secrets:?}");
}
