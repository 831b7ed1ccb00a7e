//! A ready-made service behind a list of the actions that are true in it.
//!
//! The ready-made services answer many actions with a success that nothing stands behind (a command that no instance runs, a
//! policy that nobody evaluates). The honesty rule lets through only what keeping state is enough for.

use std::{future::Future, pin::Pin};

use twin_platform::{Account, AwsError, Request, Response, Service, json};

/// A JSON-protocol service with its honest actions.
pub(crate) struct ReadyMade<S> {
    pub(crate) inner: S,
    pub(crate) account: Account,
    pub(crate) actions: &'static [&'static str],
}

impl<S: Service> ReadyMade<S> {
    /// One action with its JSON input, for the twin's own use.
    pub(crate) async fn ask(&self, action: &str, input: &serde_json::Value) -> Result<serde_json::Value, AwsError> {
        json::ask(self, &format!("{}.{action}", self.inner.service_name()), input).await
    }
}

impl<S: Service> Service for ReadyMade<S> {
    fn service_name(&self) -> &str {
        self.inner.service_name()
    }

    fn url_patterns(&self) -> Vec<&str> {
        self.inner.url_patterns()
    }

    fn handle(&self, mut request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            let action = target.rsplit('.').next().unwrap_or_default();
            if !self.actions.contains(&action) {
                return AwsError::not_implemented(self.service_name(), action).json();
            }
            request.uri = absolute(self.service_name(), &self.account, &request.uri);
            self.inner.handle(request).await
        })
    }
}

/// The ready-made services read the region from the host name, so they get the URL that AWS has for the one region.
pub(crate) fn absolute(service: &str, account: &Account, path_and_query: &str) -> String {
    format!("https://{service}.{}.amazonaws.com{path_and_query}", account.region)
}
