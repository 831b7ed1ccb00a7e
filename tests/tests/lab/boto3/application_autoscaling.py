"""Application Auto Scaling: the lab's target and policies, step scaling by an alarm of one's own, and what is refused."""

import datetime
import os
import time

import boto3
import botocore.exceptions

scaling = boto3.client("application-autoscaling")
cloudwatch = boto3.client("cloudwatch")
ecs = boto3.client("ecs")
cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": f"service/{cluster}/{service}",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def refused(code, words, call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code and words in found["Message"], found
    else:
        raise AssertionError(f"{arguments} was not refused")


def desired():
    return ecs.describe_services(cluster=cluster, services=[service])["services"][0]["desiredCount"]


def until(what, holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, f"{what}: {desired()} {activities(True)}"
        time.sleep(0.3)


def activities(not_scaled=False):
    return scaling.describe_scaling_activities(**TARGET, IncludeNotScaledActivities=not_scaled)["ScalingActivities"]


def alarm_names(prefix):
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]


# What the lab is made with.
(target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[TARGET["ResourceId"]])["ScalableTargets"]
assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4), target
assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_ECSService"), target
policies = {policy["PolicyName"]: policy for policy in scaling.describe_scaling_policies(**TARGET)["ScalingPolicies"]}
assert set(policies) == {"golden-cpu", "golden-requests"}, policies
(high,) = [alarm for alarm in policies["golden-cpu"]["Alarms"] if "-AlarmHigh-" in alarm["AlarmName"]]
(low,) = [alarm for alarm in policies["golden-cpu"]["Alarms"] if "-AlarmLow-" in alarm["AlarmName"]]
described = cloudwatch.describe_alarms(AlarmNames=[high["AlarmName"], low["AlarmName"]])["MetricAlarms"]
rules = {(alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"]) for alarm in described}
assert rules == {("GreaterThanThreshold", 60.0, 3, 60), ("LessThanThreshold", 54.0, 15, 60)}, rules
assert all(alarm["AlarmActions"] == [policies["golden-cpu"]["PolicyARN"]] for alarm in described), described

# Step scaling by an alarm of one's own. The lab's own policies would take back what it adds.
for name in policies:
    scaling.delete_scaling_policy(PolicyName=name, **TARGET)
assert alarm_names("TargetTracking-") == [], "the alarms went with their policies"
steps = {
    "AdjustmentType": "ChangeInCapacity",
    "Cooldown": 300,
    "MetricAggregationType": "Maximum",
    "StepAdjustments": [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 5},
    ],
}
put = scaling.put_scaling_policy(
    PolicyName="backlog", PolicyType="StepScaling", StepScalingPolicyConfiguration=steps, **TARGET
)
assert put["Alarms"] == [], put
down = scaling.put_scaling_policy(
    PolicyName="no-backlog",
    PolicyType="StepScaling",
    StepScalingPolicyConfiguration={
        "AdjustmentType": "ExactCapacity",
        "Cooldown": 0,
        "StepAdjustments": [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": 2}],
    },
    **TARGET,
)
for name, arn, comparison, threshold in [
    ("backlog-high", put["PolicyARN"], "GreaterThanOrEqualToThreshold", 20),
    ("backlog-none", down["PolicyARN"], "LessThanOrEqualToThreshold", 0),
]:
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Shop",
        MetricName="Backlog",
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator=comparison,
        AlarmActions=[arn],
    )
(policy,) = scaling.describe_scaling_policies(**TARGET, PolicyNames=["backlog"])["ScalingPolicies"]
assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["backlog-high"], policy
assert policy["StepScalingPolicyConfiguration"] == {
    **steps,
    "StepAdjustments": [{key: value for key, value in step.items()} for step in steps["StepAdjustments"]],
}, policy


def backlog(value):
    now = datetime.datetime.now(datetime.timezone.utc)
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Backlog", "Value": value, "Timestamp": now}])


def until_with(value, what, holds):
    def look():
        backlog(value)
        return holds()

    until(what, look)


until_with(25, "five beyond the threshold are one task more", lambda: desired() == 3)
assert activities()[0]["Cause"] == "monitor alarm backlog-high in state ALARM triggered policy backlog", activities()
# The alarm still asks, once in each period: the cooldown of 300 s lasts thirty, and the same step adds nothing.
first = activities()[0]["ActivityId"]
until_with(25, "the activity is over", lambda: activities()[0]["StatusCode"] == "Successful")
assert (desired(), activities()[0]["ActivityId"]) == (3, first), activities()
# Twenty beyond are five more than the two of the beginning, and the largest count is four.
until_with(45, "a larger step does not wait", lambda: desired() == 4)
until_with(
    45,
    "a full target says so",
    lambda: any(
        reason == {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}
        for activity in activities(True)
        for reason in activity.get("NotScaledReasons", [])
    ),
)
assert all("NotScaledReasons" not in activity for activity in activities()), "only where they are asked for"
until_with(0, "an exact capacity takes back", lambda: desired() == 2)
assert activities()[0]["Cause"] == "monitor alarm backlog-none in state ALARM triggered policy no-backlog", activities()
cloudwatch.delete_alarms(AlarmNames=["backlog-high", "backlog-none"])
for name in ["backlog", "no-backlog"]:
    scaling.delete_scaling_policy(PolicyName=name, **TARGET)

# Bounds move the count, and say why.
scaling.register_scalable_target(**TARGET, MinCapacity=3)
assert desired() == 3 and activities()[0]["Cause"] == "minimum capacity was set to 3", activities()
scaling.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
assert desired() == 2 and activities()[0]["Cause"] == "maximum capacity was set to 2", activities()
assert activities()[0]["Description"] == "Setting desired count to 2.", activities()
scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)

# Tags.
arn = target["ScalableTargetARN"]
scaling.tag_resource(ResourceARN=arn, Tags={"team": "golden", "tier": "web"})
scaling.untag_resource(ResourceARN=arn, TagKeys=["tier"])
assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "golden"}

# Bad input: AWS's own errors, and nothing half-done.
cpu = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}, "TargetValue": 75.0}
tracking = {"PolicyName": "bad", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": cpu}


def tracked(**changes):
    return {**tracking, **TARGET, "TargetTrackingScalingPolicyConfiguration": {**cpu, **changes}}


def predefined(**members):
    return tracked(PredefinedMetricSpecification=members)


for code, words, arguments in [
    ("ObjectNotFoundException", "No scalable target registered", {**tracking, **TARGET, "ResourceId": "service/golden/other"}),
    ("ValidationException", "scalableDimension", {**tracking, **TARGET, "ScalableDimension": "ecs:service:Memory"}),
    ("ValidationException", "Unsupported", {**tracking, **TARGET, "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}),
    ("ValidationException", "serviceNamespace", {**tracking, **TARGET, "ServiceNamespace": "ecs2"}),
    ("NotImplemented", "dynamodb", {**tracking, **TARGET, "ServiceNamespace": "dynamodb"}),
    ("ValidationException", "predefinedMetricType", predefined(PredefinedMetricType="ECSServiceCPU")),
    ("ValidationException", "resource label", predefined(PredefinedMetricType="ALBRequestCountPerTarget")),
    (
        "ValidationException",
        "not attached",
        predefined(PredefinedMetricType="ALBRequestCountPerTarget", ResourceLabel="app/golden/1/targetgroup/other/2"),
    ),
    ("ValidationException", "greater than 0", tracked(TargetValue=0.0)),
    ("ValidationException", "StepScalingPolicyConfiguration", {**tracking, **TARGET, "PolicyType": "StepScaling"}),
    (
        "ValidationException",
        "gap",
        {
            "PolicyName": "bad",
            "PolicyType": "StepScaling",
            "StepScalingPolicyConfiguration": {
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 5, "ScalingAdjustment": 1},
                    {"MetricIntervalLowerBound": 6, "ScalingAdjustment": 2},
                ],
            },
            **TARGET,
        },
    ),
]:
    refused(code, words, scaling.put_scaling_policy, **arguments)
assert scaling.describe_scaling_policies(**TARGET)["ScalingPolicies"] == []
assert alarm_names("TargetTracking-") == [], "a refused policy leaves no alarm"
refused("ObjectNotFoundException", "No scaling policy found", scaling.delete_scaling_policy, PolicyName="bad", **TARGET)
refused(
    "ValidationException",
    "ECS service doesn't exist",
    scaling.register_scalable_target,
    **{**TARGET, "ResourceId": "service/golden/other"},
    MinCapacity=1,
    MaxCapacity=2,
)
refused("ValidationException", "less than minimum", scaling.register_scalable_target, **TARGET, MinCapacity=5)
refused(
    "NotImplemented",
    "PutScheduledAction",
    scaling.put_scheduled_action,
    ScheduledActionName="night",
    Schedule="cron(0 20 * * ? *)",
    **TARGET,
)
# A target takes its policies and alarms along.
scaling.put_scaling_policy(**tracking, **TARGET)
assert len(alarm_names("TargetTracking-")) == 2
scaling.deregister_scalable_target(**TARGET)
assert alarm_names("TargetTracking-") == [] and scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
refused("ObjectNotFoundException", "No scalable target found", scaling.deregister_scalable_target, **TARGET)
scaling.register_scalable_target(**TARGET, MinCapacity=2, MaxCapacity=4)
