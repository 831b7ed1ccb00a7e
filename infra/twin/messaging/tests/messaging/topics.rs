//! Topics, subscriptions and what reaches a queue.

use serde_json::{Value, json};
use twin_platform::seam::{AlarmActions as _, AlarmNotification};

use crate::support::{Lab, element};

impl Lab {
    /// A queue that is subscribed to a topic: its URL and the subscription's ARN.
    async fn subscribed(&self, topic: &str, name: &str, attributes: &[(&str, &str)]) -> (String, String) {
        let url = self.queue(name, json!({})).await;
        let arn = self.account.arn("sqs", name);
        let mut parameters = vec![("TopicArn", topic), ("Protocol", "sqs"), ("Endpoint", arn.as_str())];
        parameters.extend_from_slice(attributes);
        (url, element(&self.sns("Subscribe", &parameters).await.unwrap(), "SubscriptionArn"))
    }

    /// The bodies that a queue holds, as JSON.
    async fn bodies(&self, url: &str) -> Vec<Value> {
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
        let got = self.sqs("ReceiveMessage", input).await.unwrap();
        let list = got["Messages"].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|it| serde_json::from_str(it["Body"].as_str().unwrap()).unwrap_or_else(|_| it.clone()))
            .collect()
    }
}

#[tokio::test]
async fn what_is_published_is_in_the_queue() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    assert_eq!(topic, lab.account.arn("sns", "alarms"));
    let (url, arn) = lab.subscribed(&topic, "inbox", &[]).await;
    let published = lab
        .sns(
            "Publish",
            &[
                ("TopicArn", &topic),
                ("Subject", "a <subject>"),
                ("Message", "a message & more"),
                ("MessageAttributes.entry.1.Name", "kind"),
                ("MessageAttributes.entry.1.Value.DataType", "String"),
                ("MessageAttributes.entry.1.Value.StringValue", "drill"),
            ],
        )
        .await
        .unwrap();
    let bodies = lab.bodies(&url).await;
    let body = &bodies[0];
    assert_eq!((&body["Type"], &body["TopicArn"]), (&json!("Notification"), &json!(topic)));
    assert_eq!((&body["Subject"], &body["Message"]), (&json!("a <subject>"), &json!("a message & more")));
    assert_eq!(body["MessageId"], element(&published, "MessageId"));
    assert_eq!(body["MessageAttributes"], json!({"kind": {"Type": "String", "Value": "drill"}}));
    assert!(body.get("Signature").is_none(), "nothing is signed");
    lab.open(body["UnsubscribeURL"].as_str().unwrap()).await.unwrap();
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "after")]).await.unwrap();
    assert!(lab.bodies(&url).await.is_empty(), "{arn} has ended");
    let shown = lab.sns("GetTopicAttributes", &[("TopicArn", &topic)]).await.unwrap();
    assert!(shown.contains("<key>SubscriptionsDeleted</key><value>1</value>"), "{shown}");
}

#[tokio::test]
async fn an_alarm_action_publishes_and_a_missing_topic_is_an_error() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let (url, _) = lab.subscribed(&topic, "inbox", &[]).await;
    let subject = format!("ALARM: \"{}\"", "x".repeat(200));
    let notification = |subject: &str| AlarmNotification {
        subject: subject.to_owned(),
        message: r#"{"NewStateValue":"ALARM"}"#.to_owned(),
        reason_data: None,
    };
    lab.sns.run(&topic, &notification(&subject)).await.unwrap();
    let bodies = lab.bodies(&url).await;
    assert_eq!(bodies[0]["Message"], r#"{"NewStateValue":"ALARM"}"#);
    assert_eq!(bodies[0]["Subject"].as_str().unwrap().len(), 100);
    let lost = lab.sns.run(&format!("{topic}-lost"), &notification("s")).await.unwrap_err();
    assert_eq!((lost.code.as_str(), lost.message.as_str()), ("NotFound", "Topic does not exist"));
}

#[tokio::test]
async fn filters_and_raw_delivery_act() {
    let lab = Lab::new();
    let topic = lab.topic("events").await;
    let filter = [("Attributes.entry.1.key", "FilterPolicy"), ("Attributes.entry.1.value", r#"{"kind":["b"]}"#)];
    let (some, _) = lab.subscribed(&topic, "some", &filter).await;
    let raw = [("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true")];
    let (all, arn) = lab.subscribed(&topic, "all", &raw).await;
    for kind in ["a", "b"] {
        let attribute = [
            ("TopicArn", topic.as_str()),
            ("Message", kind),
            ("MessageAttributes.entry.1.Name", "kind"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", kind),
        ];
        lab.sns("Publish", &attribute).await.unwrap();
    }
    let bodies = lab.bodies(&some).await;
    assert_eq!(bodies.iter().map(|body| body["Message"].as_str().unwrap()).collect::<Vec<_>>(), ["b"]);
    let messages = lab.bodies(&all).await;
    assert_eq!(messages.iter().map(|it| it["Body"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(messages[0]["MessageAttributes"], json!({"kind": {"DataType": "String", "StringValue": "a"}}));
    let set = [("SubscriptionArn", arn.as_str()), ("AttributeName", "RedrivePolicy"), ("AttributeValue", "{}")];
    assert!(lab.sns("SetSubscriptionAttributes", &set).await.unwrap_err().contains("NotImplemented"));
    let set = [("SubscriptionArn", arn.as_str()), ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "false")];
    lab.sns("SetSubscriptionAttributes", &set).await.unwrap();
    let shown = lab.sns("GetSubscriptionAttributes", &[("SubscriptionArn", &arn)]).await.unwrap();
    assert!(shown.contains("<key>RawMessageDelivery</key><value>false</value>"), "{shown}");
    assert!(shown.contains("<key>PendingConfirmation</key><value>false</value>"), "{shown}");
}

#[tokio::test]
async fn a_structured_message_and_a_batch_reach_the_queue() {
    let lab = Lab::new();
    let topic = lab.topic("events").await;
    let (url, _) = lab.subscribed(&topic, "inbox", &[]).await;
    let message = r#"{"default":"for all","sqs":"for queues"}"#;
    let structured = [("TopicArn", topic.as_str()), ("Message", message), ("MessageStructure", "json")];
    lab.sns("Publish", &structured).await.unwrap();
    let batch = [
        ("TopicArn", topic.as_str()),
        ("PublishBatchRequestEntries.member.1.Id", "good"),
        ("PublishBatchRequestEntries.member.1.Message", "one"),
        ("PublishBatchRequestEntries.member.2.Id", "bad"),
        ("PublishBatchRequestEntries.member.2.Message", ""),
    ];
    let answer = lab.sns("PublishBatch", &batch).await.unwrap();
    let (done, failed) = answer.split_once("<Failed>").unwrap();
    assert!(done.contains("<Id>good</Id>") && failed.contains("<Id>bad</Id>"), "{answer}");
    assert_eq!(element(failed, "Code"), "InvalidParameter");
    let bodies = lab.bodies(&url).await;
    assert_eq!(bodies.iter().map(|body| body["Message"].as_str().unwrap()).collect::<Vec<_>>(), ["for queues", "one"]);
}

#[tokio::test]
async fn topics_are_made_once_listed_tagged_and_taken_away() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    assert_eq!(lab.topic("alarms").await, topic);
    let (_, arn) = lab.subscribed(&topic, "inbox", &[]).await;
    let tags = [("ResourceArn", topic.as_str()), ("Tags.member.1.Key", "a"), ("Tags.member.1.Value", "1")];
    lab.sns("TagResource", &tags).await.unwrap();
    assert!(lab.sns("ListTagsForResource", &tags[..1]).await.unwrap().contains("<Key>a</Key><Value>1</Value>"));
    lab.sns("UntagResource", &[("ResourceArn", &topic), ("TagKeys.member.1", "a")]).await.unwrap();
    assert!(!lab.sns("ListTagsForResource", &tags[..1]).await.unwrap().contains("<Key>"));
    for number in 0..100 {
        lab.topic(&format!("b{number}")).await;
    }
    let page = lab.sns("ListTopics", &[]).await.unwrap();
    let token = element(&page, "NextToken");
    let rest = lab.sns("ListTopics", &[("NextToken", &token)]).await.unwrap();
    assert_eq!((page.matches("<TopicArn>").count(), rest.matches("<TopicArn>").count()), (100, 1));
    let listed = lab.sns("ListSubscriptionsByTopic", &[("TopicArn", &topic)]).await.unwrap();
    assert_eq!(element(&listed, "SubscriptionArn"), arn);
    lab.sns("DeleteTopic", &[("TopicArn", &topic)]).await.unwrap();
    lab.sns("DeleteTopic", &[("TopicArn", &topic)]).await.unwrap();
    assert!(!lab.sns("ListSubscriptions", &[]).await.unwrap().contains("<SubscriptionArn>"));
    let lost = lab.sns("Publish", &[("TopicArn", &topic), ("Message", "x")]).await.unwrap_err();
    assert_eq!((element(&lost, "Code"), element(&lost, "Message")), ("NotFound".into(), "Topic does not exist".into()));
}

#[tokio::test]
async fn what_is_not_imitated_is_refused_by_name() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let subscribe = |protocol: &'static str, endpoint: &'static str| {
        let parameters = [("TopicArn", topic.clone()), ("Protocol", protocol.into()), ("Endpoint", endpoint.into())];
        let lab = &lab;
        async move {
            let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
            lab.sns("Subscribe", &parameters).await.unwrap_err()
        }
    };
    for protocol in ["email", "lambda", "sms"] {
        let error = subscribe(protocol, "x").await;
        assert!(error.contains("NotImplemented") && error.contains(protocol), "{error}");
    }
    let outside = subscribe("http", "http://example.com/hook").await;
    assert!(outside.contains("InvalidParameter") && outside.contains("loopback only"), "{outside}");
    let fifo = subscribe("sqs", "arn:aws:sqs:eu-west-1:123456789012:x.fifo").await;
    assert!(fifo.contains("standard SNS topics"), "{fifo}");
    assert!(subscribe("sqs", "arn:aws:sqs:us-east-1:1:x").await.contains("another account or region"));
    assert!(lab.sns("CreateTopic", &[("Name", "a.fifo")]).await.unwrap_err().contains("NotImplemented"));
    assert!(
        lab.sns("Publish", &[("PhoneNumber", "+1"), ("Message", "x")])
            .await
            .unwrap_err()
            .contains("Publish with PhoneNumber")
    );
    assert!(lab.sns("CreatePlatformApplication", &[]).await.unwrap_err().contains("CreatePlatformApplication"));
}
