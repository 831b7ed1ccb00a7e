"""SNS and SQS as boto3 sees them: queues that keep their promises, topics that deliver to queues and to an HTTP server."""

import json
import queue as local
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3

sqs, sns = boto3.client("sqs"), boto3.client("sns")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except (sqs.exceptions.ClientError, sns.exceptions.ClientError) as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def received(url, **arguments):
    return sqs.receive_message(QueueUrl=url, **arguments).get("Messages", [])


# Queues: boto3 itself checks the MD5s of what it sends and receives.
dead_url = sqs.create_queue(QueueName="test-dead")["QueueUrl"]
dead_arn = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
url = sqs.create_queue(QueueName="test-jobs", Attributes={"VisibilityTimeout": "1", "RedrivePolicy": redrive}, tags={"a": "b"})["QueueUrl"]
assert sqs.get_queue_url(QueueName="test-jobs")["QueueUrl"] == url
assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
listed = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="test-", PaginationConfig={"PageSize": 1})
assert {found for page in listed for found in page["QueueUrls"]} == {url, dead_url}
sqs.send_message(
    QueueUrl=url,
    MessageBody="work é",
    MessageAttributes={
        "text": {"DataType": "String", "StringValue": "x"},
        "number": {"DataType": "Number", "StringValue": "1.5"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    },
)
(message,) = received(url, AttributeNames=["All"], MessageAttributeNames=["All"], WaitTimeSeconds=1)
assert message["Body"] == "work é" and message["MessageAttributes"]["bytes"]["BinaryValue"] == b"\x00\xff", message
assert message["Attributes"]["ApproximateReceiveCount"] == "1", message
assert received(url) == [], "it is in flight"
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1"), counts
(message,) = received(url, AttributeNames=["All"], WaitTimeSeconds=5)
assert message["Attributes"]["ApproximateReceiveCount"] == "2", "it came back after its time-out"
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
assert received(url) == [], "received twice, it is a dead letter"
(letter,) = received(dead_url, AttributeNames=["All"], WaitTimeSeconds=1)
assert letter["MessageId"] == message["MessageId"], letter
assert letter["Attributes"]["DeadLetterQueueSourceArn"].endswith(":test-jobs"), letter
sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=letter["ReceiptHandle"])
refused("ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="bogus")
refused("QueueAlreadyExists", sqs.create_queue, QueueName="test-jobs", Attributes={"VisibilityTimeout": "2"})
refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="test-missing")
try:
    sqs.send_message(QueueUrl=url + "-missing", MessageBody="x")
except sqs.exceptions.QueueDoesNotExist:
    pass
else:
    raise AssertionError("a missing queue was sent to")
refused("NotImplemented", sqs.list_message_move_tasks, SourceArn=dead_arn)

# A long poll is woken by the message; many receivers share without doubles.
with ThreadPoolExecutor(4) as pool:
    started = time.monotonic()
    poll = pool.submit(received, url, WaitTimeSeconds=20)
    time.sleep(0.2)
    sqs.send_message(QueueUrl=url, MessageBody="wake")
    (message,) = poll.result()
    assert message["Body"] == "wake" and time.monotonic() - started < 10
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    for batch in range(5):
        entries = [{"Id": str(n), "MessageBody": f"{batch}-{n}"} for n in range(10)]
        assert len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 10

    def drain(_):
        bodies = []
        while messages := received(url, MaxNumberOfMessages=7):
            bodies += [message["Body"] for message in messages]
            gone = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
            assert "Failed" not in sqs.delete_message_batch(QueueUrl=url, Entries=gone)
        return bodies

    bodies = [body for each in pool.map(drain, range(4)) for body in each]
    assert len(bodies) == len(set(bodies)) == 50, bodies

fifo_url = sqs.create_queue(QueueName="test.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
first = sqs.send_message(QueueUrl=fifo_url, MessageBody="1", MessageGroupId="g")
assert sqs.send_message(QueueUrl=fifo_url, MessageBody="1", MessageGroupId="g")["MessageId"] == first["MessageId"]
sqs.send_message(QueueUrl=fifo_url, MessageBody="2", MessageGroupId="g")
assert [message["Body"] for message in received(fifo_url)] == ["1"]
assert received(fifo_url) == [], "2 waits for 1"

# Topics: to a queue at once, to an HTTP server once it has confirmed.
topic = sns.create_topic(Name="test-topic", Attributes={"DisplayName": "drill"})["TopicArn"]
assert sns.create_topic(Name="test-topic")["TopicArn"] == topic
assert topic in {found["TopicArn"] for page in sns.get_paginator("list_topics").paginate() for found in page["Topics"]}
queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
to_queue = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"]
posts = local.Queue()
statuses = [200, 500, 200]


class Subscriber(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(statuses.pop(0) if statuses else 200)
        self.end_headers()
        posts.put((dict(self.headers), json.loads(body)))

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Subscriber)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}/hook"
to_http = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint, ReturnSubscriptionArn=True)["SubscriptionArn"]
headers, asked = posts.get(timeout=10)
assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation", asked
assert sns.get_subscription_attributes(SubscriptionArn=to_http)["Attributes"]["PendingConfirmation"] == "true"
with urllib.request.urlopen(asked["SubscribeURL"], timeout=10) as reply:
    assert to_http in reply.read().decode()
attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"], attributes["DisplayName"]) == ("2", "0", "drill")
kind = {"kind": {"DataType": "String", "StringValue": "alarm"}}
published = sns.publish(TopicArn=topic, Subject="ALARM", Message="5xx", MessageAttributes=kind)["MessageId"]
envelope = json.loads(received(url, WaitTimeSeconds=5)[0]["Body"])
assert (envelope["MessageId"], envelope["Subject"], envelope["Message"]) == (published, "ALARM", "5xx"), envelope
assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "alarm"}}, envelope
tries = [posts.get(timeout=30) for _ in range(2)]
assert [headers["x-amz-sns-message-id"] for headers, _ in tries] == [published, published], "500 is tried again"
assert tries[1][0]["x-amz-sns-subscription-arn"] == to_http and tries[1][1]["Message"] == "5xx", tries

sns.set_subscription_attributes(SubscriptionArn=to_queue, AttributeName="RawMessageDelivery", AttributeValue="true")
policy = json.dumps({"kind": [{"prefix": "al"}], "level": [{"numeric": [">=", 2]}]})
sns.set_subscription_attributes(SubscriptionArn=to_queue, AttributeName="FilterPolicy", AttributeValue=policy)
for level in ("1", "2"):
    sns.publish(TopicArn=topic, Message=level, MessageAttributes={**kind, "level": {"DataType": "Number", "StringValue": level}})
assert [message["Body"] for message in received(url, MaxNumberOfMessages=10, WaitTimeSeconds=1)] == ["2"]
entries = [{"Id": "good", "Message": "x"}, {"Id": "bad", "Message": "x", "Subject": "two\nlines"}]
batch = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
assert ([each["Id"] for each in batch["Successful"]], [each["Id"] for each in batch["Failed"]]) == (["good"], ["bad"]), batch
refused("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="http", Endpoint="http://example.com/")
refused("NotImplemented", sns.subscribe, TopicArn=topic, Protocol="email", Endpoint="a@example.com")
refused("NotFound", sns.publish, TopicArn=topic + "-missing", Message="x")
sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "a", "Value": "b"}])
assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "b"}]
assert {each["SubscriptionArn"] for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]} == {to_queue, to_http}
sns.unsubscribe(SubscriptionArn=to_http)
sns.delete_topic(TopicArn=topic)
assert topic not in {each["TopicArn"] for each in sns.list_subscriptions()["Subscriptions"]}
for each in (url, dead_url, fifo_url):
    sqs.delete_queue(QueueUrl=each)
server.shutdown()
