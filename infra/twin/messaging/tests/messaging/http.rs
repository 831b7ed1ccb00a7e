//! HTTP subscribers: confirmation, headers, tries, and that none of them holds up a publisher.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Lab, Subscriber, element, until};

async fn subscribe(lab: &Lab, topic: &str, url: &str) -> String {
    let parameters = [("TopicArn", topic), ("Protocol", "http"), ("Endpoint", url), ("ReturnSubscriptionArn", "true")];
    element(&lab.sns("Subscribe", &parameters).await.unwrap(), "SubscriptionArn")
}

/// Subscribes, and confirms by the URL in the first request.
async fn confirmed(lab: &Lab, topic: &str, subscriber: &Subscriber) -> String {
    let arn = subscribe(lab, topic, &subscriber.url).await;
    let asked = subscriber.wait_for(1).await[0].json();
    let answer = lab.open(asked["SubscribeURL"].as_str().unwrap()).await.unwrap();
    assert_eq!(element(&answer, "SubscriptionArn"), arn);
    arn
}

#[tokio::test]
async fn a_subscriber_is_asked_first_and_told_after() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let subscriber = Subscriber::start(&[]).await;
    let arn = subscribe(&lab, &topic, &subscriber.url).await;
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "too early")]).await.unwrap();
    let listed = lab.sns("ListSubscriptions", &[]).await.unwrap();
    assert_eq!(element(&listed, "SubscriptionArn"), "PendingConfirmation");
    let asked = subscriber.wait_for(1).await.remove(0);
    assert_eq!(asked.header("x-amz-sns-message-type"), "SubscriptionConfirmation");
    assert_eq!(
        (asked.json()["Type"].clone(), asked.json()["TopicArn"].clone()),
        (json!("SubscriptionConfirmation"), json!(topic))
    );
    let token = asked.json()["Token"].as_str().unwrap().to_owned();
    let wrong = lab.sns("ConfirmSubscription", &[("TopicArn", &topic), ("Token", "wrong")]).await.unwrap_err();
    assert_eq!(element(&wrong, "Code"), "InvalidParameter");
    for _ in 0..2 {
        lab.sns("ConfirmSubscription", &[("TopicArn", &topic), ("Token", &token)]).await.unwrap();
    }
    let published = lab.sns("Publish", &[("TopicArn", &topic), ("Message", "hello"), ("Subject", "s")]).await.unwrap();
    let told = subscriber.wait_for(2).await.remove(1);
    assert_eq!(told.header("x-amz-sns-message-type"), "Notification");
    assert_eq!(told.header("x-amz-sns-message-id"), element(&published, "MessageId"));
    assert_eq!(
        (told.header("x-amz-sns-topic-arn"), told.header("x-amz-sns-subscription-arn")),
        (topic.as_str(), arn.as_str())
    );
    assert_eq!(told.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!((told.json()["Message"].clone(), told.json()["Subject"].clone()), (json!("hello"), json!("s")));
    let raw = [("SubscriptionArn", arn.as_str()), ("AttributeName", "RawMessageDelivery"), ("AttributeValue", "true")];
    lab.sns("SetSubscriptionAttributes", &raw).await.unwrap();
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "as it is")]).await.unwrap();
    let told = subscriber.wait_for(3).await.remove(2);
    assert_eq!((told.body.as_str(), told.header("x-amz-sns-rawdelivery")), ("as it is", "true"));
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_under_the_same_id() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let subscriber = Subscriber::start(&[200, 503, 429, 200]).await;
    confirmed(&lab, &topic, &subscriber).await;
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "hello")]).await.unwrap();
    let got = subscriber.wait_for(4).await;
    let ids: Vec<_> = got[1..].iter().map(|it| it.header("x-amz-sns-message-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn tries_end_after_the_fourth_and_at_once_on_a_refusal() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let failing = Subscriber::start(&[200, 500, 500, 500, 500]).await;
    confirmed(&lab, &topic, &failing).await;
    let other = lab.topic("other").await;
    let refusing = Subscriber::start(&[200, 403]).await;
    confirmed(&lab, &other, &refusing).await;
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "first")]).await.unwrap();
    lab.sns("Publish", &[("TopicArn", &other), ("Message", "first")]).await.unwrap();
    failing.wait_for(5).await;
    // Longer than the pause: a fifth try of the first would come before the second message.
    tokio::time::sleep(Duration::from_millis(300)).await;
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "second")]).await.unwrap();
    lab.sns("Publish", &[("TopicArn", &other), ("Message", "second")]).await.unwrap();
    assert_eq!(failing.wait_for(6).await[5].json()["Message"], "second");
    assert_eq!(refusing.wait_for(3).await[2].json()["Message"], "second");
}

#[tokio::test]
async fn a_dead_subscriber_holds_up_nobody_and_costs_no_more_than_its_backlog() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let silent = Subscriber::start(&[&[200][..], &[0; 100]].concat()).await;
    let arn = confirmed(&lab, &topic, &silent).await;
    let lively = Subscriber::start(&[]).await;
    confirmed(&lab, &topic, &lively).await;
    let large = "x".repeat(200 << 10);
    let started = Instant::now();
    // 6 MB for a backlog of 4 MiB: some of it is dropped, for the silent one only.
    for _ in 0..30 {
        lab.sns("Publish", &[("TopicArn", &topic), ("Message", &large)]).await.unwrap();
        let count = lively.got().len();
        lively.wait_for(count + 1).await;
    }
    assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    lively.wait_for(31).await;
    silent.wait_for(9).await;
    assert!(silent.got().len() <= 9, "eight lanes and the confirmation, not {}", silent.got().len());
    lab.sns("Unsubscribe", &[("SubscriptionArn", &arn)]).await.unwrap();
    lab.sns("Publish", &[("TopicArn", &topic), ("Message", "after")]).await.unwrap();
    until("the lively one has the last", || async {
        lively.got().last().filter(|got| got.json()["Message"] == "after").cloned()
    })
    .await;
}

#[tokio::test]
async fn a_closed_port_is_tried_again() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    subscribe(&lab, &topic, &format!("http://127.0.0.1:{port}/")).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let accepted = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await;
    assert!(accepted.is_ok(), "no try came after the port was opened");
}

#[tokio::test]
async fn an_https_subscriber_is_spoken_to_in_tls() {
    let lab = Lab::new();
    let topic = lab.topic("alarms").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}/", listener.local_addr().unwrap());
    let parameters = [("TopicArn", topic.as_str()), ("Protocol", "https"), ("Endpoint", endpoint.as_str())];
    match lab.sns("Subscribe", &parameters).await {
        Ok(answer) => {
            assert_eq!(element(&answer, "SubscriptionArn"), "pending confirmation");
            let (mut stream, _) = listener.accept().await.unwrap();
            let handshake = 22;
            assert_eq!(tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap(), handshake);
        }
        Err(error) => assert!(error.contains("no HTTPS on this machine"), "{error}"),
    }
}
