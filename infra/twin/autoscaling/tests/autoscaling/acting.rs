//! From metrics over alarms and policies to the desired count.

use serde_json::json;

use crate::support::Lab;

#[tokio::test]
async fn three_minutes_above_the_target_scale_out_in_proportion() {
    let lab = Lab::new().await;
    lab.track("load", "load", json!({})).await;
    lab.was("load", 2, 120.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 2, "two minutes are not three");
    let lab = Lab::new().await;
    lab.track("load", "load", json!({})).await;
    lab.was("load", 3, 120.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 4);
    let begun = lab.activities().await.swap_remove(0);
    assert_eq!(begun["StatusCode"], "InProgress", "{begun}");
    assert!(lab.scaling.follow().await, "two of four tasks run");
    lab.ecs.with(|counts| counts.1 = 4);
    assert!(!lab.scaling.follow().await);
    let ended = lab.activities().await.swap_remove(0);
    let message = "Successfully set desired count to 4. Change successfully fulfilled by ecs.";
    assert_eq!((&ended["StatusCode"], &ended["StatusMessage"]), (&json!("Successful"), &json!(message)));
}

#[tokio::test]
async fn fifteen_minutes_below_scale_in_by_one() {
    let lab = Lab::new().await;
    lab.ecs.with(|counts| (counts.0, counts.1) = (5, 5));
    lab.track("load", "load", json!({})).await;
    lab.was("load", 15, 10.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 4);
    let cause = lab.activities().await[0]["Cause"].as_str().unwrap_or_default().to_owned();
    assert!(cause.contains("AlarmLow-") && cause.ends_with("in state ALARM triggered policy load"), "{cause}");
}

#[tokio::test]
async fn scale_in_waits_until_every_policy_is_ready() {
    let lab = Lab::new().await;
    lab.ecs.with(|counts| (counts.0, counts.1) = (5, 5));
    lab.track("load", "load", json!({})).await;
    lab.track("other", "other", json!({})).await;
    lab.was("load", 15, 10.0).await;
    lab.was("other", 15, 58.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 5, "58 of 60 is near the target");
    let lab = Lab::new().await;
    lab.ecs.with(|counts| (counts.0, counts.1) = (5, 5));
    lab.track("load", "load", json!({})).await;
    lab.track("other", "other", json!({ "DisableScaleIn": true })).await;
    lab.was("load", 15, 10.0).await;
    lab.was("other", 15, 58.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 4, "a policy that never scales in is not asked");
    assert_eq!(lab.alarms().await.len(), 3, "and has no alarm for it");
}

#[tokio::test]
async fn the_policy_that_wants_most_is_followed() {
    let lab = Lab::new().await;
    lab.track("a-little", "little", json!({})).await;
    lab.track("much", "much", json!({})).await;
    lab.was("little", 3, 70.0).await;
    lab.was("much", 3, 150.0).await;
    lab.evaluate().await;
    assert!(lab.desired() >= 5, "two tasks at 150 of 60 are five");
}

#[tokio::test]
async fn a_deployment_a_full_target_and_a_suspension_are_respected() {
    let lab = Lab::new().await;
    lab.ecs.with(|counts| *counts = (5, 5, true));
    lab.track("load", "load", json!({})).await;
    lab.was("load", 15, 10.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 5);
    assert_eq!(lab.newest_reason().await, json!({ "Code": "TargetServicePutResourceAsUnscalable" }));

    let lab = Lab::new().await;
    lab.ecs.with(|counts| *counts = (6, 6, false));
    lab.track("load", "load", json!({})).await;
    lab.was("load", 3, 120.0).await;
    lab.evaluate().await;
    assert_eq!(lab.newest_reason().await, json!({ "Code": "AlreadyAtMaxCapacity", "MaxCapacity": 6 }));
    let shown = lab.ok("DescribeScalingActivities", json!({})).await;
    assert_eq!(shown["ScalingActivities"], json!([]), "only where they are asked for");

    let lab = Lab::new().await;
    lab.ok("RegisterScalableTarget", json!({ "SuspendedState": { "DynamicScalingOutSuspended": true } })).await;
    lab.track("load", "load", json!({})).await;
    lab.was("load", 3, 120.0).await;
    lab.evaluate().await;
    assert_eq!((lab.desired(), lab.activities().await.len()), (2, 0));
}

#[tokio::test]
async fn a_cooldown_damps_an_alarm_that_goes_on() {
    let lab = Lab::new().await;
    lab.track("load", "load", json!({ "ScaleOutCooldown": 300 })).await;
    lab.was("load", 3, 90.0).await;
    lab.evaluate().await;
    assert_eq!(lab.desired(), 3);
    for later in 1..=4 {
        // The same again, as CPU burn has it in every new task.
        let datum = json!({ "MetricName": "load", "Timestamp": lab.minute - 60 + 60 * later, "Value": 90.0 });
        lab.ask_cloudwatch("PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] })).await;
        lab.cloudwatch.evaluate((lab.minute + 60 * later) * 1000 + 500);
        lab.cloudwatch.run_actions().await;
        assert_eq!(lab.desired(), 3, "what was added is part of what is wanted");
    }
}

#[tokio::test]
async fn bounds_that_move_take_the_count_along() {
    let lab = Lab::new().await;
    for (bounds, count, cause) in [
        (json!({ "MinCapacity": 3 }), 3, "minimum capacity was set to 3"),
        (json!({ "MinCapacity": 1, "MaxCapacity": 2 }), 2, "maximum capacity was set to 2"),
    ] {
        lab.ok("RegisterScalableTarget", bounds).await;
        assert_eq!((lab.desired(), &lab.activities().await[0]["Cause"]), (count, &json!(cause)));
    }
    assert_eq!(lab.activities().await[1]["StatusCode"], "Overridden");
}
