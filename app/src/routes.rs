//! The endpoints of the public listener, one file each.

pub(crate) mod db;
pub(crate) mod health;
pub(crate) mod healthz;
pub(crate) mod live;
pub(crate) mod ready;
pub(crate) mod root;
pub(crate) mod work;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;

/// A 200 with a JSON body.
pub(crate) fn json_reply(body: &impl Serialize) -> Response {
    // Enough for most replies, so that they are written without growing.
    let mut bytes = Vec::with_capacity(512);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response(),
        Err(error) => crate::error::AppError::new(contract::ErrorType::InternalError)
            .with_detail(format!("the reply cannot be written: {error}"))
            .into_response(),
    }
}

/// The value of a query parameter, without percent-decoding: every value that a route accepts is plain ASCII.
pub(crate) fn query_value<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}
