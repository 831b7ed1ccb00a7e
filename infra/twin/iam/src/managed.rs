//! Managed policies: the account's own with their versions, and those of AWS that the lab's people attach.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::{document::Document, role::unique_id};

/// "A managed policy can have up to 5 versions."
pub(crate) const VERSIONS_MAX: usize = 5;

/// A managed policy.
pub(crate) struct Managed {
    pub(crate) name: String,
    pub(crate) path: String,
    /// `ANPA…`.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
    /// By number: 1 is `v1`.
    pub(crate) versions: BTreeMap<u32, Version>,
    pub(crate) default: u32,
    /// The number of the next version; numbers are not used again.
    pub(crate) next: u32,
    pub(crate) tags: BTreeMap<String, String>,
}

/// One version of a managed policy.
pub(crate) struct Version {
    pub(crate) document: Document,
    pub(crate) created: OffsetDateTime,
}

impl Managed {
    pub(crate) fn new(name: &str, path: &str, document: Document) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            id: unique_id("ANPA"),
            description: None,
            created: now,
            updated: now,
            versions: BTreeMap::from([(1, Version { document, created: now })]),
            default: 1,
            next: 2,
            tags: BTreeMap::new(),
        }
    }

    /// The version that acts.
    pub(crate) fn acting(&self) -> Option<&Document> {
        self.versions.get(&self.default).map(|version| &version.document)
    }
}

/// What ECS needs to start a task ("AmazonECSTaskExecutionRolePolicy", AWS Managed Policy Reference Guide).
const TASK_EXECUTION: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
        "logs:CreateLogStream",
        "logs:PutLogEvents"
      ],
      "Resource": "*"
    }
  ]
}"#;

/// What sends segments ("AWSXRayDaemonWriteAccess", the same guide).
const XRAY_WRITE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "AWSXRayDaemonWriteAccess",
      "Effect": "Allow",
      "Action": [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries"
      ],
      "Resource": ["*"]
    }
  ]
}"#;

/// The policies of AWS, by ARN.
pub(crate) fn of_aws() -> impl Iterator<Item = (String, Managed)> {
    let all = [
        ("/service-role/", "AmazonECSTaskExecutionRolePolicy", TASK_EXECUTION),
        ("/", "AWSXRayDaemonWriteAccess", XRAY_WRITE),
    ];
    all.into_iter().filter_map(|(path, name, text)| {
        let document = Document::identity(text).ok()?;
        Some((format!("arn:aws:iam::aws:policy{path}{name}"), Managed::new(name, path, document)))
    })
}

/// Whether a policy is AWS's, which nobody else changes.
pub(crate) fn is_of_aws(arn: &str) -> bool {
    arn.starts_with("arn:aws:iam::aws:")
}
