//! Whatever a caller sends is answered: with what it asked for, or with an error that has a code.

use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};
use twin_platform::{Request, Service as _};

use crate::support::{ENDPOINT, Lab, sqs_request};

const SQS_ACTIONS: [&str; 9] = [
    "SendMessage",
    "SendMessageBatch",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "SetQueueAttributes",
    "GetQueueAttributes",
    "CreateQueue",
];
const SNS_ACTIONS: [&str; 6] =
    ["Publish", "PublishBatch", "Subscribe", "SetSubscriptionAttributes", "SetTopicAttributes", "ListTopics"];

/// A value that a member may have: of the right type with any content, or of another type.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        (-5_i64..20).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(null)),
        Just(json!(["All", "a.*"])),
        any::<String>().prop_map(|text| json!({"VisibilityTimeout": text, "DelaySeconds": "0"})),
        any::<String>().prop_map(|text| json!({"a": {"DataType": "Binary", "BinaryValue": text}})),
        any::<i64>().prop_map(|number| json!([{"Id": "a", "MessageBody": "x", "DelaySeconds": number}])),
    ]
}

fn member() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "MessageBody",
        "DelaySeconds",
        "MessageAttributes",
        "MessageGroupId",
        "Entries",
        "ReceiptHandle",
        "VisibilityTimeout",
        "MaxNumberOfMessages",
        "AttributeNames",
        "Attributes",
        "QueueName",
    ])
}

fn parameter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Message",
        "Subject",
        "MessageStructure",
        "Protocol",
        "Endpoint",
        "AttributeName",
        "AttributeValue",
        "NextToken",
        "PublishBatchRequestEntries.member.1.Message",
        "MessageAttributes.entry.1.Value.BinaryValue",
    ])
}

fn answered(response: &twin_platform::Response) -> bool {
    let body = String::from_utf8_lossy(&response.body);
    response.status == 200 || body.contains("__type") || body.contains("<Code>")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn sqs_answers(action in prop::sample::select(&SQS_ACTIONS[..]), members in prop::collection::hash_map(member(), value(), 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lab = Lab::new();
            lab.queue("q", json!({})).await;
            let mut input = json!(members);
            input["QueueUrl"] = json!(format!("{ENDPOINT}/{}/q", lab.account.id));
            if action == "CreateQueue" {
                input.as_object_mut().unwrap().remove("QueueUrl");
            }
            let response = lab.sqs.handle(sqs_request(action, &input)).await;
            prop_assert!(answered(&response), "{action} {input}: {response:?}");
            Ok(())
        })?;
    }

    #[test]
    fn sns_answers(
        action in prop::sample::select(&SNS_ACTIONS[..]),
        parameters in prop::collection::hash_map(parameter(), any::<String>(), 0..4),
        rest in any::<Vec<u8>>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lab = Lab::new();
            let topic = lab.topic("t").await;
            let pairs: String = parameters.iter().map(|(name, value)| format!("&{name}={}", value.replace('&', "%26"))).collect();
            let mut body = format!("Action={action}&TopicArn={topic}{pairs}&NextToken=").into_bytes();
            body.extend(rest);
            let request = Request { method: "POST".into(), uri: "/".into(), headers: HeaderMap::new(), body: body.into() };
            let response = lab.sns.handle(request).await;
            prop_assert!(answered(&response), "{action} {parameters:?}: {response:?}");
            Ok(())
        })?;
    }
}
