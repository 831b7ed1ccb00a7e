//! The admin listener: what the operator of this task may see and change. Loopback by default.

pub(crate) mod failure;
pub(crate) mod log_level;
pub(crate) mod metrics;

use axum::response::Response;

use crate::error::PendingBody;

/// Writes the body of an error, which here has no request id.
pub(crate) async fn finish(mut response: Response) -> Response {
    PendingBody::fill(&mut response, "");
    response
}
