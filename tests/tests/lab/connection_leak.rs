//! Leaked sessions are real: PostgreSQL counts them and then refuses the next.

use tests::{Lab, Session, until};

#[test]
fn leaked_sessions_fill_the_database_until_the_mode_is_left() {
    let lab = Lab::up();
    let mut session = Session::open(&lab.secret()).expect("the test's own session, opened before the database is full");
    assert_eq!(session.count("golden-leak"), 0);
    let version = lab.set_mode("connection_leak");
    lab.until_applied(version);
    for _ in 0..3 {
        lab.get("/db");
    }
    assert_eq!(session.count("golden-leak"), 3, "one session for each call, seen by SQL");

    until("the database takes no more log-ins", 30, || match lab.get("/db") {
        reply if reply.status == 503 => Ok(()),
        reply => Err(format!("{} with {} leaked", reply.status, session.count("golden-leak"))),
    });
    until("the log names 53300", 10, || {
        let lines = lab.log_messages(r#"{ $.errorType = "DatabaseConnectionsExhausted" }"#);
        if lines.is_empty() || lab.log_messages("53300").is_empty() { Err("no such line") } else { Ok(()) }
    });
    assert!(session.count("golden-leak") > 3);

    lab.reset();
    assert_eq!(session.count("golden-leak"), 0, "leaving the mode closes what it held");
    assert_eq!(lab.get("/db").status, 200);
}
