//! The same calls in the query protocol, in AWS JSON 1.0 and in RPC v2 CBOR.

use std::io::Write as _;

use serde_json::json;

use crate::support::{Client, this_minute};

const QUERY: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
const CBOR: (&str, &str) = ("smithy-protocol", "rpc-v2-cbor");

async fn query(client: &Client, form: &str) -> (u16, String) {
    let response = client.send("/", &[QUERY], form.as_bytes().to_vec()).await;
    (response.status, String::from_utf8(response.body.to_vec()).expect("UTF-8"))
}

fn path(action: &str) -> String {
    format!("/service/GraniteServiceVersion20100801/operation/{action}")
}

#[tokio::test]
async fn what_one_protocol_puts_another_reads() {
    let client = Client::new();
    let minute = this_minute();
    let at = time::OffsetDateTime::from_unix_timestamp(minute).expect("a time");
    let iso = at.format(&time::format_description::well_known::Rfc3339).expect("a text").replace(':', "%3A");
    let (status, body) = query(
        &client,
        &format!("Action=PutMetricData&Version=2010-08-01&Namespace=Lab&MetricData.member.1.MetricName=m&MetricData.member.1.Timestamp={iso}&MetricData.member.1.Values.member.1=1&MetricData.member.1.Values.member.2=2.5&MetricData.member.1.Dimensions.member.1.Name=Task&MetricData.member.1.Dimensions.member.1.Value=a%2Bb"),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains("<PutMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\">"),
        "{body}"
    );
    assert!(body.contains("<RequestId>"), "{body}");

    let query_json = json!({
        "Namespace": "Lab", "MetricName": "m", "Dimensions": [{ "Name": "Task", "Value": "a+b" }],
        "StartTime": minute, "EndTime": minute + 60, "Period": 60, "Statistics": ["Sum", "SampleCount"],
    });
    let answer = client.ok("GetMetricStatistics", query_json.clone()).await;
    assert_eq!(
        answer["Datapoints"],
        json!([{ "Timestamp": minute as f64, "Sum": 3.5, "SampleCount": 2.0, "Unit": "None" }])
    );

    let mut extended = query_json;
    extended["Statistics"] = json!(null);
    extended["ExtendedStatistics"] = json!(["p50", "IQM"]);
    let answer = client.ok("GetMetricStatistics", extended).await;
    assert_eq!(answer["Datapoints"][0]["ExtendedStatistics"], json!({ "p50": 1.0, "IQM": 1.75 }));

    let (status, body) = query(
        &client,
        &format!("Action=GetMetricStatistics&Namespace=Lab&MetricName=m&Dimensions.member.1.Name=Task&Dimensions.member.1.Value=a%2Bb&StartTime={iso}&EndTime={}&Period=60&ExtendedStatistics.member.1=p100", minute + 60),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains("<ExtendedStatistics><entry><key>p100</key><value>2.5</value></entry></ExtendedStatistics>"),
        "{body}"
    );
    assert!(body.contains("<Label>m</Label><Datapoints><member><Timestamp>20"), "{body}");

    // {"Namespace": "Lab"} with an indefinite map, as some SDKs write it.
    let list = client.send(&path("ListMetrics"), &[CBOR], b"\xbf\x69Namespace\x63Lab\xff".to_vec()).await;
    assert_eq!(list.status, 200);
    assert_eq!(list.headers["smithy-protocol"], "rpc-v2-cbor");
    assert_eq!(list.headers["content-type"], "application/cbor");
    let expected = b"\xa1\x67Metrics\x81\xa3\x69Namespace\x63Lab\x6aMetricName\x61m\x6aDimensions\x81\xa2\x64Name\x64Task\x65Value\x63a+b";
    assert_eq!(list.body.as_ref(), expected);
    let empty = client.send(&path("ListMetrics"), &[CBOR], Vec::new()).await;
    assert_eq!(empty.body.as_ref(), expected, "no body is an empty input");
}

#[tokio::test]
async fn a_gzipped_body_is_read() {
    let client = Client::new();
    let body = json!({ "Namespace": "Lab", "MetricData": [{ "MetricName": "zipped", "Value": 1 }] }).to_string();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).expect("gzip");
    let zipped = encoder.finish().expect("gzip");
    let headers = [("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"), ("content-encoding", "gzip")];
    assert_eq!(client.send("/", &headers, zipped.clone()).await.status, 200);
    let answer = client.ok("ListMetrics", json!({})).await;
    assert_eq!(answer["Metrics"][0]["MetricName"], "zipped");
    let cut = client.send("/", &headers, zipped[..zipped.len() / 2].to_vec()).await;
    assert_eq!(cut.status, 400);
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..20 {
        bomb.write_all(&vec![b' '; 1 << 20]).expect("gzip");
    }
    let response = client.send("/", &headers, bomb.finish().expect("gzip")).await;
    assert!(String::from_utf8_lossy(&response.body).contains("longer than"), "{:?}", response.body);
}

#[tokio::test]
async fn errors_have_the_shape_of_their_protocol() {
    let client = Client::new();
    let (status, body) = query(&client, "Action=PutMetricData&Namespace=AWS%2FEC2").await;
    assert_eq!(status, 400);
    assert!(body.contains("<Code>InvalidParameterValue</Code>"), "{body}");
    assert!(body.contains("<Message>The value AWS/ for parameter Namespace is invalid.</Message>"), "{body}");

    let response = client
        .send(
            "/",
            &[("x-amz-target", "GraniteServiceVersion20100801.SetAlarmState")],
            br#"{"AlarmName":"gone","StateValue":"OK","StateReason":"x"}"#.to_vec(),
        )
        .await;
    assert_eq!(response.status, 404);
    assert_eq!(response.headers["x-amzn-query-error"], "ResourceNotFound;Sender");
    assert!(
        response.body.starts_with(br#"{"__type":"com.amazonaws.cloudwatch#ResourceNotFound""#),
        "{:?}",
        response.body
    );

    let response = client.send(&path("GetDashboard"), &[CBOR], b"\xa1\x6dDashboardName\x61x".to_vec()).await;
    assert_eq!(response.status, 404);
    assert_eq!(response.headers["x-amzn-query-error"], "ResourceNotFound;Sender");
    assert!(String::from_utf8_lossy(&response.body).contains("#DashboardNotFoundError"), "{:?}", response.body);

    let response = client.send(&path("PutMetricData"), &[CBOR], b"\xa1\x69Namesp".to_vec()).await;
    assert_eq!(response.status, 400);
    assert!(String::from_utf8_lossy(&response.body).contains("the end is missing at byte 2"), "{:?}", response.body);

    for action in ["PutAnomalyDetector", "GetMetricWidgetImage", "PutMetricStream", "Nonsense"] {
        let (code, message) = client.refused(action, json!({})).await;
        assert_eq!(code, "NotImplemented");
        assert!(message.contains(&format!("monitoring:{action}")), "{message}");
        let (status, body) = query(&client, &format!("Action={action}&Version=2010-08-01")).await;
        assert_eq!(status, 501, "{body}");
        assert_eq!(client.send(&path(action), &[CBOR], Vec::new()).await.status, 501);
    }
    let (code, message) = client.refused("PutMetricData", json!({ "Namespace": "Lab", "EntityMetricData": [] })).await;
    assert_eq!((code.as_str(), message.contains("EntityMetricData")), ("NotImplemented", true));
    assert_eq!(query(&client, "Version=2010-08-01").await.0, 400, "no action");
}
