"""What `aws logs tail --since 10m --follow --filter-pattern` of CLI v2 calls, done with boto3: every page of
FilterLogEvents, interleaved, from a start time; then again from the last event's time, without what was shown."""

import sys
import time

import boto3

endpoint = sys.argv[1]
group = "/ecs/golden"
logs = boto3.client(
    "logs",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="lab",
    aws_secret_access_key="lab",
)


def put(stream, lines):
    events = [{"timestamp": timestamp, "message": message} for timestamp, message in lines]
    reply = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    assert "rejectedLogEventsInfo" not in reply, reply


class Tail:
    def __init__(self, start, pattern):
        self.start, self.pattern, self.shown = start, pattern, set()

    def poll(self):
        lines = []
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            interleaved=True,
            startTime=self.start,
            filterPattern=self.pattern,
            PaginationConfig={"PageSize": 7},
        )
        for event in pages.search("events"):
            if event["eventId"] in self.shown:
                continue
            self.shown.add(event["eventId"])
            self.start = max(self.start, event["timestamp"])
            lines.append((event["logStreamName"], event["message"]))
        return lines


logs.create_log_group(logGroupName=group)
try:
    logs.create_log_group(logGroupName=group)
    raise SystemExit("the second create_log_group should be refused")
except logs.exceptions.ResourceAlreadyExistsException:
    pass
for stream in ("golden/one", "golden/two"):
    logs.create_log_stream(logGroupName=group, logStreamName=stream)

now = int(time.time() * 1000)
for index in range(30):
    stream = "golden/one" if index % 2 else "golden/two"
    put(stream, [(now - 60_000 + index, '{"status":%d,"n":%d}' % (500 if index % 3 == 0 else 200, index))])

tail = Tail(now - 600_000, "{ $.status >= 500 }")
first = tail.poll()
assert [line.split('"n":')[1] for _, line in first] == ["%d}" % index for index in range(0, 30, 3)], first
assert tail.poll() == []
put("golden/one", [(now, '{"status":503,"n":30}'), (now, '{"status":200,"n":31}')])
assert tail.poll() == [("golden/one", '{"status":503,"n":30}')]
assert tail.poll() == []

head = logs.get_log_events(logGroupName=group, logStreamName="golden/two", limit=3, startFromHead=True)
assert len(head["events"]) == 3 and head["nextForwardToken"].startswith("f/")
streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
assert [stream["logStreamName"] for stream in streams] == ["golden/one", "golden/two"], streams
try:
    logs.filter_log_events(logGroupName=group, filterPattern="{ $.status >= }")
    raise SystemExit("a broken pattern should be refused")
except logs.exceptions.InvalidParameterException as error:
    assert "at position 15" in str(error), error
try:
    logs.describe_subscription_filters(logGroupName=group)
    raise SystemExit("DescribeSubscriptionFilters is not imitated and should say so")
except logs.exceptions.ClientError as error:
    assert error.response["Error"]["Code"] == "NotImplemented", error.response
    assert "logs:DescribeSubscriptionFilters" in str(error), error

query = logs.start_query(
    logGroupName=group,
    startTime=int(time.time()) - 3600,
    endTime=int(time.time()),
    queryString="filter status >= 500 | stats count(*) as errors by status | sort status",
)["queryId"]
while (answer := logs.get_query_results(queryId=query))["status"] in ("Scheduled", "Running"):
    time.sleep(0.05)
rows = [{field["field"]: field["value"] for field in row} for row in answer["results"]]
assert rows == [{"status": "500", "errors": "10"}, {"status": "503", "errors": "1"}], answer
try:
    logs.start_query(logGroupName=group, startTime=0, endTime=1, queryString="fields @message | filtre x")
    raise SystemExit("a query that does not parse should be refused")
except logs.exceptions.MalformedQueryException as error:
    location = error.response["queryCompileError"]["location"]
    assert location == {"startCharOffset": 18, "endCharOffset": 24}, error.response
print("tailed")
