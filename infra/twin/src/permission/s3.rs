//! Which permissions a request to S3 needs ("Required permissions for Amazon S3 API operations", Amazon S3 User Guide).

use twin_platform::{Request, query::decode};

use super::needs::Need;
use crate::s3::bucket_in_host;

/// Bucket, key and query of a request.
struct Target {
    method: String,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
}

impl Target {
    fn of(request: &Request) -> Self {
        let (path, query) = request.uri.split_once('?').unwrap_or((&request.uri, ""));
        let path = decode_path(path.trim_start_matches('/'));
        let (bucket, key) = match bucket_in_host(request) {
            Some(bucket) => (bucket.to_owned(), path),
            None => match path.split_once('/') {
                Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
                None => (path, String::new()),
            },
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name.as_bytes()), decode(value.as_bytes()))
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        Self { method: request.method.clone(), bucket, key, query }
    }

    fn asks(&self, name: &str) -> bool {
        self.query.iter().any(|(known, _)| known == name)
    }

    fn bucket_arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.bucket)
    }

    fn object_arn(&self) -> String {
        format!("arn:aws:s3:::{}/{}", self.bucket, self.key)
    }

    /// The action on the bucket, or none when the query names nothing special.
    fn on_bucket(&self) -> &'static str {
        let method = self.method.as_str();
        match method {
            "GET" if self.asks("location") => "s3:GetBucketLocation",
            "GET" if self.asks("versioning") => "s3:GetBucketVersioning",
            "PUT" if self.asks("versioning") => "s3:PutBucketVersioning",
            "GET" if self.asks("tagging") => "s3:GetBucketTagging",
            "PUT" | "DELETE" if self.asks("tagging") => "s3:PutBucketTagging",
            "GET" if self.asks("uploads") => "s3:ListBucketMultipartUploads",
            "GET" if self.asks("versions") => "s3:ListBucketVersions",
            "GET" | "HEAD" => "s3:ListBucket",
            "PUT" => "s3:CreateBucket",
            "DELETE" => "s3:DeleteBucket",
            _ => "s3:PutObject",
        }
    }

    fn on_object(&self) -> &'static str {
        let versioned = self.asks("versionId");
        match self.method.as_str() {
            "GET" if self.asks("tagging") => "s3:GetObjectTagging",
            "PUT" if self.asks("tagging") => "s3:PutObjectTagging",
            "DELETE" if self.asks("tagging") => "s3:DeleteObjectTagging",
            "GET" if self.asks("uploadId") => "s3:ListMultipartUploadParts",
            "DELETE" if self.asks("uploadId") => "s3:AbortMultipartUpload",
            "GET" if self.asks("attributes") => "s3:GetObjectAttributes",
            "GET" | "HEAD" if versioned => "s3:GetObjectVersion",
            "GET" | "HEAD" => "s3:GetObject",
            "DELETE" if versioned => "s3:DeleteObjectVersion",
            "DELETE" => "s3:DeleteObject",
            _ => "s3:PutObject",
        }
    }

    fn list(&self, action: &str) -> Need {
        let keys = [("s3:prefix", "prefix"), ("s3:delimiter", "delimiter"), ("s3:max-keys", "max-keys")];
        let mut need = Need::new(action, self.bucket_arn());
        for (fact, name) in keys {
            let value = self.query.iter().find(|(known, _)| known == name);
            need.facts.extend(value.map(|(_, value)| (fact, value.clone())));
        }
        need
    }
}

/// A plus is no space in a path.
fn decode_path(path: &str) -> String {
    decode(path.replace('+', "%2B").as_bytes())
}

/// All permissions; the first that is missing is the denial.
pub(super) fn needs(request: &Request) -> Vec<Need> {
    let target = Target::of(request);
    if target.bucket.is_empty() {
        return vec![Need::new("s3:ListAllMyBuckets", "*")];
    }
    if target.key.is_empty() && target.method == "POST" && target.asks("delete") {
        return keys_to_delete(&request.body)
            .map(|key| Need::new("s3:DeleteObject", format!("arn:aws:s3:::{}/{key}", target.bucket)))
            .collect();
    }
    if target.key.is_empty() {
        return vec![target.list(target.on_bucket())];
    }
    let own = Need::new(target.on_object(), target.object_arn());
    let source = request.headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    let source = source.filter(|_| target.method == "PUT").map(|source| {
        let path = source.split('?').next().unwrap_or(source).trim_start_matches('/');
        Need::new("s3:GetObject", format!("arn:aws:s3:::{}", decode_path(path)))
    });
    source.into_iter().chain([own]).collect()
}

/// The keys of a DeleteObjects request.
fn keys_to_delete(body: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(body).into_owned();
    let keys: Vec<String> =
        text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).map(unescape).collect();
    keys.into_iter()
}

fn unescape(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// The permission that lets a reader know that an object is missing.
pub(super) fn list_of_missing(request: &Request) -> Option<Need> {
    let target = Target::of(request);
    let reads = matches!(target.method.as_str(), "GET" | "HEAD") && !target.key.is_empty();
    reads.then(|| Need::new("s3:ListBucket", target.bucket_arn()))
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn needed(method: &str, uri: &str, host: &str, body: &'static str) -> Vec<(String, String)> {
        let headers = [(header::HOST, host.parse().expect("a value"))].into_iter().collect();
        let request = Request { method: method.into(), uri: uri.into(), headers, body: body.into() };
        needs(&request).into_iter().map(|need| (need.action, need.resource)).collect()
    }

    #[test]
    fn requests_need_what_the_user_guide_says() {
        for (method, uri, action, resource) in [
            ("GET", "/", "s3:ListAllMyBuckets", "*"),
            ("GET", "/lab?list-type=2&max-keys=1", "s3:ListBucket", "arn:aws:s3:::lab"),
            ("HEAD", "/lab", "s3:ListBucket", "arn:aws:s3:::lab"),
            ("GET", "/lab/a%20b/c", "s3:GetObject", "arn:aws:s3:::lab/a b/c"),
            ("PUT", "/lab/a+b", "s3:PutObject", "arn:aws:s3:::lab/a+b"),
            ("DELETE", "/lab/k?uploadId=1", "s3:AbortMultipartUpload", "arn:aws:s3:::lab/k"),
            ("PUT", "/lab", "s3:CreateBucket", "arn:aws:s3:::lab"),
        ] {
            assert_eq!(
                needed(method, uri, "127.0.0.1:1", ""),
                [(action.to_owned(), resource.to_owned())],
                "{method} {uri}"
            );
        }
        let by_host = needed("GET", "/k", "lab.localhost:1", "");
        assert_eq!(by_host, [("s3:GetObject".to_owned(), "arn:aws:s3:::lab/k".to_owned())]);
        let body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>";
        let deleted = needed("POST", "/lab?delete", "127.0.0.1:1", body);
        assert_eq!(
            deleted.iter().map(|(_, arn)| arn.as_str()).collect::<Vec<_>>(),
            ["arn:aws:s3:::lab/a&b", "arn:aws:s3:::lab/c"]
        );
    }
}
