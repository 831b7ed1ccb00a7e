//! What is kept, what is refused, and that nothing is left half-done.

use serde_json::{Value, json};

use crate::support::{ID, Lab};

#[tokio::test]
async fn target_tracking_makes_the_alarms_that_aws_makes_and_takes_them_along() {
    let lab = Lab::new().await;
    let label = "app/web/1a/targetgroup/web/2b";
    let metric = json!({ "PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label });
    let settings = json!({ "TargetValue": 1000.0, "PredefinedMetricSpecification": metric });
    let body = json!({
        "PolicyName": "requests", "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": settings,
    });
    let put = lab.ok("PutScalingPolicy", body.clone()).await;
    let arn = put["PolicyARN"].as_str().expect("an ARN");
    assert!(arn.contains(&format!(":resource/ecs/{ID}:policyName/requests")), "{arn}");
    let alarms = lab.alarms().await;
    let seen: Vec<(Value, Value, Value)> = alarms
        .iter()
        .map(|alarm| {
            (alarm["Statistic"].clone(), alarm["ComparisonOperator"].clone(), alarm["EvaluationPeriods"].clone())
        })
        .collect();
    let wanted = [("Sum", "GreaterThanThreshold", 3), ("Sum", "LessThanThreshold", 15)];
    let wanted = wanted.map(|(statistic, operator, periods)| (json!(statistic), json!(operator), json!(periods)));
    assert_eq!(seen, wanted);
    assert_eq!(alarms[0]["AlarmActions"], json!([arn]));
    assert!(
        alarms[0]["AlarmName"]
            .as_str()
            .is_some_and(|name| name.starts_with(&format!("TargetTracking-{ID}-AlarmHigh-")))
    );

    let again = lab.ok("PutScalingPolicy", body).await;
    assert_eq!(again, put, "an update keeps policy and alarms");
    assert_eq!(lab.ok("DescribeScalingPolicies", json!({})).await["ScalingPolicies"][0]["Alarms"], put["Alarms"]);
    lab.ok("DeregisterScalableTarget", json!({})).await;
    assert_eq!(lab.alarms().await.len(), 0);
    assert_eq!(
        lab.refused("DeleteScalingPolicy", json!({ "PolicyName": "requests" })).await.code,
        "ObjectNotFoundException"
    );
}

#[tokio::test]
async fn a_refused_policy_leaves_nothing() {
    let lab = Lab::new().await;
    let tracking = |changes: Value| {
        let metric = json!({ "PredefinedMetricType": "ECSServiceAverageCPUUtilization" });
        let mut settings = json!({ "TargetValue": 60.0, "PredefinedMetricSpecification": metric });
        for (member, value) in changes.as_object().expect("members") {
            settings[member] = value.clone();
        }
        json!({
            "PolicyName": "p", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": settings,
        })
    };
    let elsewhere = |member: &str, value: &str| {
        let mut body = tracking(json!({}));
        body[member] = json!(value);
        body
    };
    let metric = |kind: &str| tracking(json!({ "PredefinedMetricSpecification": { "PredefinedMetricType": kind } }));
    for (code, body) in [
        ("ObjectNotFoundException", elsewhere("ResourceId", "service/golden/other")),
        ("ValidationException", elsewhere("ResourceId", "golden/web")),
        ("ValidationException", elsewhere("ScalableDimension", "ecs:service:Memory")),
        ("ValidationException", elsewhere("ServiceNamespace", "ecs2")),
        ("NotImplemented", elsewhere("ServiceNamespace", "lambda")),
        ("NotImplemented", elsewhere("PolicyType", "PredictiveScaling")),
        ("ValidationException", elsewhere("PolicyType", "Guessing")),
        ("ValidationException", elsewhere("PolicyName", "")),
        ("ValidationException", metric("ECSServiceCPU")),
        ("ValidationException", metric("RDSReaderAverageCPUUtilization")),
        ("ValidationException", metric("ALBRequestCountPerTarget")),
        ("ValidationException", tracking(json!({ "TargetValue": 0.0 }))),
        ("ValidationException", tracking(json!({ "ScaleInCooldown": -1 }))),
        ("ValidationException", tracking(json!({ "PredefinedMetricSpecification": null }))),
        ("SerializationException", tracking(json!({ "TargetValue": "many" }))),
    ] {
        assert_eq!(lab.refused("PutScalingPolicy", body.clone()).await.code, code, "{body}");
    }
    assert_eq!(lab.alarms().await.len(), 0);
    assert_eq!(lab.ok("DescribeScalingPolicies", json!({})).await["ScalingPolicies"], json!([]));
}

#[tokio::test]
async fn steps_neither_overlap_nor_leave_gaps() {
    let lab = Lab::new().await;
    let put = |steps: Value| {
        let settings = json!({ "AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps });
        json!({ "PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": settings })
    };
    let step = |lower: Option<f64>, upper: Option<f64>| json!({ "MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": 1 });
    for steps in [
        json!([]),
        json!([step(None, None)]),
        json!([step(Some(5.0), Some(5.0))]),
        json!([step(Some(0.0), Some(5.0)), step(Some(6.0), None)]),
        json!([step(Some(0.0), Some(5.0)), step(Some(4.0), None)]),
        json!([step(Some(-5.0), Some(0.0))]),
        json!([step(Some(0.0), Some(5.0))]),
    ] {
        assert_eq!(lab.refused("PutScalingPolicy", put(steps.clone())).await.code, "ValidationException", "{steps}");
    }
    let good = json!([step(None, Some(-5.0)), step(Some(-5.0), Some(0.0)), step(Some(0.0), None)]);
    assert_eq!(lab.ok("PutScalingPolicy", put(good)).await["Alarms"], json!([]), "its alarms are the caller's");
}

#[tokio::test]
async fn a_target_needs_a_service_and_bounds() {
    let lab = Lab::new().await;
    let other = |input: Value| {
        let mut whole = json!({ "ResourceId": "service/golden/other" });
        for (member, value) in input.as_object().expect("members") {
            whole[member] = value.clone();
        }
        whole
    };
    let absent = lab.refused("RegisterScalableTarget", other(json!({ "MinCapacity": 1, "MaxCapacity": 2 }))).await;
    assert_eq!(absent.message, "ECS service doesn't exist: service/golden/other");
    assert_eq!(lab.refused("RegisterScalableTarget", other(json!({}))).await.code, "ValidationException");
    for wrong in [json!({ "MinCapacity": 7 }), json!({ "MaxCapacity": 1 }), json!({ "MinCapacity": -1 })] {
        assert_eq!(lab.refused("RegisterScalableTarget", wrong).await.code, "ValidationException");
    }
    let target = lab.ok("DescribeScalableTargets", json!({})).await["ScalableTargets"][0].clone();
    assert_eq!((&target["MinCapacity"], &target["MaxCapacity"]), (&json!(2), &json!(6)), "a refusal changes nothing");
    for action in ["PutScheduledAction", "DescribeScheduledActions", "GetPredictiveScalingForecast"] {
        let refused = lab.refused(action, json!({})).await;
        assert_eq!((refused.code.as_str(), refused.status), ("NotImplemented", 501));
        assert!(refused.message.contains(action), "{refused}");
    }
}
