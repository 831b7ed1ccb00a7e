//! `corrupt_body`: the body is cut short. Its length header stays honest, so only a reader of the content notices.

use axum::{body::Body, response::Response};
use http::{HeaderValue, header};

/// More than any reply of ours.
const MAX_BODY: usize = 1 << 20;

/// Keeps the first half.
pub(super) async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // The body of an error is written later, when the request id is known; cutting it is no part of this mode.
    if parts.extensions.get::<crate::error::PendingBody>().is_some() {
        return Response::from_parts(parts, body);
    }
    let whole = axum::body::to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(half.len()));
    Response::from_parts(parts, Body::from(half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn half_is_left_and_the_length_says_so() {
        let response = cut(Response::new(Body::from(r#"{"service":"golden"}"#))).await;
        assert_eq!(response.headers()[header::CONTENT_LENGTH], "10");
        let body = axum::body::to_bytes(response.into_body(), 100).await.expect("the body is in memory");
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
    }
}
