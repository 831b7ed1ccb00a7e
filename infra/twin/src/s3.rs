//! Amazon S3: buckets, objects, multipart uploads, versions and tags, in memory, by the ready-made service.
//!
//! Refuses by name what it would only write down (policies, ACLs, lifecycle, replication, encryption, notifications, …).

use std::{future::Future, pin::Pin};

use axum::http::header;
use twin_platform::{Account, AwsError, Request, Response, Service};
use winterbaume_s3::S3Service;

use crate::{chunked, ready_made::absolute, refusal::Shape};

/// Query keys that choose an operation whose only effect would be that it is shown again.
const REFUSED: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "torrent",
    "website",
];

/// The service with SigV4 scope `s3`.
pub(crate) struct S3 {
    account: Account,
    inner: S3Service,
}

impl S3 {
    pub(crate) fn new(account: &Account) -> Self {
        Self { account: account.clone(), inner: S3Service::new() }
    }

    fn prepare(&self, request: &mut Request) -> Result<(), AwsError> {
        let query = winterbaume_core::extract_query_string(&request.uri);
        let keys = || query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
        if let Some(refused) = keys().find(|key| REFUSED.contains(key)) {
            return Err(AwsError::not_implemented("s3", &format!("{} ?{refused}", request.method)));
        }
        let path = match bucket_in_host(request) {
            Some(bucket) => format!("/{bucket}{}", request.uri),
            None => request.uri.clone(),
        };
        request.uri = absolute("s3", &self.account, &path);
        // The ready-made service would keep buckets apart by the region that a request is signed for; the twin has one region.
        request.headers.remove(header::AUTHORIZATION);
        if chunked::is_chunked(&request.headers) {
            let incomplete = || AwsError::client("IncompleteBody", "The aws-chunked body is broken or cut short.");
            request.body = chunked::decode(&request.body).ok_or_else(incomplete)?;
            chunked::strip(&mut request.headers, request.body.len());
        }
        Ok(())
    }
}

/// The bucket of a virtual-hosted request: `<bucket>.localhost:4566`, or `<bucket>.s3.localhost:4566`.
pub(crate) fn bucket_in_host(request: &Request) -> Option<&str> {
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let name = host.split(':').next()?.strip_suffix(".localhost")?;
    let bucket = name.strip_suffix(".s3").unwrap_or(name);
    (bucket != "s3").then_some(bucket)
}

impl Service for S3 {
    fn service_name(&self) -> &str {
        "s3"
    }

    fn url_patterns(&self) -> Vec<&str> {
        self.inner.url_patterns()
    }

    fn handle(&self, mut request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            match self.prepare(&mut request) {
                Ok(()) => self.inner.handle(request).await,
                Err(error) => Shape::S3.render(&error),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, host: &str, body: &'static str) -> Request {
        let headers = [(header::HOST, host.parse().expect("a value"))].into_iter().collect();
        Request { method: method.into(), uri: uri.into(), headers, body: body.into() }
    }

    #[tokio::test]
    async fn a_bucket_in_the_host_is_the_bucket_in_the_path() {
        let s3 = S3::new(&Account::in_region("eu-west-1"));
        assert_eq!(s3.handle(request("PUT", "/lab", "127.0.0.1:1", "")).await.status, 200);
        assert_eq!(s3.handle(request("PUT", "/key", "lab.localhost:1", "hello")).await.status, 200);
        let read = s3.handle(request("GET", "/lab/key", "127.0.0.1:1", "")).await;
        assert_eq!((read.status, &read.body[..]), (200, b"hello".as_slice()));
        let read = s3.handle(request("GET", "/key", "lab.s3.localhost:1", "")).await;
        assert_eq!(read.status, 200);
    }

    #[tokio::test]
    async fn what_nobody_evaluates_is_refused_by_name() {
        let s3 = S3::new(&Account::in_region("us-east-1"));
        s3.handle(request("PUT", "/lab", "127.0.0.1:1", "")).await;
        let refused = s3.handle(request("PUT", "/lab?policy", "127.0.0.1:1", "{}")).await;
        assert_eq!(refused.status, 501);
        let body = String::from_utf8_lossy(&refused.body).into_owned();
        assert!(body.contains("<Code>NotImplemented</Code>") && body.contains("?policy"), "{body}");
    }
}
