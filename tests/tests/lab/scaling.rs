//! Auto scaling as an on-call person sees it: the service grows under CPU burn, shrinks when it is over, and says why.

use std::path::Path;

use serde_json::Value;
use tests::{Lab, Traffic, until};

/// Periods of a minute pass in two seconds, and the cooldowns of 300 s in ten.
const SPEED: &str = "30";
const COOLDOWN_S: f64 = 10.0;

/// The lab's scalable target.
const TARGET: [&str; 6] = [
    "--service-namespace",
    "ecs",
    "--resource-id",
    "service/golden/golden",
    "--scalable-dimension",
    "ecs:service:DesiredCount",
];

fn desired(lab: &Lab) -> i64 {
    lab.service()["desiredCount"].as_i64().expect("a count")
}

/// What Application Auto Scaling did, newest first.
fn activities(lab: &Lab) -> Vec<Value> {
    let described = lab.aws(&[&["application-autoscaling", "describe-scaling-activities"], &TARGET[..]].concat());
    described["ScalingActivities"].as_array().cloned().unwrap_or_default()
}

fn until_desired(lab: &Lab, what: &str, wanted: impl Fn(i64) -> bool) {
    until(what, 90, || {
        let desired = desired(lab);
        if wanted(desired) { Ok(()) } else { Err(format!("{desired} tasks are desired: {:?}", activities(lab))) }
    });
}

/// Percent of their CPU that the tasks used in the last ten seconds.
fn cpu_percent(lab: &Lab) -> Option<f64> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let (start, end) = ((now - 10).to_string(), now.to_string());
    let of_service = ["--dimensions", "Name=ClusterName,Value=golden", "Name=ServiceName,Value=golden"];
    let what =
        ["--namespace", "AWS/ECS", "--metric-name", "CPUUtilization", "--statistics", "Average", "--period", "10"];
    let when = ["--start-time", &start, "--end-time", &end];
    let found = lab.aws(&[&["cloudwatch", "get-metric-statistics"], &what[..], &of_service[..], &when[..]].concat());
    found["Datapoints"].as_array()?.iter().filter_map(|point| point["Average"].as_f64()).reduce(f64::max)
}

/// On a machine that others keep busy, tasks do not get the CPU that they are given: there the policy tracks what they get.
fn track_what_the_machine_gives(lab: &Lab) {
    let burnt = until("the burn is measured", 60, || match cpu_percent(lab) {
        Some(percent) if percent > 20.0 => Ok(percent),
        percent => Err(format!("{percent:?}")),
    });
    let target = (burnt * 0.6).min(60.0);
    if target < 60.0 {
        let settings = format!(
            r#"{{"TargetValue":{target},"PredefinedMetricSpecification":{{"PredefinedMetricType":"ECSServiceAverageCPUUtilization"}}}}"#
        );
        let put = ["put-scaling-policy", "--policy-name", "golden-cpu", "--policy-type", "TargetTrackingScaling"];
        lab.aws(
            &[
                &["application-autoscaling"],
                &put[..],
                &TARGET[..],
                &["--target-tracking-scaling-policy-configuration", &settings],
            ]
            .concat(),
        );
    }
}

fn text<'a>(activity: &'a Value, member: &str) -> &'a str {
    activity[member].as_str().unwrap_or_default()
}

#[test]
fn cpu_burn_scales_out_and_its_end_scales_in() {
    let lab = Lab::up_with(&["--speed", SPEED]);
    let traffic = Traffic::start(lab.name("ALB_URL"), 20.0, &["/", "/work?ms=1"]);
    lab.until_applied(lab.set_mode(r#"{"mode":"cpu_burn","percent":100,"workers":4}"#));
    track_what_the_machine_gives(&lab);
    until_desired(&lab, "the service is scaled out", |desired| desired > 2);
    until("the tasks run", 30, || {
        let first = activities(&lab).pop().unwrap_or_default();
        if text(&first, "StatusCode") == "Successful" { Ok(()) } else { Err(first) }
    });
    let first = activities(&lab).pop().expect("an activity");
    let cause = text(&first, "Cause");
    assert!(cause.starts_with("monitor alarm TargetTracking-service/golden/golden-AlarmHigh-"), "{cause}");
    assert!(cause.ends_with(" in state ALARM triggered policy golden-cpu"), "{cause}");
    assert!(text(&first, "StatusMessage").ends_with("Change successfully fulfilled by ecs."), "{first}");

    // What is broken ends; Auto Scaling takes back by itself what it gave, one task at a time.
    lab.until_applied(lab.set_mode("none"));
    let most = desired(&lab);
    until_desired(&lab, "the service is scaled in", |desired| desired < most);
    let newest = activities(&lab).swap_remove(0);
    assert!(text(&newest, "Cause").contains("golden-AlarmLow-"), "{newest}");

    // Cooldowns: no activity that takes tasks away comes sooner after another one.
    let started: Vec<f64> = activities(&lab).iter().filter_map(|activity| activity["StartTime"].as_f64()).collect();
    assert!(started.len() < 2 || started[0] - started[1] >= COOLDOWN_S - 0.1, "{started:?}");

    // Broken anew: `reset` ends it at once and holds what it restored.
    lab.until_applied(lab.set_mode(r#"{"mode":"cpu_burn","percent":100,"workers":4}"#));
    until_desired(&lab, "the service is scaled out again", |desired| desired >= most);
    lab.reset();
    assert_eq!(desired(&lab), 2);
    let causes: Vec<String> = activities(&lab).iter().map(|activity| text(activity, "Cause").to_owned()).collect();
    assert_eq!(causes[0], "maximum capacity was set to 2", "{causes:?}");
    let summary = traffic.end();
    assert!(summary.finished > 0, "{summary:?}");
}

#[test]
fn boto3_drives_application_auto_scaling() {
    let lab = Lab::up();
    lab.python(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/boto3/application_autoscaling.py"));
    // Whatever was changed by hand, `reset` restores.
    let limits = ["--min-capacity", "1", "--max-capacity", "3", "--suspended-state", "DynamicScalingOutSuspended=true"];
    lab.aws(&[&["application-autoscaling", "register-scalable-target"], &TARGET[..], &limits[..]].concat());
    lab.reset();
    let target = lab.aws(&["application-autoscaling", "describe-scalable-targets", "--service-namespace", "ecs"]);
    let target = &target["ScalableTargets"][0];
    assert_eq!((&target["MinCapacity"], &target["MaxCapacity"]), (&2.into(), &4.into()), "{target}");
    assert_eq!(target["SuspendedState"]["DynamicScalingOutSuspended"], false, "{target}");
}
