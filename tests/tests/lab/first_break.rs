//! The first break and fix of the README: `return_500`, seen by the balancer, ECS and the caller, then reset and verified.

use serde_json::Value;
use tests::{Lab, until};

#[test]
fn return_500_is_seen_everywhere_and_reset_heals_it() {
    let lab = Lab::up();
    assert_eq!(lab.get("/").status, 200);
    let version = lab.set_mode("return_500");
    lab.until_applied(version);

    assert_eq!(lab.get("/").status, 500, "an ALB passes a target's 500 on");
    let reason = until("a target is unhealthy for its 500s", 30, || {
        let targets = lab.target_health();
        match targets.iter().find(|target| target["State"] == "unhealthy") {
            Some(target) => Ok(target.clone()),
            None => Err(format!("{targets:?}")),
        }
    });
    assert_eq!(reason["Reason"], "Target.ResponseCodeMismatch");
    assert_eq!(reason["Description"], "Health checks failed with these codes: [500]");
    until("the service's events name the unhealthy target", 30, || {
        let events = lab.events();
        match events
            .iter()
            .any(|event| event.contains("unhealthy") && event.contains("Health checks failed with these codes: [500]"))
        {
            true => Ok(()),
            false => Err(format!("{events:#?}")),
        }
    });
    assert_eq!(lab.get("/work?ms=1").status, 500, "with no healthy target the balancer fails open and the fault shows");

    lab.reset();
    let targets = lab.target_health();
    let healthy = targets.iter().filter(|target| target["State"] == "healthy").count();
    assert!(healthy >= 2, "after a verified reset both targets are healthy: {targets:?}");
    for path in ["/", "/healthz", "/db", "/work?ms=1"] {
        assert_eq!(lab.get(path).status, 200, "{path}");
    }
    let parameter = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")]);
    assert_eq!(parameter["Parameter"]["Value"], Value::from("none"));
}
