//! Receiving: visibility, long polls, dead letters, attributes, and two receivers at once.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::Lab;

fn bodies(got: &Value) -> Vec<&str> {
    got["Messages"].as_array().map_or(Vec::new(), |list| list.iter().map(|it| it["Body"].as_str().unwrap()).collect())
}

#[tokio::test]
async fn a_message_comes_again_when_its_visibility_is_over() {
    let lab = Lab::new();
    let url = lab.queue("jobs", json!({"VisibilityTimeout": "1"})).await;
    lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": "work"})).await.unwrap();
    let started = Instant::now();
    let first = lab.sqs("ReceiveMessage", json!({"QueueUrl": url})).await.unwrap();
    assert_eq!(bodies(&first), ["work"]);
    assert_eq!(bodies(&lab.sqs("ReceiveMessage", json!({"QueueUrl": url})).await.unwrap()), [""; 0]);
    // The long poll wakes when the time-out ends, not when the poll does.
    let again = json!({"QueueUrl": url, "WaitTimeSeconds": 20, "AttributeNames": ["ApproximateReceiveCount"]});
    let second = lab.sqs("ReceiveMessage", again).await.unwrap();
    assert_eq!(second["Messages"][0]["Attributes"]["ApproximateReceiveCount"], "2");
    let took = started.elapsed();
    assert!((Duration::from_millis(995)..Duration::from_secs(8)).contains(&took), "{took:?}");
    let handle = &second["Messages"][0]["ReceiptHandle"];
    lab.sqs("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": handle})).await.unwrap();
    let gone = json!({"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 1});
    assert_eq!(lab.sqs("ChangeMessageVisibility", gone).await, Err("InvalidParameterValueException".into()));
}

#[tokio::test]
async fn a_long_poll_waits_and_is_woken_by_a_message() {
    let lab = Arc::new(Lab::new());
    let url = lab.queue("jobs", json!({})).await;
    let started = Instant::now();
    let empty = lab.sqs("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 1})).await.unwrap();
    assert_eq!(empty, json!({}));
    assert!(started.elapsed() >= Duration::from_millis(995), "{:?}", started.elapsed());
    let poll = {
        let (lab, url) = (lab.clone(), url.clone());
        tokio::spawn(async move { lab.sqs("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20})).await })
    };
    tokio::task::yield_now().await;
    let started = Instant::now();
    lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": "now"})).await.unwrap();
    assert_eq!(bodies(&poll.await.unwrap().unwrap()), ["now"]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let poll = {
        let (lab, url) = (lab.clone(), url.clone());
        tokio::spawn(async move { lab.sqs("ReceiveMessage", json!({"QueueUrl": url, "WaitTimeSeconds": 20})).await })
    };
    tokio::task::yield_now().await;
    lab.sqs("DeleteQueue", json!({"QueueUrl": url})).await.unwrap();
    assert_eq!(poll.await.unwrap(), Err("QueueDoesNotExist".into()), "a poll ends with its queue");
}

#[tokio::test]
async fn a_message_that_nobody_handles_goes_to_the_dead_letters() {
    let lab = Lab::new();
    let dead = lab.queue("dead", json!({})).await;
    let arn = lab.account.arn("sqs", "dead");
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": "2"}).to_string();
    let url = lab.queue("jobs", json!({"VisibilityTimeout": "0", "RedrivePolicy": redrive})).await;
    let sent = lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": "poison"})).await.unwrap();
    for _ in 0..2 {
        assert_eq!(bodies(&lab.sqs("ReceiveMessage", json!({"QueueUrl": url})).await.unwrap()), ["poison"]);
    }
    assert_eq!(bodies(&lab.sqs("ReceiveMessage", json!({"QueueUrl": url})).await.unwrap()), [""; 0]);
    let found = json!({"QueueUrl": dead, "MessageSystemAttributeNames": ["DeadLetterQueueSourceArn"]});
    let found = lab.sqs("ReceiveMessage", found).await.unwrap();
    let message = &found["Messages"][0];
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["Attributes"], json!({"DeadLetterQueueSourceArn": lab.account.arn("sqs", "jobs")}));
}

#[tokio::test]
async fn attributes_travel_with_their_digests() {
    let lab = Lab::new();
    let url = lab.queue("jobs", json!({"VisibilityTimeout": "0"})).await;
    let attributes = json!({
        "Hello": {"DataType": "String", "StringValue": "There"},
        "General": {"DataType": "String", "StringValue": "Kenobi"},
        "Help.Me": {"DataType": "String", "StringValue": "Me"},
    });
    let trace =
        json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}});
    let input = json!({"QueueUrl": url, "MessageBody": "msg", "MessageAttributes": attributes, "MessageSystemAttributes": trace});
    let sent = lab.sqs("SendMessage", input).await.unwrap();
    assert_eq!(sent["MD5OfMessageBody"], "6e2baaf3b97dbeef01c0043275f9a0e7");
    assert_eq!(sent["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5");
    assert!(sent["MD5OfMessageSystemAttributes"].is_string());
    // The digests are those that AWS answered for these names.
    for (names, count, digest) in [
        (json!(["All"]), 3, Some("4c360f3fdafd970e05fae2f149d997f5")),
        (json!(["Hel.*"]), 2, Some("83fee93c1bcd8b9a5a923ffacdc636c7")),
        (json!(["Hello", "nothing"]), 1, Some("a311262e065454b75da111d535b8dacd")),
        (json!([]), 0, None),
    ] {
        let input = json!({"QueueUrl": url, "MessageAttributeNames": names, "AttributeNames": ["AWSTraceHeader"]});
        let got = lab.sqs("ReceiveMessage", input).await.unwrap();
        let message = &got["Messages"][0];
        assert_eq!(message["MessageAttributes"].as_object().map_or(0, serde_json::Map::len), count, "{names}");
        assert_eq!(message["MD5OfMessageAttributes"].as_str(), digest, "{names}");
        assert_eq!(message["Attributes"]["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    }
    let wrong = json!({"QueueUrl": url, "MaxNumberOfMessages": 11});
    assert_eq!(lab.sqs("ReceiveMessage", wrong).await, Err("InvalidParameterValueException".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_receivers_never_have_the_same_message() {
    const MESSAGES: usize = 400;
    let lab = Arc::new(Lab::new());
    let url = lab.queue("jobs", json!({"VisibilityTimeout": "60"})).await;
    let receivers: Vec<_> = (0..4)
        .map(|_| {
            let (lab, url) = (lab.clone(), url.clone());
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 3, "WaitTimeSeconds": 2});
                    let got = lab.sqs("ReceiveMessage", input).await.unwrap();
                    let found = bodies(&got).into_iter().map(str::to_owned).collect::<Vec<_>>();
                    if found.is_empty() {
                        return seen;
                    }
                    seen.extend(found);
                }
            })
        })
        .collect();
    for number in 0..MESSAGES {
        lab.sqs("SendMessage", json!({"QueueUrl": url, "MessageBody": number.to_string()})).await.unwrap();
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut seen = Vec::new();
    for receiver in receivers {
        seen.extend(receiver.await.unwrap());
    }
    assert_eq!(seen.len(), MESSAGES, "each message once");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), MESSAGES);
}
