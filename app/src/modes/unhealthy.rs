//! `unhealthy`: only the shallow health check fails; callers notice nothing until the balancer acts on it.

use axum::response::Response;

/// The reply of `/healthz`; the contract lets this mode reach no other path.
pub(super) fn reply(status: u16, is_blind: bool) -> Response {
    super::injected(status, is_blind)
}
