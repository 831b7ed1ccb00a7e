//! To turn off what is broken is no recovery.

use tests::{Lab, text, until};

use super::{SPEED, last, start, until_broken};

#[test]
fn neither_to_want_no_tasks_nor_to_take_the_firewall_away_is_a_recovery() {
    let lab = Lab::up_with(&SPEED);
    let mut run = start(&lab, &["unhealthy-targets", "--for", "15s"]);
    until_broken(&lab);
    lab.aws(&["ecs", "update-service", "--cluster", "golden", "--service", "golden", "--desired-count", "0"]);
    assert_eq!(run.wait().expect("its time is over").code(), Some(1));
    let reason = last(&lab)["reason"].to_string();
    assert!(reason.contains("the service wants 0 tasks, not 2"), "{reason}");

    let mut run = start(&lab, &["waf-false-positive", "--for", "15s"]);
    until_broken(&lab);
    let balancer = lab.aws(&["elbv2", "describe-load-balancers", "--query", "LoadBalancers[0].LoadBalancerArn"]);
    lab.aws(&["wafv2", "disassociate-web-acl", "--resource-arn", balancer.as_str().expect("an ARN")]);
    until("customers are served again", 10, || match lab.get("/").status {
        200 => Ok(()),
        status => Err(status),
    });
    assert_eq!(run.wait().expect("its time is over").code(), Some(1));
    let reason = last(&lab)["reason"].to_string();
    assert!(reason.contains("no web ACL stands in front of the balancer"), "{reason}");
    let dry = lab.breakfix(&["reset", "--dry-run"]);
    assert!(dry.status.success(), "both are put back: {}", text(&dry.stdout));
}
