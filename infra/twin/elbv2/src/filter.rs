//! Asking a filter about a request, with the start of its body where that is wanted.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Response, request::Parts};

use crate::{
    body::ClientSent,
    front::Client,
    hooks::{BODY_LIMIT, CustomResponse, Guard, Inspected, Verdict},
    page,
};

/// What the answer is when the request does not go on.
type Answer = Response<crate::body::ClientBody>;

/// Asks. Gives the headers to add when the request goes on, else the answer.
pub(crate) async fn ask(
    guard: &dyn Guard,
    client: &Client,
    head: &Parts,
    body: &mut ClientSent,
) -> Result<Vec<(HeaderName, HeaderValue)>, Answer> {
    let start = if guard.wants_body() && !body.is_end() {
        start_of(body, client.front.balancer.idle_timeout()).await.map_err(page::error)?
    } else {
        Vec::new()
    };
    let seen = &start[..start.len().min(BODY_LIMIT)];
    let request = Inspected { client: client.address, head, body: seen, oversize: start.len() > BODY_LIMIT };
    match guard.inspect(&request) {
        Verdict::Allow(inserted) => Ok(inserted),
        Verdict::Block(status) => Err(page::error(status)),
        Verdict::Answer(response) => Err(custom(*response)),
    }
}

/// A copy of the start of the body, one byte more than the limit when it is larger. What was read stays in the body.
///
/// # Errors
/// The status that the client gets: 408 when it is silent, 400 when its body breaks off.
async fn start_of(body: &mut ClientSent, idle: Duration) -> Result<Vec<u8>, u16> {
    let mut start = Vec::new();
    while start.len() <= BODY_LIMIT {
        match tokio::time::timeout(idle, body.look_ahead()).await {
            Err(_) => return Err(408),
            Ok(Some(Err(_))) => return Err(400),
            Ok(Some(Ok(more))) => start.extend_from_slice(&more[..more.len().min(BODY_LIMIT + 1 - start.len())]),
            Ok(None) => break,
        }
    }
    Ok(start)
}

fn custom(response: CustomResponse) -> Answer {
    let CustomResponse { status, headers, body } = response;
    let mut answer = match body {
        Some((kind, bytes)) => page::answer(status, kind, bytes),
        None => page::empty(status),
    };
    answer.headers_mut().extend(headers);
    answer
}
