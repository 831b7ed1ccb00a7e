//! Health checks: states, reasons, and what they do to routing.

use std::{sync::atomic::Ordering, time::Duration};

use twin_platform::seam::Targets;

use crate::support::{Backend, HOST, Lab, eventually, forward, free_port, get, scripted};

#[tokio::test]
async fn a_failing_target_leaves_with_its_reason_and_comes_back() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let (a, b) = (Backend::named("a").await, Backend::named("b").await);
    lab.registered(&group, &[&a, &b]).await;
    a.health.store(500, Ordering::SeqCst);
    let failing = "unhealthy Target.ResponseCodeMismatch Health checks failed with these codes: [500]";
    lab.until_health(&group, &[failing, "healthy"]).await;
    for _ in 0..10 {
        assert_eq!(get(port, "/").await.2, "b");
    }
    a.health.store(200, Ordering::SeqCst);
    lab.until_health(&group, &["healthy", "healthy"]).await;
    let answers: Vec<String> = [get(port, "/").await.2, get(port, "/").await.2].into();
    assert_ne!(answers[0], answers[1], "both are in rotation again");
}

#[tokio::test]
async fn when_every_target_is_unhealthy_all_get_requests() {
    let lab = Lab::new();
    let (group, port) = lab.forwarding().await;
    let (a, b) = (Backend::named("a").await, Backend::named("b").await);
    lab.registered(&group, &[&a, &b]).await;
    for backend in [&a, &b] {
        backend.health.store(503, Ordering::SeqCst);
    }
    let failing = "unhealthy Target.ResponseCodeMismatch Health checks failed with these codes: [503]";
    lab.until_health(&group, &[failing, failing]).await;
    let answers: Vec<(u16, String)> =
        [get(port, "/").await, get(port, "/").await].map(|(status, _, body)| (status, body)).into();
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_ne!(answers[0].1, answers[1].1, "and they take turns");
}

#[tokio::test]
async fn changed_settings_act_at_once() {
    let lab = Lab::new();
    let slow = [
        ("Name", "slow"),
        ("Port", "80"),
        ("TargetType", "ip"),
        ("HealthCheckIntervalSeconds", "300"),
        ("HealthCheckPath", "/healthz"),
    ];
    let group = lab.ok("CreateTargetGroup", &slow).await.text("TargetGroupArn");
    let balancer = lab.balancer("slow").await;
    lab.listener(&balancer, &forward(&group)).await;
    let backend = Backend::named("a").await;
    lab.registered(&group, &[&backend]).await;
    // The next check is 3 s away at speed 100; with the new settings it is made now and every 50 ms.
    let began = std::time::Instant::now();
    let new = [
        ("TargetGroupArn", group.as_str()),
        ("HealthCheckIntervalSeconds", "5"),
        ("HealthCheckTimeoutSeconds", "2"),
        ("Matcher.HttpCode", "201-299"),
    ];
    lab.ok("ModifyTargetGroup", &new).await;
    lab.until_health(&group, &["unhealthy Target.ResponseCodeMismatch Health checks failed with these codes: [200]"])
        .await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_target_that_does_not_answer_its_check_times_out() {
    let lab = Lab::new();
    let group = lab.group("hanging").await;
    let balancer = lab.balancer("hanging").await;
    lab.listener(&balancer, &forward(&group)).await;
    lab.ok("ModifyTargetGroup", &[("TargetGroupArn", &group), ("HealthCheckPath", "/hang")]).await;
    let target = scripted(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    lab.register(&group, target).await;
    lab.until_health(&group, &["unhealthy Target.Timeout Request timed out"]).await;
}

#[tokio::test]
async fn a_group_without_a_listener_is_unused_and_not_checked() {
    let lab = Lab::new();
    let group = lab.group("idle").await;
    let backend = Backend::named("a").await;
    lab.register(&group, backend.address).await;
    let unused = "unused Target.NotInUse Target group is not configured to receive traffic from the load balancer";
    assert_eq!(lab.health(&group).await, [unused]);
    let balancer = lab.balancer("later").await;
    let (listener, port) = lab.listener(&balancer, &forward(&group)).await;
    lab.until_health(&group, &["healthy"]).await;
    assert_eq!(get(port, "/").await.2, "a");
    lab.ok("DeleteListener", &[("ListenerArn", &listener)]).await;
    assert_eq!(lab.health(&group).await, [unused]);
    let stranger =
        [("TargetGroupArn", group.as_str()), ("Targets.member.1.Id", "127.0.0.9"), ("Targets.member.1.Port", "9")];
    let reply = lab.ok("DescribeTargetHealth", &stranger).await;
    assert_eq!((reply.text("State"), reply.text("Reason")), ("unused".into(), "Target.NotRegistered".into()));
}

#[tokio::test]
async fn the_seam_for_tasks_registers_and_tells_health() {
    let lab = Lab::new();
    let (group, _) = lab.forwarding().await;
    let backend = Backend::named("task").await;
    let port = backend.address.port();
    assert!(lab.elbv2.exists(&group).await);
    assert!(!lab.elbv2.exists("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0").await);
    lab.elbv2.register(&group, HOST, port).await.expect("registered");
    eventually("healthy", || async {
        let health = lab.elbv2.health(&group, HOST, port).await;
        health.as_ref().filter(|health| health.state == "healthy").map(|_| ()).ok_or(format!("{health:?}"))
    })
    .await;
    lab.elbv2.deregister(&group, HOST, port).await.expect("deregistered");
    eventually("gone", || async {
        lab.elbv2.health(&group, HOST, port).await.map_or(Ok(()), |left| Err(format!("{left:?}")))
    })
    .await;
    let error = lab.elbv2.register("arn:nothing", HOST, free_port()).await.expect_err("no such group");
    assert_eq!(error.code, "TargetGroupNotFound");
    let error = lab.elbv2.register(&group, [192, 0, 2, 1].into(), 80).await.expect_err("loopback only");
    assert_eq!(error.code, "InvalidTarget");
}
