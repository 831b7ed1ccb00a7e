//! FIFO queues through the API.

use serde_json::json;

use crate::support::Lab;

#[tokio::test]
async fn order_and_duplicates_are_kept_by_group() {
    let lab = Lab::new();
    let attributes = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let url = lab.queue("jobs.fifo", attributes).await;
    let send = |group: &'static str, body: &'static str| {
        lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": body, "MessageGroupId": group}))
    };
    let first = send("g", "1").await.unwrap();
    assert_eq!(first["SequenceNumber"].as_str().map(str::len), Some(20));
    let again = send("g", "1").await.unwrap();
    assert_eq!((&again["MessageId"], &again["SequenceNumber"]), (&first["MessageId"], &first["SequenceNumber"]));
    send("g", "2").await.unwrap();
    send("h", "3").await.unwrap();
    let take = |max: i32| {
        lab.sqs("ReceiveMessage", json!({"QueueUrl": url, "MaxNumberOfMessages": max, "AttributeNames": ["All"]}))
    };
    let got = take(1).await.unwrap();
    assert_eq!(
        (&got["Messages"][0]["Body"], &got["Messages"][0]["Attributes"]["MessageGroupId"]),
        (&json!("1"), &json!("g"))
    );
    let next = take(10).await.unwrap();
    assert_eq!(next["Messages"].as_array().unwrap().len(), 1, "2 waits for 1: {next}");
    assert_eq!(next["Messages"][0]["Body"], "3");
    let handle = &got["Messages"][0]["ReceiptHandle"];
    lab.sqs("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await.unwrap();
    assert_eq!(take(10).await.unwrap()["Messages"][0]["Body"], "2");
}

#[tokio::test]
async fn what_does_not_fit_the_type_is_refused() {
    let lab = Lab::new();
    let fifo = lab.queue("jobs.fifo", json!({"FifoQueue": "true"})).await;
    let plain = lab.queue("jobs", json!({})).await;
    let send = |url: &str, more: serde_json::Value| {
        let mut input = json!({"QueueUrl": url, "MessageBody": "x"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        lab.sqs("SendMessage", input)
    };
    let code = "InvalidParameterValueException";
    assert_eq!(send(&fifo, json!({})).await, Err("MissingRequiredParameterException".into()));
    assert_eq!(send(&fifo, json!({"MessageGroupId": "g"})).await, Err(code.into()));
    let both = json!({"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2});
    assert_eq!(send(&fifo, both).await, Err(code.into()));
    assert_eq!(send(&plain, json!({"MessageDeduplicationId": "d"})).await, Err(code.into()));
    assert_eq!(send(&plain, json!({"DelaySeconds": 901})).await, Err(code.into()));
    let name = json!({"QueueName": "jobs.fifo"});
    assert_eq!(lab.sqs("CreateQueue", name).await, Err(code.into()), "the name alone makes no FIFO queue");
}
