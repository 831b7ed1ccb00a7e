//! Queues: names, URLs, attributes, errors, batches, tags.

use serde_json::json;
use twin_platform::Service as _;

use crate::support::{ENDPOINT, Lab, sqs_request};

#[tokio::test]
async fn a_queue_is_made_found_and_taken_away() {
    let lab = Lab::new();
    let url = lab.queue("jobs", json!({"VisibilityTimeout": "7"})).await;
    assert_eq!(url, format!("{ENDPOINT}/{}/jobs", lab.account.id));
    assert_eq!(lab.queue("jobs", json!({})).await, url, "asking again is no error");
    let other = json!({"QueueName": "jobs", "Attributes": {"VisibilityTimeout": "8"}});
    assert_eq!(lab.sqs("CreateQueue", other).await, Err("QueueNameExists".into()));
    let found = lab.sqs("GetQueueUrl", json!({"QueueName": "jobs"})).await.unwrap();
    assert_eq!(found["QueueUrl"], url);
    for name in ["jobs-b", "jobs-c", "other"] {
        lab.queue(name, json!({})).await;
    }
    let page = lab.sqs("ListQueues", json!({"QueueNamePrefix": "jobs", "MaxResults": 2})).await.unwrap();
    assert_eq!(page["QueueUrls"].as_array().unwrap().len(), 2);
    let rest = json!({"QueueNamePrefix": "jobs", "MaxResults": 2, "NextToken": page["NextToken"]});
    let rest = lab.sqs("ListQueues", rest).await.unwrap();
    assert_eq!((rest["QueueUrls"].as_array().unwrap().len(), rest["NextToken"].as_str()), (1, None));
    lab.sqs("DeleteQueue", json!({"QueueUrl": url})).await.unwrap();
    assert_eq!(lab.sqs("GetQueueUrl", json!({"QueueName": "jobs"})).await, Err("QueueDoesNotExist".into()));
}

#[tokio::test]
async fn attributes_are_set_all_or_none() {
    let lab = Lab::new();
    let dead = lab.queue("dead", json!({})).await;
    let url = lab.queue("jobs", json!({})).await;
    let arn = lab.account.arn("sqs", "dead");
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": 2}).to_string();
    let wrong = json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "3", "VisibilityTimeout": "x"}});
    assert_eq!(lab.sqs("SetQueueAttributes", wrong).await, Err("InvalidAttributeValue".into()));
    let right = json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "3", "RedrivePolicy": redrive}});
    lab.sqs("SetQueueAttributes", right).await.unwrap();
    let all = lab.sqs("GetQueueAttributes", json!({"QueueUrl": url, "AttributeNames": ["All"]})).await.unwrap();
    let all = &all["Attributes"];
    assert_eq!((&all["DelaySeconds"], &all["VisibilityTimeout"]), (&json!("3"), &json!("30")));
    assert_eq!((&all["RedrivePolicy"], &all["QueueArn"]), (&json!(redrive), &json!(lab.account.arn("sqs", "jobs"))));
    let sources = lab.sqs("ListDeadLetterSourceQueues", json!({"QueueUrl": dead})).await.unwrap();
    assert_eq!(sources["queueUrls"], json!([url]));
    let lost = json!({"deadLetterTargetArn": format!("{arn}-lost"), "maxReceiveCount": 2}).to_string();
    let lost = json!({"QueueUrl": url, "Attributes": {"RedrivePolicy": lost}});
    assert_eq!(lab.sqs("SetQueueAttributes", lost).await, Err("InvalidParameterValueException".into()));
    let names = json!({"QueueUrl": url, "AttributeNames": ["Policy"]});
    assert_eq!(lab.sqs("GetQueueAttributes", names).await, Ok(json!({})), "known, and not set");
    let names = json!({"QueueUrl": url, "AttributeNames": ["Colour"]});
    assert_eq!(lab.sqs("GetQueueAttributes", names).await, Err("InvalidAttributeName".into()));
}

#[tokio::test]
async fn errors_have_both_codes_and_refusals_a_name() {
    let lab = Lab::new();
    let input = json!({"QueueUrl": format!("{ENDPOINT}/{}/missing", lab.account.id), "MessageBody": "x"});
    let response = lab.sqs.handle(sqs_request("SendMessage", &input)).await;
    assert_eq!(response.status, 400);
    assert_eq!(response.headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert_eq!(lab.sqs("StartMessageMoveTask", json!({})).await, Err("NotImplemented".into()));
    assert_eq!(lab.sqs("SendMessage", json!({"Colour": "red"})).await, Err("SerializationException".into()));
    let mut old = sqs_request("SendMessage", &json!({}));
    old.headers.clear();
    old.body = "Action=SendMessage&Version=2012-11-05".into();
    let refusal = lab.sqs.handle(old).await;
    let text = String::from_utf8_lossy(&refusal.body).into_owned();
    assert!(refusal.status == 501 && text.contains("SendMessage in the query protocol"), "{text}");
}

#[tokio::test]
async fn a_batch_answers_for_each_entry() {
    let lab = Lab::new();
    let url = lab.queue("jobs", json!({"MaximumMessageSize": "1024"})).await;
    let entry = |id: &str, body: &str| json!({"Id": id, "MessageBody": body});
    let long = "x".repeat(1025);
    let sent = json!({"QueueUrl": url, "Entries": [entry("a", "one"), entry("b", &long), entry("c", "three")]});
    let sent = lab.sqs("SendMessageBatch", sent).await.unwrap();
    let ids = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&sent["Successful"]), ids(&sent["Failed"])), (vec!["a".into(), "c".into()], vec!["b".into()]));
    assert_eq!(sent["Failed"][0]["Code"], "InvalidParameterValue");
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
    let got = lab.sqs("ReceiveMessage", input).await.unwrap();
    let handle = &got["Messages"][0]["ReceiptHandle"];
    let entries = json!([{"Id": "x", "ReceiptHandle": handle}, {"Id": "y", "ReceiptHandle": "bogus"}]);
    let gone = lab.sqs("DeleteMessageBatch", json!({"QueueUrl": url, "Entries": entries})).await.unwrap();
    assert_eq!((ids(&gone["Successful"]), ids(&gone["Failed"])), (vec!["x".into()], vec!["y".into()]));
    assert_eq!(gone["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    let twice = json!({"QueueUrl": url, "Entries": [entry("a", "1"), entry("a", "2")]});
    assert_eq!(lab.sqs("SendMessageBatch", twice).await, Err("BatchEntryIdsNotDistinct".into()));
    assert_eq!(lab.sqs("SendMessageBatch", json!({"QueueUrl": url})).await, Err("EmptyBatchRequest".into()));
    let odd = json!({"QueueUrl": url, "MessageBody": "x", "Odd": 1});
    assert_eq!(lab.sqs("SendMessage", odd).await, lab.sqs("DeleteQueue", json!({"QueueUrl": url, "Odd": 1})).await);
    let eleven: Vec<_> = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    let eleven = json!({"QueueUrl": url, "Entries": eleven});
    assert_eq!(lab.sqs("SendMessageBatch", eleven).await, Err("TooManyEntriesInBatchRequest".into()));
}

#[tokio::test]
async fn a_queue_is_purged_and_tagged() {
    let lab = Lab::new();
    let url = lab.queue("jobs", json!({})).await;
    lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await.unwrap();
    lab.sqs("PurgeQueue", json!({"QueueUrl": url})).await.unwrap();
    assert_eq!(lab.sqs("ReceiveMessage", json!({"QueueUrl": url})).await, Ok(json!({})));
    assert_eq!(lab.sqs("PurgeQueue", json!({"QueueUrl": url})).await, Err("PurgeQueueInProgress".into()));
    lab.sqs("TagQueue", json!({"QueueUrl": url, "Tags": {"a": "1", "b": "2"}})).await.unwrap();
    lab.sqs("UntagQueue", json!({"QueueUrl": url, "TagKeys": ["a"]})).await.unwrap();
    let tags = lab.sqs("ListQueueTags", json!({"QueueUrl": url})).await.unwrap();
    assert_eq!(tags, json!({"Tags": {"b": "2"}}));
}
