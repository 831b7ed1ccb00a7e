//! Which action and which resource a call needs ("Actions, resources, and condition keys for AWS services", Service Authorization
//! Reference), for every service but S3.
//!
//! The calls that the lab's applications make are in the table. For the others the rule is: the first ARN that the call names at
//! its top level, else `*`.

use serde_json::Value;
use twin_platform::{Account, Request, query::Params};

use crate::call::Call;

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// `service:Action`.
    pub(super) action: String,
    /// ARN or `*`.
    pub(super) resource: String,
    /// Condition keys of this call.
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Need {
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), facts: Vec::new() }
    }
}

/// Scopes whose actions have another prefix in policies.
const PREFIXES: [(&str, &str); 2] = [("monitoring", "cloudwatch"), ("sns", "SNS")];

/// Paths of X-Ray that are not called as their action is.
const XRAY: [(&str, &str); 7] = [
    ("/TraceSegments", "PutTraceSegments"),
    ("/TelemetryRecords", "PutTelemetryRecords"),
    ("/TraceSummaries", "GetTraceSummaries"),
    ("/Traces", "BatchGetTraces"),
    ("/ServiceGraph", "GetServiceGraph"),
    ("/TraceGraph", "GetTraceGraph"),
    ("/SamplingTargets", "GetSamplingTargets"),
];

fn action(call: &Call) -> String {
    let prefix = PREFIXES.iter().find(|(scope, _)| *scope == call.service).map_or(call.service.as_str(), |(_, it)| it);
    // A REST action is named by its method and path.
    let name = match call.action.split_once(" /") {
        Some((_, path)) => {
            let path = format!("/{}", path.trim_end_matches('/'));
            XRAY.iter()
                .find(|(known, _)| *known == path)
                .map_or_else(|| path[1..].to_owned(), |(_, it)| (*it).to_owned())
        }
        None => call.action.clone(),
    };
    format!("{prefix}:{name}")
}

/// What a call of Secrets Manager needs, given the secret's ARN.
pub(super) fn of_secret(call: &Call, account: &Account, secret: Option<String>) -> Need {
    let anything = || match call.action.as_str() {
        "ListSecrets" | "GetRandomPassword" | "BatchGetSecretValue" => "*".to_owned(),
        _ => account.arn("secretsmanager", "secret:*"),
    };
    Need::new(action(call), secret.unwrap_or_else(anything))
}

/// What any other call needs. Nothing is needed to ask who one is.
pub(super) fn of(call: &Call, request: &Request, account: &Account) -> Vec<Need> {
    let action = action(call);
    if action == "sts:GetCallerIdentity" {
        return Vec::new();
    }
    let input = Input::of(request);
    let one = |resource: String| vec![Need::new(action.clone(), resource)];
    let texts = |name| input.texts(name);
    match call.service.as_str() {
        "ssm" => {
            let names: Vec<String> = ["Name", "Names", "Path", "ResourceId"]
                .into_iter()
                .flat_map(texts)
                .map(|it| parameter(account, &it))
                .collect();
            match names.is_empty() {
                true => one(account.arn("ssm", "*")),
                false => names.into_iter().map(|name| Need::new(action.clone(), name)).collect(),
            }
        }
        "logs" => {
            let group = texts("logGroupName").into_iter().chain(texts("logGroupIdentifier")).next();
            let stream = texts("logStreamName").into_iter().next().unwrap_or_default();
            one(match group {
                Some(group) if group.starts_with("arn:") => group,
                Some(group) if is_of_group(&call.action) => account.arn("logs", &format!("log-group:{group}")),
                Some(group) => log_stream(account, &group, &stream),
                None => input.first_arn().unwrap_or_else(|| account.arn("logs", "log-group::log-stream:")),
            })
        }
        "sqs" => {
            let queue = texts("QueueUrl").into_iter().chain(texts("QueueName")).next();
            let name = queue.as_deref().and_then(|queue| queue.rsplit('/').next());
            one(name.map_or_else(|| "*".to_owned(), |name| account.arn("sqs", name)))
        }
        "sns" => {
            let named = ["TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn"].into_iter().flat_map(texts).next();
            let made = texts("Name").into_iter().next().map(|name| account.arn("sns", &name));
            one(named.or(made).unwrap_or_else(|| "*".into()))
        }
        "iam" => {
            let role = texts("RoleName").into_iter().next();
            one(role.map_or_else(
                || input.first_arn().unwrap_or_else(|| "*".into()),
                |role| format!("arn:aws:iam::{}:role/{role}", account.id),
            ))
        }
        // "CloudWatch … PutMetricData: you use the wildcard character"; the namespace is what a condition can ask for.
        "monitoring" => {
            let mut need = Need::new(action.clone(), input.first_arn().unwrap_or_else(|| "*".into()));
            need.facts
                .extend(texts("Namespace").into_iter().next().map(|namespace| ("cloudwatch:namespace", namespace)));
            vec![need]
        }
        _ => one(input.first_arn().unwrap_or_else(|| "*".into())),
    }
}

/// Actions on a group as a whole; the others are on a stream, or on all streams of a group.
fn is_of_group(action: &str) -> bool {
    matches!(action, "CreateLogGroup" | "DeleteLogGroup" | "PutRetentionPolicy" | "DeleteRetentionPolicy")
}

/// The ARN of a log stream.
pub(crate) fn log_stream(account: &Account, group: &str, stream: &str) -> String {
    account.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
}

/// The ARN of a parameter that is named with or without its version or label.
pub(crate) fn parameter(account: &Account, selector: &str) -> String {
    let (name, _) = crate::parameters::select(selector);
    account.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/')))
}

/// The top level of what a call hands over, in any protocol but CBOR, whose calls are known by their action alone.
enum Input {
    Json(Value),
    Form(Params),
}

impl Input {
    fn of(request: &Request) -> Self {
        match serde_json::from_slice(&request.body) {
            Ok(json) => Self::Json(json),
            Err(_) => Self::Form(Params::of(request)),
        }
    }

    /// The text, or the texts of the list, of this name.
    fn texts(&self, name: &str) -> Vec<String> {
        match self {
            Self::Json(json) => match &json[name] {
                Value::String(text) => vec![text.clone()],
                Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => Vec::new(),
            },
            Self::Form(form) => {
                let root = form.root();
                root.get(name).into_iter().chain(root.texts(name)).map(str::to_owned).collect()
            }
        }
    }

    /// The first value at the top level that is an ARN.
    fn first_arn(&self) -> Option<String> {
        let Self::Json(Value::Object(fields)) = self else {
            let names = [
                "LoadBalancerArn",
                "TargetGroupArn",
                "ListenerArn",
                "RuleArn",
                "ResourceArn",
                "ResourceARN",
                "PolicyArn",
            ];
            return names.into_iter().flat_map(|name| self.texts(name)).find(|text| text.starts_with("arn:"));
        };
        fields.values().filter_map(Value::as_str).find(|text| text.starts_with("arn:")).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Shape;

    fn needed(service: &str, action: &str, body: &str) -> Vec<(String, String)> {
        let call = Call { service: service.into(), action: action.into(), shape: Shape::Json, access_key: None };
        let request = Request {
            method: "POST".into(),
            uri: "/".into(),
            headers: Default::default(),
            body: body.to_owned().into(),
        };
        let account = Account { id: "123456789012".into(), region: "us-east-1".into() };
        of(&call, &request, &account).into_iter().map(|need| (need.action, need.resource)).collect()
    }

    fn one(action: &str, resource: &str) -> Vec<(String, String)> {
        vec![(action.into(), resource.into())]
    }

    #[test]
    fn actions_and_resources_are_those_of_the_service_authorization_reference() {
        let arn = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b";
        assert_eq!(needed("ssm", "GetParameter", r#"{"Name":"/a/b:3"}"#), one("ssm:GetParameter", arn));
        assert_eq!(needed("ssm", "GetParameter", &format!(r#"{{"Name":"{arn}"}}"#)), one("ssm:GetParameter", arn));
        assert_eq!(needed("ssm", "GetParameters", r#"{"Names":["x","y"]}"#).len(), 2);
        assert_eq!(
            needed("logs", "PutLogEvents", r#"{"logGroupName":"/ecs/x","logStreamName":"a/b"}"#),
            one("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/x:log-stream:a/b")
        );
        assert_eq!(
            needed("sqs", "SendMessage", r#"{"QueueUrl":"http://127.0.0.1:1/123456789012/q"}"#),
            one("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:q")
        );
        assert_eq!(needed("monitoring", "PutMetricData", ""), one("cloudwatch:PutMetricData", "*"));
        assert_eq!(needed("xray", "POST /TraceSegments", "{}"), one("xray:PutTraceSegments", "*"));
        assert_eq!(needed("xray", "POST /GetSamplingRules", "{}"), one("xray:GetSamplingRules", "*"));
        assert_eq!(needed("sts", "GetCallerIdentity", ""), []);
        let service = "arn:aws:ecs:us-east-1:123456789012:service/golden/golden";
        assert_eq!(
            needed("ecs", "DescribeServices", &format!(r#"{{"service":"{service}"}}"#)),
            one("ecs:DescribeServices", service)
        );
    }
}
