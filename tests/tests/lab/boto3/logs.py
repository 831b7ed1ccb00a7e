"""CloudWatch Logs as boto3 sees it, with the calls that `aws logs tail` makes."""

import json
import time

import boto3

logs = boto3.client("logs")
now = int(time.time() * 1000)
logs.create_log_group(logGroupName="/test/logs")
logs.put_retention_policy(logGroupName="/test/logs", retentionInDays=7)
group = logs.describe_log_groups(logGroupNamePrefix="/test/logs")["logGroups"][0]
assert group["retentionInDays"] == 7, group
for stream in ("a", "b"):
    logs.create_log_stream(logGroupName="/test/logs", logStreamName=stream)
lines = [{"status": status, "path": "/db", "errorType": None if status < 500 else "DatabaseError"} for status in (200, 500, 503)]
answer = logs.put_log_events(
    logGroupName="/test/logs",
    logStreamName="a",
    logEvents=[{"timestamp": now + index, "message": json.dumps(line)} for index, line in enumerate(lines)],
)
assert "rejectedLogEventsInfo" not in answer, answer
old = now - 15 * 24 * 3600 * 1000
answer = logs.put_log_events(
    logGroupName="/test/logs",
    logStreamName="b",
    logEvents=[{"timestamp": old, "message": "too old"}, {"timestamp": now + 1, "message": "plain ERROR line"}],
)
assert answer["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] == 1, answer


def found(pattern):
    events = logs.filter_log_events(logGroupName="/test/logs", filterPattern=pattern)["events"]
    return [event["message"] for event in events]


assert len(found("")) == 4, "nothing is lost beside the one that is too old"
assert [json.loads(message)["status"] for message in found("{ $.status >= 500 }")] == [500, 503]
assert [json.loads(message)["status"] for message in found('{ $.errorType = "Database*" && $.status != 500 }')] == [503]
assert len(found("{ $.errorType IS NULL }")) == 1
assert len(found("{ $.errorType NOT EXISTS }")) == 0
assert found("ERROR") == ["plain ERROR line"]
assert found("?ERROR ?DatabaseError")[0].startswith("{"), found("?ERROR ?DatabaseError")
assert found('"plain ERROR" -line') == []
try:
    found("{ $.status >= }")
except logs.exceptions.InvalidParameterException as error:
    assert "position" in str(error), error
else:
    raise AssertionError("a pattern that does not parse was taken")

tail = logs.get_paginator("filter_log_events").paginate(
    logGroupName="/test/logs", interleaved=True, startTime=now - 1000, PaginationConfig={"PageSize": 1}
)
times = [event["timestamp"] for page in tail for event in page["events"]]
assert len(times) == 4 and times == sorted(times), times
page = logs.get_log_events(logGroupName="/test/logs", logStreamName="a", startFromHead=True, limit=2)
rest = logs.get_log_events(logGroupName="/test/logs", logStreamName="a", startFromHead=True, nextToken=page["nextForwardToken"])
assert [len(page["events"]), len(rest["events"])] == [2, 1], (page, rest)
try:
    logs.put_log_events(logGroupName="/test/logs", logStreamName="missing", logEvents=[{"timestamp": now, "message": "x"}])
except logs.exceptions.ResourceNotFoundException:
    pass
else:
    raise AssertionError("a missing stream was taken")
logs.delete_log_group(logGroupName="/test/logs")
assert logs.describe_log_groups(logGroupNamePrefix="/test/logs")["logGroups"] == []
