"""AWS WAF: a web ACL of its own in front of a load balancer of its own, from creation to deletion, and what it refuses."""

from datetime import datetime, timedelta, timezone

import boto3

wafv2 = boto3.client("wafv2")
elbv2 = boto3.client("elbv2")


def visibility(name):
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def starts_with(path):
    return {
        "ByteMatchStatement": {
            "FieldToMatch": {"UriPath": {}},
            "PositionalConstraint": "STARTS_WITH",
            "SearchString": path,
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }
    }


def rule(name, priority, action, statement):
    return {"Name": name, "Priority": priority, "Action": action, "Statement": statement, "VisibilityConfig": visibility(name)}


def refused(code, part, call, **parameters):
    try:
        call(**parameters)
    except wafv2.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert part in str(error), error
        return error.response
    raise AssertionError(f"taken: {parameters}")


def acl(name, rules, **more):
    return {"Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "Rules": rules, "VisibilityConfig": visibility(name), **more}


# The lab's own web ACL.
(own,) = wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"]
assert own["Name"] == "golden", own
described = wafv2.get_web_acl(Name="golden", Scope="REGIONAL", Id=own["Id"])["WebACL"]
assert [rule["Name"] for rule in described["Rules"]][-1] == "rate-per-client" and described["Capacity"] == 927, described
groups = [rule["Statement"].get("ManagedRuleGroupStatement", {}).get("Name") for rule in described["Rules"][:3]]
offered = {group["Name"] for group in wafv2.list_available_managed_rule_groups(Scope="REGIONAL")["ManagedRuleGroups"]}
assert set(groups) == offered, groups
for name in groups:
    group = wafv2.describe_managed_rule_group(VendorName="AWS", Name=name, Scope="REGIONAL")
    assert group["Rules"] and len(group["Rules"]) == len(group["AvailableLabels"]), group

# One's own, with a set.
balancer = elbv2.create_load_balancer(Name="waf-test", Subnets=["subnet-a", "subnet-b"])["LoadBalancers"][0]["LoadBalancerArn"]
addresses = wafv2.create_ip_set(Name="good", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["198.51.100.0/24"])["Summary"]
rules = [
    rule("good", 0, {"Allow": {}}, {"IPSetReferenceStatement": {"ARN": addresses["ARN"]}}),
    rule("bad", 1, {"Block": {}}, starts_with(b"/bad")),
]
made = wafv2.create_web_acl(**acl("mine", rules, Tags=[{"Key": "team", "Value": "on-call"}]))["Summary"]
assert wafv2.check_capacity(Scope="REGIONAL", Rules=rules)["Capacity"] == 3
assert wafv2.list_tags_for_resource(ResourceARN=made["ARN"])["TagInfoForResource"]["TagList"] == [{"Key": "team", "Value": "on-call"}]
wafv2.associate_web_acl(WebACLArn=made["ARN"], ResourceArn=balancer)
assert wafv2.get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["Rules"] == rules
assert wafv2.list_resources_for_web_acl(WebACLArn=made["ARN"])["ResourceArns"] == [balancer]

# Refused, in AWS's words.
refused("WAFDuplicateItemException", "duplicate", wafv2.create_web_acl, **acl("mine", []))
stale = {**acl("mine", rules), "Id": made["Id"], "LockToken": "00000000-0000-0000-0000-000000000000"}
refused("WAFOptimisticLockException", "changed the resource", wafv2.update_web_acl, **stale)
unknown = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "NoSuchGroup"}}
unknown = {"Name": "no", "Priority": 0, "OverrideAction": {"None": {}}, "Statement": unknown, "VisibilityConfig": visibility("no")}
refused("WAFNonexistentItemException", "doesn’t exist", wafv2.create_web_acl, **acl("other", [unknown]))
one = {"AndStatement": {"Statements": [starts_with(b"/")]}}
answer = refused("WAFInvalidParameterException", "AND_STATEMENT", wafv2.create_web_acl, **acl("other", [rule("a", 0, {"Block": {}}, one)]))
assert answer["Field"] == "AND_STATEMENT" and answer["Parameter"] == "AndStatement", answer
costly = {
    "XssMatchStatement": {
        "FieldToMatch": {"UriPath": {}},
        "TextTransformations": [{"Priority": priority, "Type": "LOWERCASE"} for priority in range(10)],
    }
}
costly = [rule(f"r{number}", number, {"Block": {}}, costly) for number in range(36)]
refused("WAFInvalidParameterException", "exceeded the capacity limit", wafv2.create_web_acl, **acl("other", costly))
refused("WAFAssociatedItemException", "used by another", wafv2.delete_web_acl, Name="mine", Scope="REGIONAL", Id=made["Id"], LockToken=made["LockToken"])
refused("NotImplemented", "PutLoggingConfiguration", wafv2.put_logging_configuration, LoggingConfiguration={"ResourceArn": made["ARN"], "LogDestinationConfigs": ["arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-x"]})
assert len(wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"]) == 2

# Nothing was seen yet, and all of it goes away again.
now = datetime.now(timezone.utc)
window = {"StartTime": now - timedelta(minutes=5), "EndTime": now}
samples = wafv2.get_sampled_requests(WebAclArn=made["ARN"], RuleMetricName="bad", Scope="REGIONAL", TimeWindow=window, MaxItems=10)
assert samples["PopulationSize"] == 0 and samples["SampledRequests"] == [], samples
wafv2.disassociate_web_acl(ResourceArn=balancer)
wafv2.delete_web_acl(Name="mine", Scope="REGIONAL", Id=made["Id"], LockToken=made["LockToken"])
wafv2.delete_ip_set(Name="good", Scope="REGIONAL", Id=addresses["Id"], LockToken=addresses["LockToken"])
elbv2.delete_load_balancer(LoadBalancerArn=balancer)
