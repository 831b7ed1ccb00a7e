//! The peer: the same body on bare axum, no middleware.

use std::net::Ipv4Addr;

use axum::{Router, http::header, routing::get};
use tokio::net::TcpListener;

/// About what golden's `/` answers, so that both write as many bytes.
const BODY: &str = r#"{"service":"golden","version":"0.1.0","task":"0123456789abcdef0123456789abcdef","availabilityZone":"us-east-1a","uptimeSeconds":12.345,"endpoints":["/","/healthz","/live","/ready","/health","/work","/db"]}"#;

/// Serves until killed.
pub(crate) fn serve(port: u16) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = Router::new().route("/", get(async || ([(header::CONTENT_TYPE, "application/json")], BODY)));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(axum::serve(listener, router).await?)
    })
}
