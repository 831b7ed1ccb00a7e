//! Leaving a mode early lets go of the requests that it holds: nobody waits for the fault's own time.

use std::time::{Duration, Instant};

use tests::{Lab, Session, until};

/// How long the fault would hold a request.
const HELD: Duration = Duration::from_secs(12);
/// Requests that it holds at the same time.
const CALLERS: i64 = 4;

/// Calls `/db` under a mode, leaves the mode, and wants every caller answered at once.
fn leave_while_held(lab: &Lab, watcher: &mut Session, value: &str) {
    lab.until_applied(lab.set_mode(value));
    let (left, answers) = std::thread::scope(|scope| {
        let call = || {
            let reply = lab.get("/db");
            (Instant::now(), reply)
        };
        let calls: Vec<_> = (0..CALLERS).map(|_| scope.spawn(call)).collect();
        until("every caller is held in the database", 5, || match watcher.count_active("golden") {
            CALLERS => Ok(()),
            held => Err(format!("{held} of {CALLERS}")),
        });
        lab.set_mode("none");
        let left = Instant::now();
        let answers: Vec<_> = calls.into_iter().map(|call| call.join().expect("a caller ends")).collect();
        (left, answers)
    });
    for (at, reply) in answers {
        let after = at.saturating_duration_since(left);
        assert!(after < Duration::from_secs(3), "{value}: answered {after:?} after the mode was left");
        assert_eq!(reply.status, 200, "{value}: {}", reply.body);
    }
    until("nothing of the fault goes on in the database", 3, || match watcher.count_active("golden") {
        0 => Ok(()),
        held => Err(format!("{held} statements")),
    });
}

#[test]
fn a_slow_query_and_a_held_lock_end_when_the_mode_is_left() {
    let lab = Lab::up();
    let mut watcher = Session::open(&lab.secret()).expect("the test's own session");
    let ms = HELD.as_millis();
    leave_while_held(&lab, &mut watcher, &format!(r#"{{"mode":"slow_query","ms":{ms}}}"#));
    leave_while_held(&lab, &mut watcher, &format!(r#"{{"mode":"lock_contention","hold_ms":{ms}}}"#));
}
