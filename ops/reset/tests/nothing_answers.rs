//! A lab that is not there: one clear error, and no waiting for the whole time limit.

use std::net::TcpListener;

use reset::{Clients, Names, ObserveError, Options, ResetError, aws};

/// An endpoint that refuses every connection.
async fn nowhere() -> Clients {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let endpoint = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    drop(listener);
    let credentials = aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test");
    let region = aws_config::Region::new("us-east-1");
    let config = aws::loader().endpoint_url(endpoint).region(region).credentials_provider(credentials).load().await;
    Clients::from_config(config)
}

#[tokio::test]
async fn observing_says_that_no_api_answers() {
    let error = reset::observe(&nowhere().await, &Names::of_the_contract()).await.expect_err("nothing listens");
    let ObserveError::Unreachable(reason) = &error;
    assert!(reason.starts_with("ssm:GetParameter: "), "{reason}");
    assert!(error.to_string().contains("AWS_ENDPOINT_URL"), "{error}");
}

#[tokio::test]
async fn a_reset_fails_before_it_plans() {
    let mut told = Vec::new();
    let result = reset::run(&nowhere().await, &Names::of_the_contract(), &Options::default(), &mut |event| {
        told.push(event.to_string());
    })
    .await;
    assert!(matches!(result, Err(ResetError::Observe(_))), "{result:?}");
    assert_eq!(told, Vec::<String>::new());
}
