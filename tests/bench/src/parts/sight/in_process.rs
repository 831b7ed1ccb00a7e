//! Calls to one service of the twin without a network between: what takes microseconds would be lost in the round trip.

use anyhow::ensure;
use serde_json::Value;
use twin_platform::{Request, Service};

/// Makes a call in AWS JSON and wants it answered.
pub(super) async fn call(service: &dyn Service, target: &str, body: Value) -> anyhow::Result<Value> {
    let mut request = Request {
        method: "POST".into(),
        uri: "/".into(),
        headers: Default::default(),
        body: body.to_string().into_bytes().into(),
    };
    request.headers.insert("x-amz-target", target.parse()?);
    let response = service.handle(request).await;
    ensure!(response.status == 200, "{target}: {}", String::from_utf8_lossy(&response.body));
    Ok(serde_json::from_slice(&response.body).unwrap_or_default())
}
