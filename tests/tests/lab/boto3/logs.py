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

transformation = {"metricName": "Errors", "metricNamespace": "Test/Logs", "metricValue": "1", "unit": "Count"}
logs.put_metric_filter(
    logGroupName="/test/logs",
    filterName="errors",
    filterPattern="{ $.status >= 500 }",
    metricTransformations=[transformation | {"dimensions": {"Path": "$.path"}}],
)
found_filter = logs.describe_metric_filters(metricName="Errors", metricNamespace="Test/Logs")["metricFilters"][0]
assert found_filter["metricTransformations"][0]["dimensions"] == {"Path": "$.path"}, found_filter
assert logs.describe_log_groups(logGroupNamePrefix="/test/logs")["logGroups"][0]["metricFilterCount"] == 1
matches = logs.test_metric_filter(
    filterPattern="{ $.status >= 500 }", logEventMessages=[json.dumps(line) for line in lines]
)["matches"]
assert [(match["eventNumber"], match["extractedValues"]) for match in matches] == [
    (2, {"$.status": "500"}),
    (3, {"$.status": "503"}),
], matches
for wrong, part in (
    ({"metricValue": "many"}, "metricValue"),
    ({"defaultValue": 0, "dimensions": {"Path": "$.path"}}, "mutually exclusive"),
):
    try:
        logs.put_metric_filter(
            logGroupName="/test/logs",
            filterName="wrong",
            filterPattern="{ $.status >= 500 }",
            metricTransformations=[transformation | wrong],
        )
    except logs.exceptions.InvalidParameterException as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"{wrong} was taken")
logs.delete_metric_filter(logGroupName="/test/logs", filterName="errors")
assert logs.describe_metric_filters(logGroupName="/test/logs")["metricFilters"] == []


def rows(text):
    query = logs.start_query(
        logGroupName="/test/logs", startTime=now // 1000 - 60, endTime=now // 1000 + 60, queryString=text
    )["queryId"]
    deadline = time.monotonic() + 20
    while (answer := logs.get_query_results(queryId=query))["status"] in ("Scheduled", "Running"):
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    assert answer["status"] == "Complete", answer
    return [{field["field"]: field["value"] for field in row if field["field"] != "@ptr"} for row in answer["results"]]


assert rows("filter status >= 500 | stats count(*) as errors, max(status) as worst by errorType") == [
    {"errorType": "DatabaseError", "errors": "2", "worst": "503"}
]
assert rows("fields status | sort status desc | limit 1") == [{"status": "503"}]
assert rows("filter @message like /ERROR/ | display @logStream") == [{"@logStream": "b"}]
assert rows('parse @message "plain * line" as word | filter ispresent(word) | display word') == [{"word": "ERROR"}]
pages = rows("fields @timestamp, @message | filter path = '/db' | sort @timestamp asc")
assert [json.loads(row["@message"])["status"] for row in pages] == [200, 500, 503], pages
try:
    logs.start_query(logGroupName="/test/logs", startTime=0, endTime=1, queryString="fields @message | filtre x")
except logs.exceptions.MalformedQueryException as error:
    location = error.response["queryCompileError"]["location"]
    assert location == {"startCharOffset": 18, "endCharOffset": 24}, error.response
else:
    raise AssertionError("a query that does not parse was taken")
listed = logs.describe_queries(logGroupName="/test/logs", status="Complete")["queries"]
assert len(listed) == 5, listed
logs.delete_log_group(logGroupName="/test/logs")
assert logs.describe_log_groups(logGroupNamePrefix="/test/logs")["logGroups"] == []
