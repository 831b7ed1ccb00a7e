//! A program of one's own subscribes to the alarms' topic: it is asked to confirm, and then told.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use serde_json::Value;
use tests::{Lab, Reply};

/// The kind that the header names, and the body.
type Got = (String, Value);

/// Answers 200 to whatever is posted, and hands it on.
fn subscriber() -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/alarms", listener.local_addr().expect("an address"));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection may carry several; whoever waits for one of them has all the others later.
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                while let Some(got) = post(&mut stream) {
                    if sender.send(got).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, receiver)
}

fn post(stream: &mut BufReader<TcpStream>) -> Option<Got> {
    let (mut kind, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok()?,
            Some((name, value)) if name.eq_ignore_ascii_case("x-amz-sns-message-type") => value.clone_into(&mut kind),
            _ if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some((kind, serde_json::from_slice(&body).ok()?))
}

#[test]
fn a_subscriber_confirms_and_is_told_of_an_alarm() {
    let lab = Lab::up_with(&["--speed", "20"]);
    let topics = lab.aws(&["sns", "list-topics"]);
    let topic = topics["Topics"][0]["TopicArn"].as_str().expect("the lab has a topic").to_owned();
    let (url, posts) = subscriber();
    let next = || posts.recv_timeout(Duration::from_secs(30)).expect("the subscriber is told");
    lab.aws(&["sns", "subscribe", "--topic-arn", &topic, "--protocol", "http", "--notification-endpoint", &url]);
    let (kind, asked) = next();
    assert_eq!((kind.as_str(), &asked["TopicArn"]), ("SubscriptionConfirmation", &Value::from(topic.clone())));
    let confirm = asked["SubscribeURL"].as_str().expect("a URL");
    assert_eq!(Reply::get(confirm, &[], Duration::from_secs(10)).expect("a reply").status, 200);

    let watch = ["--alarm-name", "silence", "--namespace", "Lab", "--metric-name", "Never", "--statistic", "Sum"];
    let when = ["--period", "60", "--evaluation-periods", "1", "--threshold", "1", "--alarm-actions", &topic];
    let compare = ["--comparison-operator", "LessThanThreshold", "--treat-missing-data", "breaching"];
    lab.aws(&[&["cloudwatch", "put-metric-alarm"], &watch[..], &when, &compare].concat());
    // The lab's own alarms speak to the topic too.
    let told = std::iter::repeat_with(next).find_map(|(kind, told)| {
        assert_eq!(kind, "Notification");
        let message: Value = serde_json::from_str(told["Message"].as_str()?).ok()?;
        (message["AlarmName"] == "silence").then_some((told, message))
    });
    let (told, message) = told.expect("an endless search");
    assert_eq!((&message["NewStateValue"], &message["OldStateValue"]), (&"ALARM".into(), &"INSUFFICIENT_DATA".into()));
    assert_eq!(told["Subject"].as_str().map(|subject| subject.starts_with("ALARM: \"silence\" in ")), Some(true));
}
