"""Elastic Load Balancing v2: what a listener does is what its rules say."""

import os
import urllib.error
import urllib.request

import boto3

elbv2 = boto3.client("elbv2")
(balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
assert balancer["Type"] == "application" and balancer["State"]["Code"] == "active", balancer
group = elbv2.describe_target_groups(TargetGroupArns=[os.environ["TARGET_GROUP_ARN"]])["TargetGroups"][0]
assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"], group["HealthCheckTimeoutSeconds"]) == ("/healthz", 30, 5), group
assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"], group["TargetType"]) == (2, 3, "ip"), group
listener = elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]

fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "teapot"}}
rule = elbv2.create_rule(
    ListenerArn=listener["ListenerArn"],
    Priority=10,
    Conditions=[{"Field": "path-pattern", "Values": ["/tea/*"]}],
    Actions=[fixed],
)["Rules"][0]


def status(path):
    try:
        with urllib.request.urlopen(os.environ["ALB_URL"] + path, timeout=10) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


assert status("/tea/pot") == 418
assert status("/") == 200
try:
    elbv2.create_rule(
        ListenerArn=listener["ListenerArn"], Priority=10, Conditions=[{"Field": "path-pattern", "Values": ["/x"]}], Actions=[fixed]
    )
except elbv2.exceptions.PriorityInUseException:
    pass
else:
    raise AssertionError("a priority was taken twice")
elbv2.delete_rule(RuleArn=rule["RuleArn"])
assert status("/tea/pot") == 404

empty = elbv2.create_target_group(
    Name="empty", Protocol="HTTP", Port=8080, VpcId=group.get("VpcId", "vpc-lab"), TargetType="ip", HealthCheckPath="/healthz"
)["TargetGroups"][0]["TargetGroupArn"]
elbv2.register_targets(TargetGroupArn=empty, Targets=[{"Id": "127.0.200.200", "Port": 8080}])
(target,) = elbv2.describe_target_health(TargetGroupArn=empty)["TargetHealthDescriptions"]
assert target["TargetHealth"]["State"] == "unused", target
assert target["TargetHealth"]["Reason"] == "Target.NotInUse", target
elbv2.delete_target_group(TargetGroupArn=empty)
try:
    elbv2.delete_target_group(TargetGroupArn=os.environ["TARGET_GROUP_ARN"])
except elbv2.exceptions.ResourceInUseException:
    pass
else:
    raise AssertionError("a target group in use was deleted")
try:
    elbv2.modify_target_group(TargetGroupArn=os.environ["TARGET_GROUP_ARN"], HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=5)
except elbv2.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] in ("ValidationError", "InvalidConfigurationRequest"), error
else:
    raise AssertionError("a time-out as long as its interval was taken")
