//! A firewall in front of a load balancer, and requests for it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use serde_json::{Value, json};
use twin_elbv2::{BODY_LIMIT, Elbv2, Filter as _, Inspected, Verdict};
use twin_platform::{Account, Request, Service, Speed};
use twin_waf::Waf;

pub(crate) struct Lab {
    pub(crate) waf: Arc<Waf>,
    pub(crate) balancer: String,
}

/// One request to be judged.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) client: [u8; 4],
    pub(crate) head: Parts,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn new(method: &str, uri: &str) -> Self {
        let request = http::Request::builder().method(method).uri(uri).header("host", "www.example.com");
        let head = request.header("user-agent", "curl/8").body(()).expect("a valid request").into_parts().0;
        Self { client: [192, 0, 2, 1], head, body: Vec::new() }
    }

    pub(crate) fn get(uri: &str) -> Self {
        Self::new("GET", uri)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.head.headers.insert(name, value.parse().expect("a header"));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.head.headers.remove(name);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn from(mut self, client: [u8; 4]) -> Self {
        self.client = client;
        self
    }
}

impl Lab {
    pub(crate) async fn new() -> Self {
        let speed = Speed::new(100.0).expect("within the range");
        let account = Account::in_region("us-east-1");
        let elbv2 = Elbv2::new(account.clone(), speed, Ipv4Addr::LOCALHOST);
        let body = "Action=CreateLoadBalancer&Version=2015-12-01&Name=golden&Subnets.member.1=subnet-1&Subnets.member.2=subnet-2";
        let (method, uri) = ("POST".to_owned(), "http://127.0.0.1:4566/".to_owned());
        let call = Request { method, uri, headers: HeaderMap::new(), body: Bytes::from(body) };
        let answer = elbv2.handle(call).await;
        let answer = String::from_utf8(answer.body.to_vec()).expect("XML is UTF-8");
        let arn = answer.split("<LoadBalancerArn>").nth(1).and_then(|rest| rest.split('<').next());
        let balancer = arn.unwrap_or_else(|| panic!("no load balancer: {answer}")).to_owned();
        Self { waf: Waf::new(account, speed, elbv2), balancer }
    }

    /// Makes a call, whatever the answer.
    pub(crate) async fn call(&self, action: &str, input: &Value) -> (u16, Value) {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", format!("AWSWAF_20190729.{action}").parse().expect("a header"));
        let (method, uri) = ("POST".to_owned(), "http://127.0.0.1:4566/".to_owned());
        let answer = self.waf.handle(Request { method, uri, headers, body: input.to_string().into() }).await;
        (answer.status, serde_json::from_slice(&answer.body).expect("an answer is JSON"))
    }

    /// Makes a call that must succeed.
    pub(crate) async fn ok(&self, action: &str, input: &Value) -> Value {
        let (status, answer) = self.call(action, input).await;
        assert_eq!(status, 200, "{action}: {answer}");
        answer
    }

    /// Makes a call that must be refused; code and message.
    pub(crate) async fn refused(&self, action: &str, input: &Value) -> (String, String) {
        let (status, answer) = self.call(action, input).await;
        assert_ne!(status, 200, "{action}: {answer}");
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (text("__type"), text("message"))
    }

    /// A web ACL with these rules in front of the load balancer; its summary.
    pub(crate) async fn protected(&self, rules: &[Value]) -> Value {
        let summary = self.ok("CreateWebACL", &web_acl("golden", rules)).await["Summary"].take();
        let associate = json!({"WebACLArn": summary["ARN"], "ResourceArn": self.balancer});
        self.ok("AssociateWebACL", &associate).await;
        summary
    }

    /// What becomes of a request.
    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let Some(guard) = self.waf.guard(&self.balancer) else { return Verdict::Allow(Vec::new()) };
        let wanted: &[u8] = if guard.wants_body() { &sent.body } else { &[] };
        guard.inspect(&Inspected {
            client: SocketAddr::from((sent.client, 4711)),
            head: &sent.head,
            body: &wanted[..wanted.len().min(BODY_LIMIT)],
            oversize: wanted.len() > BODY_LIMIT,
        })
    }

    /// Whether a request is blocked.
    pub(crate) fn blocks(&self, sent: &Sent) -> bool {
        !matches!(self.judge(sent), Verdict::Allow(_))
    }

    /// The sum of a metric since the last look, by the value of its dimension `name`.
    pub(crate) fn metrics(&self) -> Vec<(String, String, f64)> {
        let data = self.waf.sample(0);
        let value = |dimensions: &[(std::borrow::Cow<'static, str>, String)]| {
            let named =
                |wanted: &str| dimensions.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            named("Rule").or_else(|| named("ManagedRuleGroupRule")).unwrap_or_default()
        };
        data.iter().map(|datum| (datum.name.to_string(), value(&datum.dimensions), datum.values[0].0)).collect()
    }
}

pub(crate) fn visibility(metric: &str) -> Value {
    json!({"SampledRequestsEnabled": true, "CloudWatchMetricsEnabled": true, "MetricName": metric})
}

pub(crate) fn web_acl(name: &str, rules: &[Value]) -> Value {
    json!({
        "Name": name, "Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "Rules": rules,
        "VisibilityConfig": visibility(name),
    })
}

/// A rule with an action.
pub(crate) fn rule(name: &str, priority: u32, action: &str, statement: Value) -> Value {
    json!({
        "Name": name, "Priority": priority, "Action": {action: {}}, "Statement": statement,
        "VisibilityConfig": visibility(name),
    })
}

/// A rule that refers to a managed group.
pub(crate) fn managed(name: &str, priority: u32, override_action: &str) -> Value {
    json!({
        "Name": name, "Priority": priority, "OverrideAction": {override_action: {}},
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": name}},
        "VisibilityConfig": visibility(name),
    })
}

/// A byte match of a field, without transformation.
pub(crate) fn bytes(field: Value, position: &str, text: &str) -> Value {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    json!({"ByteMatchStatement": {
        "FieldToMatch": field, "PositionalConstraint": position, "SearchString": BASE64_STANDARD.encode(text),
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
    }})
}

pub(crate) fn path_starts(text: &str) -> Value {
    bytes(json!({"UriPath": {}}), "STARTS_WITH", text)
}
