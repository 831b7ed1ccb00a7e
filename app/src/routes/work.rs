//! `GET /work?ms=`: burns CPU time on the work threads.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use contract::ErrorType;
use serde_json::json;

use super::{json_reply, query_value};
use crate::{error::AppError, state::App, work::Refused};

/// CPU time when the caller names none.
const DEFAULT_MS: u64 = 100;

/// Longest that may be asked for; stays under the request's deadline.
const MAX_MS: u64 = 10_000;

pub(crate) async fn get(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let ms = match parse(query.as_deref()) {
        Ok(ms) => ms,
        Err(error) => return error.into_response(),
    };
    match app.work.run(Duration::from_millis(ms)).await {
        Ok(done) => json_reply(&json!({ "ms": ms, "rounds": done.rounds, "digest": format!("{:016x}", done.digest) })),
        Err(Refused::Full) => {
            AppError::new(ErrorType::Overloaded).with_detail("the work queue is full").into_response()
        }
        Err(Refused::Stopped) => {
            AppError::new(ErrorType::InternalError).with_detail("the work threads are gone").into_response()
        }
    }
}

fn parse(query: Option<&str>) -> Result<u64, AppError> {
    let Some(text) = query_value(query, "ms") else { return Ok(DEFAULT_MS) };
    let plain = !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(ms) if plain && ms <= MAX_MS => Ok(ms),
        _ => {
            let shown: String = text.chars().take(40).collect();
            Err(AppError::bad_request(format!("ms is `{shown}`; write whole milliseconds from 0 to {MAX_MS}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_milliseconds_in_range_are_taken() {
        for (query, wanted) in [(None, 100), (Some("ms=0"), 0), (Some("a=b&ms=10000"), 10_000), (Some("ms=007"), 7)] {
            assert_eq!(parse(query).map_err(|error| error.error_type()), Ok(wanted), "{query:?}");
        }
        for text in ["abc", "-1", "1e9", "10001", "", "+5", "1.5", "99999999999999999999999"] {
            assert!(parse(Some(&format!("ms={text}"))).is_err(), "{text}");
        }
    }
}
