//! `return_500`: the reply is replaced by an error status, on `/healthz` too.

use axum::response::Response;

/// The reply that takes the place of the handler's.
pub(super) fn reply(status: u16, is_blind: bool) -> Response {
    super::injected(status, is_blind)
}

#[cfg(test)]
mod tests {
    use crate::error::Logged;
    use contract::ErrorType;

    #[test]
    fn a_blind_fault_looks_like_a_bug() {
        for (status, is_blind, wanted) in [
            (500, false, ErrorType::InjectedFailure),
            (503, true, ErrorType::InternalError),
            (418, true, ErrorType::BadRequest),
        ] {
            let response = super::reply(status, is_blind);
            assert_eq!(response.status().as_u16(), status);
            let logged = response.extensions().get::<Logged>().expect("an error leaves its kind for the log");
            assert_eq!(logged.error_type, wanted);
        }
    }
}
