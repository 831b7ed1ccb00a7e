"""CloudWatch: metrics, metric math, and alarms that move because metrics crossed their thresholds."""

import json
import time
from datetime import datetime, timedelta, timezone

import boto3

cloudwatch = boto3.client("cloudwatch")
now = datetime.now(timezone.utc).replace(microsecond=0)
namespace = f"Test/{int(now.timestamp())}"


def put(name, values, at=None, **more):
    datum = {"MetricName": name, "Timestamp": at or datetime.now(timezone.utc), "Values": values, "StorageResolution": 1, **more}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def refused(code, part, call, **parameters):
    try:
        call(**parameters)
    except cloudwatch.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert part in str(error), error
    else:
        raise AssertionError(f"taken: {parameters}")


# Metrics. A body of this size is compressed by the SDK.
start = now.replace(second=0) - timedelta(minutes=5)
cloudwatch.put_metric_data(
    Namespace=namespace,
    MetricData=[
        {"MetricName": "requests", "Timestamp": start + timedelta(seconds=second), "Value": 2, "Unit": "Count"} for second in range(240)
    ],
)
put("errors", [1, 5], at=start + timedelta(seconds=70), Counts=[2, 2], Unit="Count")
put("latency", [float(value) for value in range(1, 101)], at=start, Unit="Milliseconds", Dimensions=[{"Name": "Task", "Value": "a"}])
statistics = cloudwatch.get_metric_statistics(
    Namespace=namespace,
    MetricName="latency",
    Dimensions=[{"Name": "Task", "Value": "a"}],
    StartTime=start,
    EndTime=now,
    Period=60,
    ExtendedStatistics=["p50", "p95", "tm90"],
)
(point,) = statistics["Datapoints"]
assert point["Timestamp"] == start and point["Unit"] == "Milliseconds", point
assert abs(point["ExtendedStatistics"]["p95"] - 95) <= 1, point
metric = {"Namespace": namespace, "MetricName": "requests"}
queries = [
    {"Id": "requests", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    {"Id": "errors", "MetricStat": {"Metric": {**metric, "MetricName": "errors"}, "Period": 60, "Stat": "Sum"}},
    {"Id": "rate", "Expression": "100 * errors / requests", "Label": "error rate"},
    {"Id": "filled", "Expression": "IF(FILL(errors, 0) > 10, 1, 0)"},
]
pages = cloudwatch.get_paginator("get_metric_data").paginate(
    MetricDataQueries=queries, StartTime=start, EndTime=start + timedelta(minutes=4), ScanBy="TimestampAscending"
)
results = {result["Id"]: result for page in pages for result in page["MetricDataResults"]}
assert results["errors"]["Values"] == [12.0], results
assert results["rate"]["Values"] == [0.0, 10.0, 0.0, 0.0] and results["rate"]["Label"] == "error rate", results
assert results["filled"]["Values"] == [0.0, 1.0, 0.0, 0.0], results
assert results["rate"]["Timestamps"][0] == start, results
names = {metric["MetricName"] for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace) for metric in page["Metrics"]}
assert names == {"requests", "errors", "latency"}, names

# Bad input is refused whole.
good = {"MetricName": "beside", "Value": 1}
for bad, part in (
    ({"Value": float("nan")}, "MetricData.member.2.Value"),
    ({"Value": 1, "Timestamp": now - timedelta(days=15)}, "two weeks"),
    ({"Value": 1, "Timestamp": now + timedelta(hours=3)}, "two hours"),
):
    refused(
        "InvalidParameterValue", part, cloudwatch.put_metric_data, Namespace=namespace, MetricData=[good, {"MetricName": "bad", **bad}]
    )
refused("InvalidParameterValue", "AWS/", cloudwatch.put_metric_data, Namespace="AWS/Test", MetricData=[good])
assert not cloudwatch.list_metrics(Namespace=namespace, MetricName="beside")["Metrics"]
refused(
    "ValidationError",
    "position 9",
    cloudwatch.get_metric_data,
    MetricDataQueries=[*queries, {"Id": "e9", "Expression": "errors *"}],
    StartTime=start,
    EndTime=now,
)

# An alarm on a rate: OK, ALARM, OK. Windows are a period divided by the lab's speed.
watch = [
    {"Id": "requests", "MetricStat": {"Metric": {**metric, "MetricName": "live"}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    {"Id": "errors", "MetricStat": {"Metric": {**metric, "MetricName": "failed"}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    {"Id": "rate", "Expression": "100 * errors / requests", "Label": "error rate"},
]
cloudwatch.put_metric_alarm(
    AlarmName="test-rate",
    Metrics=watch,
    EvaluationPeriods=2,
    DatapointsToAlarm=1,
    Threshold=1,
    ComparisonOperator="GreaterThanThreshold",
    TreatMissingData="ignore",
    Tags=[{"Key": "mode", "Value": "none"}],
)
cloudwatch.put_composite_alarm(AlarmName="test-sick", AlarmRule='ALARM("test-rate") AND NOT INSUFFICIENT_DATA("test-rate")')


def until(wanted, failing):
    deadline = time.monotonic() + 60
    while True:
        put("live", [10])
        put("failed", [1 if failing else 0])
        rate = cloudwatch.describe_alarms(AlarmNames=["test-rate"])["MetricAlarms"][0]
        sick = cloudwatch.describe_alarms(AlarmNames=["test-sick"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
        states = (rate["StateValue"], sick["StateValue"])
        if states == wanted:
            return rate
        assert time.monotonic() < deadline, (states, rate["StateReason"])
        time.sleep(0.2)


until(("OK", "OK"), failing=False)
alarm = until(("ALARM", "ALARM"), failing=True)
assert alarm["StateReason"].startswith("Threshold Crossed: ") and "greater than the threshold (1.0)" in alarm["StateReason"], alarm
assert json.loads(alarm["StateReasonData"])["recentDatapoints"], alarm
until(("OK", "OK"), failing=False)
history = [
    item["HistorySummary"]
    for page in cloudwatch.get_paginator("describe_alarm_history").paginate(
        AlarmName="test-rate", HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )
    for item in page["AlarmHistoryItems"]
]
assert history[-2:] == ["Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"], history

# The four treatments of a metric that never comes.
expected = {"missing": "INSUFFICIENT_DATA", "ignore": "INSUFFICIENT_DATA", "breaching": "ALARM", "notBreaching": "OK"}
for treatment in expected:
    cloudwatch.put_metric_alarm(
        AlarmName=f"test-never-{treatment}",
        Namespace=namespace,
        MetricName="never",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=3,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData=treatment,
    )
deadline = time.monotonic() + 30
while True:
    alarms = cloudwatch.describe_alarms(AlarmNamePrefix="test-never-")["MetricAlarms"]
    states = {alarm["TreatMissingData"]: alarm["StateValue"] for alarm in alarms}
    if states == expected:
        break
    assert time.monotonic() < deadline, states
    time.sleep(0.2)

# Setting by hand, tags, what does not exist, what is not imitated.
cloudwatch.disable_alarm_actions(AlarmNames=["test-never-ignore"])
cloudwatch.set_alarm_state(AlarmName="test-never-ignore", StateValue="ALARM", StateReason="by hand")
alarm = cloudwatch.describe_alarms(AlarmNames=["test-never-ignore"])["MetricAlarms"][0]
assert (alarm["StateValue"], alarm["StateReason"], alarm["ActionsEnabled"]) == ("ALARM", "by hand", False), alarm
arn = cloudwatch.describe_alarms(AlarmNames=["test-rate"])["MetricAlarms"][0]["AlarmArn"]
assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "mode", "Value": "none"}]
refused("ValidationError", "depending on it", cloudwatch.delete_alarms, AlarmNames=["test-rate"])
refused("ResourceNotFound", "gone", cloudwatch.set_alarm_state, AlarmName="gone", StateValue="OK", StateReason="x")
refused("NotImplemented", "PutAnomalyDetector", cloudwatch.put_anomaly_detector, Namespace="a", MetricName="b", Stat="Sum")
cloudwatch.delete_alarms(AlarmNames=["test-sick"])
cloudwatch.delete_alarms(AlarmNames=["test-rate", *(f"test-never-{treatment}" for treatment in expected)])
assert cloudwatch.describe_alarms(AlarmNamePrefix="test-")["MetricAlarms"] == []

body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "hello"}}]})
cloudwatch.put_dashboard(DashboardName="test", DashboardBody=body)
assert cloudwatch.get_dashboard(DashboardName="test")["DashboardBody"] == body
assert [entry["Size"] for entry in cloudwatch.list_dashboards(DashboardNamePrefix="test")["DashboardEntries"]] == [len(body)]
refused("InvalidParameterInput", "widgets", cloudwatch.put_dashboard, DashboardName="test", DashboardBody="{}")
cloudwatch.delete_dashboards(DashboardNames=["test"])
refused("ResourceNotFound", "test", cloudwatch.get_dashboard, DashboardName="test")
