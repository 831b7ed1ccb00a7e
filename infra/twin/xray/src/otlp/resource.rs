//! What the resource of a batch says about the service that sent it: worked out once, shared by all its segments.

use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{
    texts::Texts,
    value::{self, text, texts},
};
use crate::{
    json::{Members, object},
    segment::Text,
};

/// The sender.
pub(super) struct Sender {
    /// `service.name`.
    pub(super) name: Option<Text>,
    /// `AWS::ECS::Container`, …
    pub(super) origin: Option<Text>,
    /// The `aws` block of its segments.
    pub(super) aws: Option<Text>,
    /// The `service` block, if the version is known.
    pub(super) service: Option<String>,
    /// All attributes as members of `metadata.default`, each as `otel.resource.<name>`.
    pub(super) metadata: String,
}

/// The ECS task that sent the batch.
pub(super) fn task_arn(resource: Option<&Resource>) -> Option<&str> {
    let mut attributes = resource?.attributes.iter();
    text(attributes.find(|attribute| attribute.key == "aws.ecs.task.arn")?.value.as_ref())
}

impl Sender {
    pub(super) fn of(resource: Option<&Resource>, shared: &mut Texts) -> Self {
        let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
        let find = |key: &str| attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref();
        let get = |key: &str| text(find(key)).filter(|text| !text.is_empty());
        let is_aws = get("cloud.provider").is_none_or(|provider| provider == "aws");
        let platform = get("cloud.platform").filter(|_| is_aws);
        let mut aws = String::new();
        if is_aws {
            object(&mut aws, |members| write_aws(members, platform, get, |key| texts(find(key))));
        }
        let service = get("service.version").map(|version| {
            let mut out = String::new();
            object(&mut out, |members| members.text("version", version));
            out
        });
        let mut metadata = String::new();
        let mut members = Members::bare(&mut metadata);
        for attribute in attributes {
            let key = format!("otel.resource.{}", attribute.key);
            members.value(&key, |out| value::push(out, attribute.value.as_ref()));
        }
        Self {
            name: get("service.name").map(|name| shared.share(name)),
            origin: platform
                .and_then(|platform| origin(platform, get("aws.ecs.launchtype")))
                .map(|it| shared.share(it)),
            aws: (aws.len() > 2).then(|| shared.share(&aws)),
            service,
            metadata,
        }
    }
}

fn origin(platform: &str, launch_type: Option<&str>) -> Option<&'static str> {
    match (platform, launch_type) {
        ("aws_ecs", Some("ec2")) => Some("AWS::ECS::EC2"),
        ("aws_ecs", Some("fargate")) => Some("AWS::ECS::Fargate"),
        ("aws_ecs", _) => Some("AWS::ECS::Container"),
        ("aws_ec2", _) => Some("AWS::EC2::Instance"),
        ("aws_eks", _) => Some("AWS::EKS::Container"),
        ("aws_elastic_beanstalk", _) => Some("AWS::ElasticBeanstalk::Environment"),
        ("aws_app_runner", _) => Some("AWS::AppRunner::Service"),
        _ => None,
    }
}

fn write_aws<'a>(
    members: &mut Members<'_>,
    platform: Option<&str>,
    get: impl Fn(&str) -> Option<&'a str>,
    list: impl Fn(&str) -> Vec<&'a str>,
) {
    members.maybe_text("account_id", get("cloud.account.id"));
    let zone = get("cloud.availability_zone");
    if platform == Some("aws_ecs") {
        members.object("ecs", |ecs| {
            ecs.maybe_text("container", get("container.name"));
            ecs.maybe_text("container_id", get("container.id"));
            ecs.maybe_text("container_arn", get("aws.ecs.container.arn"));
            ecs.maybe_text("cluster_arn", get("aws.ecs.cluster.arn"));
            ecs.maybe_text("task_arn", get("aws.ecs.task.arn"));
            ecs.maybe_text("task_family", get("aws.ecs.task.family"));
            ecs.maybe_text("launch_type", get("aws.ecs.launchtype"));
            ecs.maybe_text("availability_zone", zone);
        });
    } else if platform == Some("aws_ec2") || get("host.id").is_some() {
        members.object("ec2", |ec2| {
            ec2.maybe_text("instance_id", get("host.id"));
            ec2.maybe_text("availability_zone", zone);
            ec2.maybe_text("instance_size", get("host.type"));
            ec2.maybe_text("ami_id", get("host.image.id"));
        });
    }
    let (arns, names) = (list("aws.log.group.arns"), list("aws.log.group.names"));
    if !arns.is_empty() || !names.is_empty() {
        members.value("cloudwatch_logs", |out| {
            out.push('[');
            let groups = arns.iter().map(|arn| (arn.split(':').nth(6).unwrap_or(arn), Some(*arn)));
            let named = names.iter().filter(|_| arns.is_empty()).map(|name| (*name, None));
            for (nth, (name, arn)) in groups.chain(named).enumerate() {
                if nth > 0 {
                    out.push(',');
                }
                object(out, |group| {
                    group.text("log_group", name);
                    group.maybe_text("arn", arn);
                });
            }
            out.push(']');
        });
    }
    if let Some(sdk) = get("telemetry.sdk.name") {
        members.object("xray", |xray| {
            let language = get("telemetry.sdk.language").map(|language| format!("{sdk} for {language}"));
            xray.text("sdk", language.as_deref().unwrap_or(sdk));
            xray.maybe_text("sdk_version", get("telemetry.sdk.version"));
            xray.plain("auto_instrumentation", get("telemetry.auto.version").is_some());
        });
    }
}
