//! The AWS clients: one TLS stack, bounded calls, and a twin of each client that points at a closed port.

mod describe;

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use contract::failure::Dependency;

pub(crate) use describe::describe;

/// Port 1 (tcpmux) has no listener on any machine of today: a call to it gets a real ECONNREFUSED.
pub(crate) const CLOSED_PORT: u16 = 1;

/// What one attempt, and all attempts together, may take. Under the health probe's and the request's own bounds.
const ATTEMPT: Duration = Duration::from_millis(1500);
const OPERATION: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(1);

/// One bound on a read of the failure mode: a slower answer is no answer.
pub(crate) const PARAMETER_TIMEOUT: Duration = Duration::from_millis(250);

/// The clients.
pub(crate) struct Clients {
    /// Reads the failure mode: never cut off, never retried, so that the mode can always be left.
    pub(crate) failure_mode: aws_sdk_ssm::Client,
    /// Parameter Store behind a closed port: what the deep health check asks while `ssm` is cut.
    pub(crate) closed_ssm: aws_sdk_ssm::Client,
    secrets: Pair<aws_sdk_secretsmanager::Client>,
    s3: Pair<aws_sdk_s3::Client>,
    /// Region in use, for `/health`.
    pub(crate) region: String,
}

struct Pair<C> {
    open: C,
    closed: C,
}

/// Which dependencies `dependency_down` has cut off.
#[derive(Debug, Default)]
pub(crate) struct Cuts(AtomicU8);

impl Cuts {
    /// Whether calls to the dependency must fail.
    pub(crate) fn is_cut(&self, dependency: Dependency) -> bool {
        self.0.load(Ordering::Relaxed) & bit(dependency) != 0
    }

    /// Cuts exactly these; true when that changed anything.
    pub(crate) fn set(&self, dependencies: &[Dependency]) -> bool {
        let wanted = dependencies.iter().fold(0, |bits, dependency| bits | bit(*dependency));
        self.0.swap(wanted, Ordering::Relaxed) != wanted
    }

    /// What is cut.
    pub(crate) fn list(&self) -> Vec<Dependency> {
        Dependency::ALL.into_iter().filter(|dependency| self.is_cut(*dependency)).collect()
    }
}

const fn bit(dependency: Dependency) -> u8 {
    1 << dependency as u8
}

impl<C> Pair<C> {
    fn pick(&self, is_cut: bool) -> &C {
        if is_cut { &self.closed } else { &self.open }
    }
}

impl Clients {
    /// Reads region, endpoint and credentials provider from the environment as every AWS SDK does; opens no connection.
    pub(crate) async fn load() -> Self {
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .operation_attempt_timeout(ATTEMPT)
                    .operation_timeout(OPERATION)
                    .build(),
            )
            .load()
            .await;
        Self::from_config(config)
    }

    /// Clients of an endpoint that a test serves, with credentials that mean nothing.
    #[cfg(test)]
    pub(crate) async fn at(endpoint_url: &str) -> Self {
        let credentials = aws_sdk_ssm::config::Credentials::new("test", "test", None, None, "test");
        let http = Builder::new().build_http();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(credentials)
            .endpoint_url(endpoint_url)
            .retry_config(RetryConfig::disabled())
            .load()
            .await;
        Self::from_config(config)
    }

    fn from_config(config: SdkConfig) -> Self {
        // Without a region the SDK fails each call; the lab's own region is a better default than that.
        let config = match config.region() {
            Some(_) => config,
            None => config.into_builder().region(Region::from_static("us-east-1")).build(),
        };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let failure_mode = aws_sdk_ssm::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(PARAMETER_TIMEOUT)
                    .operation_timeout(PARAMETER_TIMEOUT)
                    .build(),
            )
            .build();
        // Set on each service's own configuration: there it wins over AWS_ENDPOINT_URL.
        let closed = format!("http://127.0.0.1:{CLOSED_PORT}");
        let never = RetryConfig::disabled;
        let closed_ssm = aws_sdk_ssm::config::Builder::from(&config).endpoint_url(&closed).retry_config(never());
        let secrets = aws_sdk_secretsmanager::config::Builder::from(&config);
        let closed_secrets = secrets.clone().endpoint_url(&closed).retry_config(never());
        // Path style: the laptop's endpoint is an address, which cannot carry a bucket in its host name.
        let by_path = config.endpoint_url().is_some();
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(by_path);
        let closed_s3 = s3.clone().endpoint_url(&closed).force_path_style(true).retry_config(never());
        Self {
            failure_mode: aws_sdk_ssm::Client::from_conf(failure_mode),
            closed_ssm: aws_sdk_ssm::Client::from_conf(closed_ssm.build()),
            secrets: Pair {
                open: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
                closed: aws_sdk_secretsmanager::Client::from_conf(closed_secrets.build()),
            },
            s3: Pair {
                open: aws_sdk_s3::Client::from_conf(s3.build()),
                closed: aws_sdk_s3::Client::from_conf(closed_s3.build()),
            },
            region,
        }
    }

    /// Secrets Manager.
    pub(crate) fn secrets(&self, cuts: &Cuts) -> &aws_sdk_secretsmanager::Client {
        self.secrets.pick(cuts.is_cut(Dependency::Secrets))
    }

    /// S3.
    pub(crate) fn s3(&self, cuts: &Cuts) -> &aws_sdk_s3::Client {
        self.s3.pick(cuts.is_cut(Dependency::S3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_is_named_is_cut() {
        let cuts = Cuts::default();
        assert!(cuts.set(&[Dependency::S3, Dependency::Database]));
        assert_eq!(cuts.list(), [Dependency::S3, Dependency::Database]);
        assert!(!cuts.set(&[Dependency::Database, Dependency::S3]));
        assert!(cuts.set(&[]));
        assert!(cuts.list().is_empty());
    }
}
