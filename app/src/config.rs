//! Configuration of `golden`: every field is a flag and an environment variable of the same name.
//!
//! Promises: a value that cannot work is refused before a socket opens, in one line that names the variable. The region,
//! the endpoint and the credentials of AWS are read by the SDK itself (`AWS_REGION`, `AWS_ENDPOINT_URL`, …).

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, ValueEnum};

/// Where the database credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CredentialsSource {
    /// Fetched from Secrets Manager while running, and again when the database refuses them.
    Runtime,
    /// Taken from the environment once: the anti-pattern that a rotation breaks.
    Env,
}

/// How the deep health check touches a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum S3Probe {
    /// `ListObjectsV2` with one key; needs `s3:ListBucket`.
    List,
    /// `GetObject` of `health/probe`; a missing key still proves access. Needs `s3:GetObject`.
    Get,
    /// `PutObject` of an empty `health/probe`; needs `s3:PutObject`.
    Put,
}

/// A value that is never printed.
#[derive(Clone)]
pub struct Hidden(String);

impl Hidden {
    /// The value itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Everything that can be set from outside.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Public listener. The health check asks the same address.
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    pub bind_addr: SocketAddr,
    /// Admin listener: metrics, failure mode, log level. Anything wider than loopback shows the drill's answer to players.
    #[arg(long, env, default_value = "127.0.0.1:9901")]
    pub admin_addr: SocketAddr,
    /// Version in `/` and `/health`.
    #[arg(long, env, default_value = env!("CARGO_PKG_VERSION"))]
    pub service_version: String,
    /// Level filter at start, in tracing's directive syntax; `/log-level` changes it. Request lines are always written.
    #[arg(long, env, default_value = "info,opentelemetry=warn,sqlx=warn,aws_config=warn,hyper=warn")]
    pub log_level: String,

    /// SSM parameter with the failure mode.
    #[arg(long, env, default_value = contract::names::resource::FAILURE_MODE_PARAMETER)]
    pub param_failure_mode: String,
    /// Milliseconds after which the failure mode is read again. Too high: a flip takes long and spoils a drill's clock.
    /// Too low: the account's 40 `GetParameter` calls a second run out. 0 awaits one coalesced read on every request.
    #[arg(long, env, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub failure_mode_max_age_ms: u64,
    /// Milliseconds for which a value that cannot be read again still applies; then the mode is `none`. Too high: a mode
    /// outlives a parameter store that is down. Too low: a short outage ends a drill.
    #[arg(long, env, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub failure_mode_max_stale_ms: u64,
    /// Most seconds for which a mode without `expires_at` and `for_s` runs, counted from the parameter's last change. A
    /// forgotten drill ends by itself; too low and a long one ends early.
    #[arg(long, env, default_value_t = 14_400, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub failure_max_s: u64,

    /// ARN or name of the database secret. Without it `/db` answers 503.
    #[arg(long, env)]
    pub db_secret_arn: Option<String>,
    /// `runtime` or `env`.
    #[arg(long, env, value_enum, default_value = "runtime")]
    pub db_credentials: CredentialsSource,
    /// Database user when `DB_CREDENTIALS=env`.
    #[arg(long, env)]
    pub db_username: Option<String>,
    /// Database password when `DB_CREDENTIALS=env`.
    #[arg(long, env, hide_env_values = true)]
    pub db_password: Option<Hidden>,
    /// Database host when `DB_CREDENTIALS=env`; without it the address comes from the secret, only user and password do not.
    #[arg(long, env)]
    pub db_host: Option<String>,
    /// Database port beside `DB_HOST`.
    #[arg(long, env, default_value_t = 5432)]
    pub db_port: u16,
    /// Database name beside `DB_HOST`.
    #[arg(long, env, default_value = contract::names::resource::DB_NAME)]
    pub db_name: String,
    /// Most database sessions of this task. The sum that must hold: tasks × pool ≤ max_connections − reserved. On the
    /// laptop PostgreSQL has 20 with 3 reserved, and a rolling deployment runs up to 4 tasks at once: 4 × 4 = 16 ≤ 17.
    /// Higher, and a deployment alone causes 53300; lower, and `/db` queues behind itself.
    #[arg(long, env, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub db_pool_max: u32,
    /// Milliseconds that a request waits for a session. Must be well under `REQUEST_TIMEOUT_MS`, else the caller sees 504
    /// and never learns that the pool was the reason.
    #[arg(long, env, default_value_t = 3000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub db_acquire_timeout_ms: u64,
    /// Milliseconds after which a session is replaced. Under `DB_CREDENTIALS=env` this is how soon a rotation shows, since
    /// open sessions outlive a changed password. Too low: every call logs in anew.
    #[arg(long, env, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub db_session_max_lifetime_ms: u64,

    /// Buckets that the deep health check probes, comma-separated; empty for none.
    #[arg(long, env, default_value = "")]
    pub s3_bucket_name: String,
    /// `list`, `get` or `put`: how a bucket is probed, so that the task role needs just that one permission.
    #[arg(long, env, value_enum, default_value = "list")]
    pub s3_probe: S3Probe,
    /// Milliseconds for which deep health is reused. Too low: curious callers load every dependency. Too high: old news.
    #[arg(long, env, default_value_t = 5000, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub health_max_age_ms: u64,
    /// Milliseconds that one dependency probe may take; keep it under the prober's own timeout.
    #[arg(long, env, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub health_probe_timeout_ms: u64,

    /// Milliseconds until a request is answered 504. Must be above 10 s, the longest `/work`, and under the balancer's
    /// idle timeout (60 s), else the balancer's 504 hides ours.
    #[arg(long, env, default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(1..=600_000))]
    pub request_timeout_ms: u64,
    /// Threads that do `/work`. More than the CPUs only makes each slower.
    #[arg(long, env, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=256))]
    pub work_threads: u64,
    /// `/work` jobs that may wait; the next is answered 503. Too high: callers wait past their own patience.
    #[arg(long, env, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub work_queue: u64,

    /// Milliseconds between failing readiness and closing the listener, in which replies carry `connection: close` so that
    /// the balancer's kept connections end in order. Too low: a request may meet a closed socket. Too high: slow deployments.
    #[arg(long, env, default_value_t = 500, value_parser = clap::value_parser!(u64).range(0..=120_000))]
    pub shutdown_delay_ms: u64,
    /// Milliseconds that requests in flight get to finish after that. Keep the sum under the task's `stopTimeout` (30 s),
    /// else SIGKILL cuts them and the last log lines.
    #[arg(long, env, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(0..=120_000))]
    pub drain_timeout_ms: u64,
    /// Folder that `disk_fill` fills; the system's temporary folder when unset.
    #[arg(long, env)]
    pub scratch_dir: Option<PathBuf>,
}

/// A configuration whose fields do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidConfig(String);

impl Config {
    /// Checks what one field alone cannot know.
    ///
    /// # Errors
    /// [`InvalidConfig`] names both variables and the mend.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        let refuse = |reason: String| Err(InvalidConfig(reason));
        if self.param_failure_mode.trim().is_empty() {
            return refuse("PARAM_FAILURE_MODE is empty; name an SSM parameter such as /golden/failure_mode".into());
        }
        if self.db_credentials == CredentialsSource::Env {
            for (name, missing) in [
                ("DB_USERNAME", self.db_username.as_deref().is_none_or(str::is_empty)),
                ("DB_PASSWORD", self.db_password.as_ref().is_none_or(|password| password.reveal().is_empty())),
            ] {
                if missing {
                    return refuse(format!(
                        "{name} is not set; DB_CREDENTIALS=env needs it, or use DB_CREDENTIALS=runtime"
                    ));
                }
            }
        }
        if self.db_acquire_timeout_ms >= self.request_timeout_ms {
            return refuse(format!(
                "DB_ACQUIRE_TIMEOUT_MS {} is not below REQUEST_TIMEOUT_MS {}; lower the first or raise the second",
                self.db_acquire_timeout_ms, self.request_timeout_ms
            ));
        }
        if self.failure_mode_max_stale_ms < self.failure_mode_max_age_ms {
            return refuse(format!(
                "FAILURE_MODE_MAX_STALE_MS {} is below FAILURE_MODE_MAX_AGE_MS {}; every mode would flicker off between two reads",
                self.failure_mode_max_stale_ms, self.failure_mode_max_age_ms
            ));
        }
        if self.bind_addr == self.admin_addr && self.bind_addr.port() != 0 {
            return refuse(format!("ADMIN_ADDR {} is also BIND_ADDR; give it another port", self.admin_addr));
        }
        Ok(())
    }

    /// The buckets to probe.
    pub fn buckets(&self) -> impl Iterator<Item = &str> {
        self.s3_bucket_name.split(',').map(str::trim).filter(|name| !name.is_empty())
    }

    /// The database secret, when one is named.
    pub fn secret(&self) -> Option<&str> {
        self.db_secret_arn.as_deref().map(str::trim).filter(|name| !name.is_empty())
    }

    /// [`Config::request_timeout_ms`] as a duration.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }

    /// Defaults with port 0, and the given flags.
    pub(crate) fn config(flags: &[&str]) -> Config {
        let base = ["golden", "--bind-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"];
        Flags::parse_from(base.iter().chain(flags)).config
    }

    #[test]
    fn defaults_fit_together() {
        assert_eq!(config(&[]).validate(), Ok(()));
    }

    #[test]
    fn fields_that_do_not_fit_are_named() {
        for (flags, wanted) in [
            (&["--db-credentials", "env"][..], "DB_USERNAME"),
            (&["--db-credentials", "env", "--db-username", "u"], "DB_PASSWORD"),
            (&["--db-acquire-timeout-ms", "20000"], "DB_ACQUIRE_TIMEOUT_MS 20000"),
            (&["--failure-mode-max-stale-ms", "10"], "FAILURE_MODE_MAX_STALE_MS 10"),
            (&["--bind-addr", "127.0.0.1:9", "--admin-addr", "127.0.0.1:9"], "ADMIN_ADDR 127.0.0.1:9"),
            (&["--param-failure-mode", " "], "PARAM_FAILURE_MODE"),
        ] {
            let flags: Vec<_> = ["golden"].iter().chain(flags).collect();
            let error = Flags::parse_from(flags).config.validate().expect_err(wanted).to_string();
            assert!(error.contains(wanted) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let config = config(&["--db-password", "hunter2"]);
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
