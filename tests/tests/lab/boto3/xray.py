"""X-Ray as boto3 sees it: segments put and exported over OTLP, found again by filter expressions."""

import json
import os
import secrets
import time
import urllib.error
import urllib.request

import boto3

xray = boto3.client("xray")
now = time.time()
# The lab's own requests leave traces too: these are told by a mark that nobody else has.
mark = secrets.token_hex(8)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except xray.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def new_trace():
    return f"1-{int(now):08x}-{secrets.token_hex(12)}"


def segment(trace, status=200, **more):
    document = {
        "trace_id": trace,
        "id": secrets.token_hex(8),
        "name": f"shop-{mark}",
        "start_time": now - 2,
        "end_time": now - 1.5,
        "fault": status >= 500,
        "error": 400 <= status < 500,
        "http": {"request": {"method": "GET", "url": "http://shop.example.com/cart"}, "response": {"status": status}},
        "annotations": {"mark": mark, "number": status},
        "subsegments": [
            {"id": secrets.token_hex(8), "name": "DynamoDB", "namespace": "aws", "start_time": now - 2, "end_time": now - 1.8, "aws": {"operation": "GetItem"}},
        ],
    }
    return json.dumps(document | more)


traces = [new_trace() for _ in range(40)]
statuses = [503 if number % 8 == 0 else 404 if number % 10 == 1 else 200 for number in range(40)]
answer = xray.put_trace_segments(TraceSegmentDocuments=[segment(*pair) for pair in zip(traces, statuses)])
assert answer["UnprocessedTraceSegments"] == [], answer
good = new_trace()
bad = [
    segment(good, metadata={"big": "x" * 65536}),
    segment(good, name="what?"),
    segment(good, id=None),
    "{",
    segment(good, annotations={}),
]
answer = xray.put_trace_segments(TraceSegmentDocuments=bad)
assert len(answer["UnprocessedTraceSegments"]) == 4, answer
assert {"InvalidName", "ParseError"} <= {each["ErrorCode"] for each in answer["UnprocessedTraceSegments"]}, answer
assert len(xray.batch_get_traces(TraceIds=[good])["Traces"]) == 1, "the good one beside four bad ones is kept"


def found(expression, **more):
    pages = xray.get_paginator("get_trace_summaries").paginate(StartTime=now - 60, EndTime=now + 60, FilterExpression=expression, **more)
    return [summary for page in pages for summary in page["TraceSummaries"]]


mine = f'annotation.mark = "{mark}"'
for expression, wanted in {
    mine: 40,
    f"{mine} AND fault": statuses.count(503),
    f"{mine} AND error": statuses.count(404),
    f"{mine} AND http.status >= 400": 40 - statuses.count(200),
    f"{mine} ok": statuses.count(200),
    f"{mine} AND annotation.number = 503": statuses.count(503),
    f'service("shop-{mark}") {{ fault }}': statuses.count(503),
    f'edge("shop-{mark}", id(name: "DynamoDB", type: "AWS::DynamoDB::Table")) AND {mine}': 40,
    f'{mine} AND http.url CONTAINS "/cart" AND responsetime > 0.4 AND responsetime < 0.6': 40,
    f"{mine} AND (partial OR throttle)": 0,
}.items():
    assert len(found(expression)) == wanted, (expression, len(found(expression)), wanted)
faulty = {trace for trace, status in zip(traces, statuses) if status == 503}
assert {summary["Id"] for summary in found(f"{mine} AND fault")} == faulty
assert len(found(mine, TimeRangeType="Event")) == 40
summary = found(f"{mine} AND fault")[0]
assert summary["HasFault"] and summary["Http"]["HttpStatus"] == 503 and summary["EntryPoint"]["Name"] == f"shop-{mark}", summary
assert summary["Annotations"]["mark"][0]["AnnotationValue"] == {"StringValue": mark}, summary
message = refused("InvalidRequestException", xray.get_trace_summaries, StartTime=now - 60, EndTime=now, FilterExpression="fault AND AND ok")
assert "position 11" in message, message
refused("InvalidRequestException", xray.get_trace_summaries, StartTime=now, EndTime=now - 60)

unknown = new_trace()
answer = xray.batch_get_traces(TraceIds=[traces[0], unknown])
assert answer["UnprocessedTraceIds"] == [unknown], answer
documents = [json.loads(each["Document"]) for each in answer["Traces"][0]["Segments"]]
assert [document["name"] for document in documents] == [f"shop-{mark}", "DynamoDB"], documents
assert documents[0]["subsegments"][0]["aws"] == {"operation": "GetItem"} and documents[1]["inferred"], documents
refused("InvalidRequestException", xray.batch_get_traces, TraceIds=traces[:6])


def graph_of(services):
    nodes = {service["ReferenceId"]: service for service in services}
    return {
        (service["Name"], nodes[edge["ReferenceId"]]["Name"]): edge["SummaryStatistics"]["TotalCount"]
        for service in services
        for edge in service["Edges"]
    }


services = xray.get_service_graph(StartTime=now - 60, EndTime=now + 60)["Services"]
# 40 with the mark, and the good one beside the bad.
assert graph_of(services)[(f"shop-{mark}", "DynamoDB")] == 41, graph_of(services)
shop = next(service for service in services if service["Name"] == f"shop-{mark}" and service.get("Type") != "client")
assert shop["Root"] and shop["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == len(faulty), shop
assert graph_of(xray.get_trace_graph(TraceIds=traces[:3])["Services"])[(f"shop-{mark}", "DynamoDB")] == 3


def export(body, content_type="application/json"):
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/v1/traces", data=body, headers={"content-type": content_type})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}


exported = new_trace()
nanos = int(now * 1e9)
times = {"startTimeUnixNano": str(nanos - 10**9), "endTimeUnixNano": str(nanos)}
ids = {"traceId": exported.replace("-", "")[1:]}
server, query = secrets.token_hex(8), secrets.token_hex(8)
spans = [
    {**ids, **times, "spanId": query, "parentSpanId": server, "kind": 3, "name": "UPDATE visits", "status": {"code": 2, "message": "28P01"},
     "attributes": [attribute("db.system.name", "postgresql"), attribute("db.namespace", mark), attribute("server.address", "db")]},
    {**ids, **times, "spanId": server, "kind": 2, "name": "GET /db",
     "attributes": [attribute("http.request.method", "GET"), attribute("url.path", "/db"), attribute("http.response.status_code", 503)]},
]
body = json.dumps({"resourceSpans": [{"resource": {"attributes": [attribute("service.name", f"otlp-{mark}")]}, "scopeSpans": [{"spans": spans}]}]}).encode()
status, answer = export(body[: len(body) // 2])
assert status == 400 and answer["code"] == 3, (status, answer)
assert xray.batch_get_traces(TraceIds=[exported])["Traces"] == [], "nothing of a cut body is kept"
assert export(body) == (200, {}), export(body)
matches = found(f'edge("otlp-{mark}", id(name: "{mark}@db", type: "Database::SQL")) {{ fault }}')
assert [summary["Id"] for summary in matches] == [exported], matches

rule = xray.get_sampling_rules()["SamplingRuleRecords"][0]["SamplingRule"]
assert (rule["RuleName"], rule["ReservoirSize"], rule["FixedRate"]) == ("Default", 1, 0.05), rule
statistics = {"RuleName": "Default", "ClientID": secrets.token_hex(12), "Timestamp": now, "RequestCount": 10, "SampledCount": 1}
answer = xray.get_sampling_targets(SamplingStatisticsDocuments=[statistics, statistics | {"RuleName": "mine"}])
assert answer["SamplingTargetDocuments"][0]["ReservoirQuotaTTL"].timestamp() > now, answer
assert answer["UnprocessedStatistics"][0]["RuleName"] == "mine", answer
xray.put_telemetry_records(TelemetryRecords=[{"Timestamp": now, "SegmentsReceivedCount": 1}])
refused("NotImplemented", xray.get_groups)
