//! Which service and action a request is for, from what AWS clients send: the SigV4 credential scope, else `X-Amz-Target`, else the
//! query protocol's `Version`, else the looks of S3.

use axum::http::{HeaderMap, Method, Uri, header};
use twin_platform::AwsError;

use crate::refusal::{Shape, shape_of};

/// Unsigned requests (`--no-sign-request`, `curl`) are told apart by these: scope, prefix of `X-Amz-Target`, API version.
const UNSIGNED: &[(&str, &str, &str)] = &[
    ("codedeploy", "CodeDeploy_20141006", ""),
    ("ecs", "AmazonEC2ContainerServiceV20141113", ""),
    ("elasticloadbalancing", "", "2015-12-01"),
    ("iam", "", "2010-05-08"),
    ("logs", "Logs_20140328", ""),
    ("monitoring", "GraniteServiceVersion20100801", "2010-08-01"),
    ("rds", "", "2014-10-31"),
    ("secretsmanager", "secretsmanager", ""),
    ("sns", "", "2010-03-31"),
    ("sqs", "AmazonSQS", "2012-11-05"),
    ("ssm", "AmazonSSM", ""),
    ("sts", "", "2011-06-15"),
    ("wafv2", "AWSWAF_20190729", ""),
];

/// One request, named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// SigV4 scope, or the prefix of the target when that is all there is.
    pub(crate) service: String,
    /// Operation name; for REST services the method and the path.
    pub(crate) action: String,
    /// How the caller wants its errors.
    pub(crate) shape: Shape,
    /// Who calls, if the request is signed.
    pub(crate) access_key: Option<String>,
}

impl Call {
    /// Names the request.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` when nothing tells which service is meant.
    pub(crate) fn of(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Self, AwsError> {
        let query = uri.query().unwrap_or_default();
        let target = text(headers, "x-amz-target").and_then(|target| target.split_once('.').or(Some(("", target))));
        let form = parameters(query, headers, body);
        let (access_key, scope) =
            credential(text(headers, header::AUTHORIZATION.as_str()).unwrap_or_default(), query).unzip();
        let service = scope
            .or_else(|| target.map(|(prefix, _)| by(|(_, known, _)| *known == prefix).unwrap_or(prefix).to_owned()))
            .or_else(|| form("Version").and_then(|version| by(|(_, _, known)| *known == version)).map(str::to_owned))
            .or_else(|| looks_like_s3(method, uri, headers).then(|| "s3".to_owned()))
            .ok_or_else(|| AwsError {
                status: 403,
                code: "MissingAuthenticationToken".into(),
                message: "Missing Authentication Token: the request is not signed and names no service; use the aws CLI or an SDK with any credentials".into(),
            })?;
        let (action, shape) = match (target, form("Action"), uri.path().split_once("/operation/")) {
            (Some((_, action)), _, _) => (action.to_owned(), Shape::Json),
            (None, _, Some((_, action))) => (action.to_owned(), shape_of(headers)),
            (None, Some(action), _) => (action, Shape::Xml),
            _ if service == "s3" => (format!("{method} {}", uri.path()), Shape::S3),
            _ if REST_XML.contains(&service.as_str()) => (format!("{method} {}", uri.path()), Shape::Xml),
            _ => (format!("{method} {}", uri.path()), Shape::Json),
        };
        Ok(Self { service, action, shape, access_key })
    }

    /// Whether a person would call it so: by the operation's name; REST services by the method, `GET`.
    pub(crate) fn is_named(&self, action: &str) -> bool {
        self.action == action
            || self.action.split_once(" /").is_some_and(|(method, path)| method == action || path == action)
    }

    /// How the caller wants its errors, as far as that can be told of a request whose body could not be read.
    pub(crate) fn shape_without_body(method: &Method, uri: &Uri, headers: &HeaderMap) -> Shape {
        match Self::of(method, uri, headers, b"") {
            // A form's action would have been in the body.
            Ok(call) if !is_form(headers) => call.shape,
            _ => shape_of(headers),
        }
    }
}

/// Services whose REST protocol has XML errors.
const REST_XML: [&str; 2] = ["cloudfront", "route53"];

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn by(wanted: impl Fn(&(&str, &str, &str)) -> bool) -> Option<&'static str> {
    UNSIGNED.iter().find(|known| wanted(known)).map(|(service, _, _)| *service)
}

/// Access key and service of `Credential=<key>/<date>/<region>/<service>/aws4_request` in the header, or `X-Amz-Credential` in a presigned query;
/// the asymmetric variant has no region ("Signature Version 4 request elements", AWS IAM User Guide).
pub(crate) fn credential(authorization: &str, query: &str) -> Option<(String, String)> {
    let in_header = authorization
        .split_once("Credential=")
        .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or(rest).to_owned());
    let credential = in_header.or_else(|| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        Some(winterbaume_core::percent_decode(pair))
    })?;
    // From the end: an access key may hold a slash.
    let mut parts = credential.rsplit('/');
    (parts.next() == Some("aws4_request")).then_some(())?;
    let service = parts.next().filter(|service| !service.is_empty())?;
    // Keys that AWS makes hold none, and only theirs are looked up.
    let key = credential.split('/').next().unwrap_or_default();
    Some((key.to_owned(), service.to_owned()))
}

fn is_form(headers: &HeaderMap) -> bool {
    text(headers, "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// A lookup in the query string, and in the body when that is a form.
fn parameters<'a>(query: &'a str, headers: &HeaderMap, body: &'a [u8]) -> impl Fn(&str) -> Option<String> + 'a {
    let body = if is_form(headers) { std::str::from_utf8(body).unwrap_or_default() } else { "" };
    move |name| {
        let pairs = query.split('&').chain(body.split('&'));
        let mut found = pairs.filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
        found.next().map(|(_, value)| winterbaume_core::percent_decode(value))
    }
}

/// A bucket in the host name, or a first path segment that could be one.
fn looks_like_s3(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let virtual_host = text(headers, "host").is_some_and(|host| host.contains(".localhost"));
    let first = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let letters =
        first.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
    virtual_host || (*method != Method::POST && letters && (3..=63).contains(&first.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(
        method: &str,
        uri: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<(String, String, Shape), String> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value")))
            .collect();
        let method = method.parse().expect("a method");
        Call::of(&method, &uri.parse().expect("a URI"), &headers, body.as_bytes())
            .map(|call| (call.service, call.action, call.shape))
            .map_err(|error| error.code)
    }

    fn named(service: &str, action: &str, shape: Shape) -> Result<(String, String, Shape), String> {
        Ok((service.into(), action.into(), shape))
    }

    const SIGNED: &str =
        "AWS4-HMAC-SHA256 Credential=lab/20261120/eu-west-1/SCOPE/aws4_request, SignedHeaders=host, Signature=0";

    #[test]
    fn the_scope_of_the_signature_decides() {
        let signed = |scope: &str| SIGNED.replace("SCOPE", scope);
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(
            call("POST", "/", &[("authorization", &signed("ssm")), ("x-amz-target", "AmazonSSM.GetParameter")], "{}"),
            named("ssm", "GetParameter", Shape::Json)
        );
        assert_eq!(
            call(
                "POST",
                "/",
                &[("authorization", &signed("rds")), form],
                "Action=DescribeDBInstances&Version=2014-10-31"
            ),
            named("rds", "DescribeDBInstances", Shape::Xml)
        );
        assert_eq!(
            call(
                "POST",
                "/service/GraniteServiceVersion20100801/operation/PutMetricData",
                &[("authorization", &signed("monitoring")), ("smithy-protocol", "rpc-v2-cbor")],
                ""
            ),
            named("monitoring", "PutMetricData", Shape::Cbor)
        );
        assert_eq!(
            call("POST", "/TraceSummaries", &[("authorization", &signed("xray"))], "{}"),
            named("xray", "POST /TraceSummaries", Shape::Json)
        );
        assert_eq!(
            call("GET", "/bucket/key", &[("authorization", &signed("s3"))], ""),
            named("s3", "GET /bucket/key", Shape::S3)
        );
    }

    #[test]
    fn presigned_and_asymmetric_signatures_have_a_scope_too() {
        let presigned = "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=lab%2F20261120%2Fus-east-1%2Fs3%2Faws4_request";
        assert_eq!(call("GET", presigned, &[], "").map(|(service, ..)| service), Ok("s3".into()));
        assert_eq!(
            credential("AWS4-ECDSA-P256-SHA256 Credential=a/b/20261120/s3/aws4_request, SignedHeaders=host", ""),
            Some(("a".into(), "s3".into()))
        );
        assert_eq!(credential("Bearer token", ""), None);
    }

    #[test]
    fn unsigned_requests_are_named_by_target_version_or_looks() {
        let form = ("content-type", "application/x-www-form-urlencoded");
        assert_eq!(
            call("POST", "/", &[("x-amz-target", "Logs_20140328.PutLogEvents")], "{}"),
            named("logs", "PutLogEvents", Shape::Json)
        );
        assert_eq!(
            call("POST", "/", &[("x-amz-target", "DynamoDB_20120810.ListTables")], "{}"),
            named("DynamoDB_20120810", "ListTables", Shape::Json)
        );
        assert_eq!(
            call("POST", "/", &[form], "Action=GetCallerIdentity&Version=2011-06-15"),
            named("sts", "GetCallerIdentity", Shape::Xml)
        );
        assert_eq!(call("GET", "/bucket/key", &[], "").map(|(service, ..)| service), Ok("s3".into()));
        assert_eq!(
            call("GET", "/", &[("host", "bucket.localhost:4566")], "").map(|(service, ..)| service),
            Ok("s3".into())
        );
        assert_eq!(call("GET", "/", &[("host", "localhost:4566")], ""), Err("MissingAuthenticationToken".into()));
        assert_eq!(call("POST", "/", &[form], "Action=X&Version=1999-01-01"), Err("MissingAuthenticationToken".into()));
    }
}
