//! Clients of the AWS APIs, and errors of those APIs that are safe to show.
//!
//! Promises: everything the environment says about endpoint, region and profile is honoured; no call waits longer than
//! [`OPERATION_TIMEOUT`]. Refuses: to keep a raw `SdkError`. Its `Debug` form prints the whole reply, which may hold a secret.

use std::{fmt, time::Duration};

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::{Builder, tls};
use serde::{Serialize, Serializer};

/// How long a TCP or TLS connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one attempt may take: a control plane that needs longer is down for our purpose.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an operation with all its attempts may take.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);
/// Attempts of one operation, the first included.
const ATTEMPTS: u32 = 3;

/// The clients that the operator's tools need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    /// What the clients were made from; make further clients from it.
    pub config: SdkConfig,
    /// Systems Manager: the failure-mode parameter.
    pub ssm: aws_sdk_ssm::Client,
    /// Secrets Manager: the database credentials.
    pub secretsmanager: aws_sdk_secretsmanager::Client,
    /// CodeDeploy: a deployment of the service, where CodeDeploy deploys it.
    pub codedeploy: aws_sdk_codedeploy::Client,
    /// ECS: the service and its tasks.
    pub ecs: aws_sdk_ecs::Client,
    /// Application Auto Scaling: the service's scalable target.
    pub scaling: aws_sdk_applicationautoscaling::Client,
    /// CloudWatch: the alarms that scaling policies hang on.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// IAM: the policies of the task's roles.
    pub iam: aws_sdk_iam::Client,
    /// Elastic Load Balancing v2: target group, target health, address of the balancer.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// AWS WAF: the web ACL in front of the balancer.
    pub wafv2: aws_sdk_wafv2::Client,
}

impl Clients {
    /// Clients as the environment and the AWS profile say (`AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_PROFILE`, …).
    pub async fn load() -> Self {
        Self::from_config(loader().load().await)
    }

    /// Clients from a configuration made with [`loader`], e.g. with the endpoint set by a flag.
    pub fn from_config(config: SdkConfig) -> Self {
        Self {
            ssm: aws_sdk_ssm::Client::new(&config),
            secretsmanager: aws_sdk_secretsmanager::Client::new(&config),
            codedeploy: aws_sdk_codedeploy::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            scaling: aws_sdk_applicationautoscaling::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            wafv2: aws_sdk_wafv2::Client::new(&config),
            config,
        }
    }
}

/// The lab's way to load an AWS configuration: one TLS stack (ring), bounded waiting, three attempts.
pub fn loader() -> ConfigLoader {
    let http_client =
        Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
}

/// A refused or failed AWS call: the operation, AWS's error code when it answered, and the reason in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct AwsError {
    /// The action, e.g. `ssm:GetParameter`.
    pub operation: &'static str,
    /// AWS's error code, e.g. `ParameterNotFound`; none when no answer came.
    pub code: Option<String>,
    /// AWS's message, or the chain of transport errors.
    pub reason: String,
}

impl AwsError {
    /// Takes from an SDK error what is safe to show. To be used as `map_err(AwsError::from_sdk("ssm:GetParameter"))`.
    pub fn from_sdk<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug + 'static,
    {
        move |error| match error.as_service_error() {
            Some(service) => Self {
                operation,
                code: service.code().map(str::to_owned),
                reason: service.message().unwrap_or("the service gave no message").to_owned(),
            },
            None => Self { operation, code: None, reason: transport_reason(&error) },
        }
    }

    /// An answer that came but lacks what it must hold.
    pub fn incomplete(operation: &'static str, reason: impl Into<String>) -> Self {
        Self { operation, code: None, reason: reason.into() }
    }

    /// Whether AWS answered with this error code.
    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether no AWS service answered at all.
    pub fn is_unanswered(&self) -> bool {
        self.code.is_none()
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{}: {code}: {}", self.operation, self.reason),
            None => write!(f, "{}: {}", self.operation, self.reason),
        }
    }
}

impl Serialize for AwsError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The chain of sources in one line, each link once. Only `Display` is used, so no reply body can appear.
fn transport_reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut reason = String::new();
    let mut next = Some(error);
    while let Some(link) = next {
        let text = link.to_string();
        if !text.is_empty() && !reason.contains(&text) {
            if !reason.is_empty() {
                reason.push_str(": ");
            }
            reason.push_str(&text);
        }
        next = link.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("dispatch failure")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_transport_error_reads_as_one_line() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(transport_reason(&Outer(refused)), "dispatch failure: connection refused");
    }

    #[test]
    fn the_text_names_operation_code_and_reason() {
        let error = AwsError {
            operation: "ssm:GetParameter",
            code: Some("ParameterNotFound".into()),
            reason: "no parameter /golden/failure_mode".into(),
        };
        assert_eq!(error.to_string(), "ssm:GetParameter: ParameterNotFound: no parameter /golden/failure_mode");
        assert!(!error.is_unanswered());
    }
}
