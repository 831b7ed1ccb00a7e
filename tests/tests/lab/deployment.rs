//! Deployments: a good one drops nothing under load, a bad image rolls back by itself, and reset heals one that cannot.

use std::time::Duration;

use load::{Profile, Target};
use serde_json::json;
use tests::{Lab, until};

/// Registers a copy of the service's task definition with another image tag and returns its ARN.
fn with_image_tag(lab: &Lab, tag: &str) -> String {
    lab.revision(|container| {
        let image = container["image"].as_str().expect("a container has an image");
        let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
        container["image"] = format!("{repository}:{tag}").into();
    })
}

#[test]
fn a_deployment_under_load_drops_no_request() {
    let lab = Lab::up();
    let url = lab.name("ALB_URL").to_owned();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let profile = Profile::new(&url, 100.0)
        .target(Target::get("/"))
        .target(Target::get("/db"))
        .target(Target::get("/work?ms=2"))
        .lasting(Duration::from_secs(25));
    let running = runtime.spawn(load::run(profile));
    lab.redeploy();
    lab.until_deployed();
    let summary = runtime.block_on(running).expect("the load ends by itself").expect("a good profile");
    assert!(summary.finished >= 2_000, "{summary:?}");
    assert_eq!((summary.failed, summary.shed), (0, 0), "a deployment drops nothing: {summary:?}");
}

#[test]
fn a_bad_image_rolls_back_by_the_circuit_breaker() {
    let lab = Lab::up();
    let good = lab.service()["taskDefinition"].clone();
    let bad = with_image_tag(&lab, "no-such-tag");
    lab.deploy(&["--task-definition", &bad]);
    let stopped = until("a task could not be started", 60, || {
        let stopped = lab.tasks("STOPPED");
        let failed = stopped.iter().find(|task| task["stopCode"] == "TaskFailedToStart");
        failed.cloned().ok_or_else(|| format!("{stopped:?}"))
    });
    assert!(
        stopped["stoppedReason"].as_str().is_some_and(|reason| reason.starts_with("CannotPullContainerError")),
        "{stopped}"
    );
    assert_eq!(lab.get("/").status, 200, "the old tasks serve on");
    until("the deployments say what failed and where it goes back to", 60, || {
        let deployments = lab.service()["deployments"].clone();
        let reasons: Vec<&str> =
            deployments.as_array().into_iter().flatten().filter_map(|it| it["rolloutStateReason"].as_str()).collect();
        let wanted =
            ["circuit breaker: rolling back to deploymentId ecs-svc/", "circuit breaker: tasks failed to start."];
        let all = wanted.iter().all(|wanted| reasons.iter().any(|reason| reason.contains(wanted)));
        if all { Ok(()) } else { Err(format!("{reasons:?}")) }
    });
    until("the circuit breaker has rolled back", 90, || {
        let service = lab.service();
        let settled =
            service["taskDefinition"] == good && service["deployments"].as_array().is_some_and(|list| list.len() == 1);
        if settled { Ok(()) } else { Err(json!([service["taskDefinition"], service["deployments"]])) }
    });
    lab.reset();
}

#[test]
fn reset_heals_a_bad_image_that_nothing_rolls_back() {
    let lab = Lab::up();
    let good = lab.service()["taskDefinition"].clone();
    lab.deploy(&["--deployment-configuration", "deploymentCircuitBreaker={enable=false,rollback=false}"]);
    let bad = with_image_tag(&lab, "no-such-tag");
    lab.deploy(&["--task-definition", &bad, "--desired-count", "1"]);
    until("the events say that the image cannot be pulled, or tasks fail to start", 30, || {
        let stopped = lab.tasks("STOPPED");
        if stopped.iter().any(|task| task["stopCode"] == "TaskFailedToStart") {
            Ok(())
        } else {
            Err(format!("{stopped:?}"))
        }
    });
    lab.reset();
    let service = lab.service();
    assert_eq!(service["taskDefinition"], good);
    assert_eq!(service["desiredCount"], 2);
}
