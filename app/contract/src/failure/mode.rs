//! The fifteen modes, their parameters, defaults and ranges: one table that the parser, the documents and `doctor` share.

use serde::Serialize;

/// Name of a mode. The order is the order in which composed modes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeName {
    /// Reply replaced by an error status.
    #[serde(rename = "return_500")]
    Return500,
    /// Only the shallow health check fails.
    Unhealthy,
    /// A sleep before the handler.
    Latency,
    /// Never answers.
    Hang,
    /// Body cut short.
    CorruptBody,
    /// Database sessions opened and kept.
    ConnectionLeak,
    /// A slow statement.
    SlowQuery,
    /// A row lock that others wait for.
    LockContention,
    /// Credentials pinned to those read at start.
    StaleCredentials,
    /// Threads that burn CPU beside the runtime.
    CpuBurn,
    /// The async worker itself is blocked.
    BlockedRuntime,
    /// Memory kept and touched.
    MemoryLeak,
    /// The process exits.
    Crash,
    /// The scratch directory fills.
    DiskFill,
    /// Calls to a dependency fail as a closed port would.
    DependencyDown,
}

/// A dependency that `dependency_down` can cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dependency {
    /// Amazon S3.
    S3,
    /// SSM Parameter Store.
    Ssm,
    /// Secrets Manager.
    Secrets,
    /// PostgreSQL.
    Database,
}

/// A mode with its parameters, validated.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// `status`: HTTP status, 400–599.
    Return500 { status: u16 },
    /// `status`: HTTP status of `/healthz`, 400–599.
    Unhealthy { status: u16 },
    /// Uniform in `min_ms..=max_ms`.
    Latency { min_ms: u64, max_ms: u64 },
    /// No parameters.
    Hang,
    /// No parameters.
    CorruptBody,
    /// Sessions opened by each `/db` call, and the most that are held by one task.
    ConnectionLeak { per_request: u32, max: u32 },
    /// Milliseconds of `pg_sleep`.
    SlowQuery { ms: u64 },
    /// Milliseconds for which the row lock is held.
    LockContention { hold_ms: u64 },
    /// No parameters.
    StaleCredentials,
    /// Duty cycle in percent, and threads; `None` is one for each CPU.
    CpuBurn { percent: u32, workers: Option<u32> },
    /// Milliseconds for which each matching request blocks its worker.
    BlockedRuntime { ms: u64 },
    /// MiB kept by each matching request, and the most; `None` is the task's memory limit.
    MemoryLeak { mib_per_request: u32, cap_mib: Option<u32> },
    /// Seconds until the exit, counted from when the task applies the mode, and the exit code.
    Crash { after_s: u64, exit_code: u8 },
    /// MiB written to the scratch directory.
    DiskFill { mib: u32 },
    /// What is cut off.
    DependencyDown { targets: Vec<Dependency> },
}

/// One parameter of a mode: its name, default and inclusive range, as the documents print them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Key in the JSON object.
    pub name: &'static str,
    /// Default; `None` where the default depends on the task (its CPUs, its memory limit).
    pub default: Option<u64>,
    /// Smallest value.
    pub min: u64,
    /// Largest value.
    pub max: u64,
}

const fn parameter(name: &'static str, default: Option<u64>, min: u64, max: u64) -> Parameter {
    Parameter { name, default, min, max }
}

const HOUR_MS: u64 = 3_600_000;
const DAY_S: u64 = 86_400;

impl ModeName {
    /// Every mode, in the order in which composed modes are applied.
    pub const ALL: [Self; 15] = [
        Self::Return500,
        Self::Unhealthy,
        Self::Latency,
        Self::Hang,
        Self::CorruptBody,
        Self::ConnectionLeak,
        Self::SlowQuery,
        Self::LockContention,
        Self::StaleCredentials,
        Self::CpuBurn,
        Self::BlockedRuntime,
        Self::MemoryLeak,
        Self::Crash,
        Self::DiskFill,
        Self::DependencyDown,
    ];

    /// The word in the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Return500 => "return_500",
            Self::Unhealthy => "unhealthy",
            Self::Latency => "latency",
            Self::Hang => "hang",
            Self::CorruptBody => "corrupt_body",
            Self::ConnectionLeak => "connection_leak",
            Self::SlowQuery => "slow_query",
            Self::LockContention => "lock_contention",
            Self::StaleCredentials => "stale_credentials",
            Self::CpuBurn => "cpu_burn",
            Self::BlockedRuntime => "blocked_runtime",
            Self::MemoryLeak => "memory_leak",
            Self::Crash => "crash",
            Self::DiskFill => "disk_fill",
            Self::DependencyDown => "dependency_down",
        }
    }

    /// The mode of that name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// What really happens, in one line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Return500 => "every reply is replaced by an error status",
            Self::Unhealthy => "only the shallow health check fails",
            Self::Latency => "a sleep before the handler",
            Self::Hang => "no answer; the balancer times out",
            Self::CorruptBody => "the body is cut short, its length kept honest",
            Self::ConnectionLeak => "each /db call opens a database session and keeps it",
            Self::SlowQuery => "/db runs a slow statement",
            Self::LockContention => "/db holds a row lock that others wait for",
            Self::StaleCredentials => "database credentials stay those read at start",
            Self::CpuBurn => "threads burn CPU beside the async runtime",
            Self::BlockedRuntime => "the async worker itself is blocked",
            Self::MemoryLeak => "memory is kept and touched until the limit kills the task",
            Self::Crash => "the process exits",
            Self::DiskFill => "the task's scratch directory fills",
            Self::DependencyDown => "calls to a dependency fail as a closed port would",
        }
    }

    /// Where a person sees the mode first, in one line.
    pub const fn look_for(self) -> &'static str {
        match self {
            Self::Return500 => "5xx replies; targets unhealthy with Target.ResponseCodeMismatch",
            Self::Unhealthy => "targets unhealthy and tasks replaced, though / and /db answer 200",
            Self::Latency => "a higher latencyMs in the request log, no errors",
            Self::Hang => "504 after the balancer's idle time-out; the task logs such a request when the mode is left",
            Self::CorruptBody => "status 200 with a body that does not parse",
            Self::ConnectionLeak => "more sessions with every /db call, then 503 on /db and SQLSTATE 53300 in the log",
            Self::SlowQuery => "a slow /db, and its statement active in pg_stat_activity",
            Self::LockContention => "/db calls that wait for one another: wait_event_type Lock in pg_stat_activity",
            Self::StaleCredentials => "nothing yet; rotate the secret, then 503 on /db and SQLSTATE 28P01 in the log",
            Self::CpuBurn => "slower /work, and 503 from it once its queue is full",
            Self::BlockedRuntime => "requests that wait for one another in the task, and late health checks",
            Self::MemoryLeak => "tasks that stop with exit code 137 under traffic, and are replaced",
            Self::Crash => "tasks that stop with the exit code, and are replaced",
            Self::DiskFill => "a full scratch directory: /health?detailed=true, ENOSPC in the log",
            Self::DependencyDown => "503 where the dependency is needed; /health?detailed=true names it",
        }
    }

    /// The mode's numeric parameters. `dependency_down` has `targets` instead, a list of [`Dependency`] words.
    pub const fn parameters(self) -> &'static [Parameter] {
        const RETURN_500: [Parameter; 1] = [parameter("status", Some(500), 400, 599)];
        const UNHEALTHY: [Parameter; 1] = [parameter("status", Some(503), 400, 599)];
        const LATENCY: [Parameter; 2] =
            [parameter("min_ms", Some(500), 0, HOUR_MS), parameter("max_ms", Some(1500), 0, HOUR_MS)];
        const CONNECTION_LEAK: [Parameter; 2] =
            [parameter("per_request", Some(1), 1, 100), parameter("max", Some(200), 1, 10_000)];
        const SLOW_QUERY: [Parameter; 1] = [parameter("ms", Some(2000), 1, HOUR_MS)];
        const LOCK_CONTENTION: [Parameter; 1] = [parameter("hold_ms", Some(5000), 1, HOUR_MS)];
        const CPU_BURN: [Parameter; 2] = [parameter("percent", Some(90), 1, 100), parameter("workers", None, 1, 256)];
        const BLOCKED_RUNTIME: [Parameter; 1] = [parameter("ms", Some(200), 1, 60_000)];
        const MEMORY_LEAK: [Parameter; 2] =
            [parameter("mib_per_request", Some(4), 1, 1024), parameter("cap_mib", None, 1, 65_536)];
        const CRASH: [Parameter; 2] =
            [parameter("after_s", Some(5), 0, DAY_S), parameter("exit_code", Some(1), 0, 255)];
        const DISK_FILL: [Parameter; 1] = [parameter("mib", Some(256), 1, 20_480)];
        match self {
            Self::Return500 => &RETURN_500,
            Self::Unhealthy => &UNHEALTHY,
            Self::Latency => &LATENCY,
            Self::ConnectionLeak => &CONNECTION_LEAK,
            Self::SlowQuery => &SLOW_QUERY,
            Self::LockContention => &LOCK_CONTENTION,
            Self::CpuBurn => &CPU_BURN,
            Self::BlockedRuntime => &BLOCKED_RUNTIME,
            Self::MemoryLeak => &MEMORY_LEAK,
            Self::Crash => &CRASH,
            Self::DiskFill => &DISK_FILL,
            Self::Hang | Self::CorruptBody | Self::StaleCredentials | Self::DependencyDown => &[],
        }
    }

    /// Whether the mode can touch a request to `path` at all. A request's own `match` narrows this, never widens it.
    pub fn reaches(self, path: &str) -> bool {
        use crate::names::route;
        match self {
            Self::Unhealthy => path == route::HEALTHZ,
            Self::Return500 => path == route::HEALTHZ || route::BUSINESS.contains(&path),
            Self::ConnectionLeak | Self::SlowQuery | Self::LockContention => path == route::DB,
            _ => route::BUSINESS.contains(&path),
        }
    }

    /// Whether the mode hits requests one by one; the others hold the whole process while they are set, so `percentage`,
    /// `every` and `match` are refused for them.
    pub const fn is_per_request(self) -> bool {
        !matches!(self, Self::StaleCredentials | Self::CpuBurn | Self::Crash | Self::DiskFill | Self::DependencyDown)
    }
}

impl Dependency {
    /// Every dependency.
    pub const ALL: [Self; 4] = [Self::S3, Self::Ssm, Self::Secrets, Self::Database];

    /// The word in the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Ssm => "ssm",
            Self::Secrets => "secrets",
            Self::Database => "database",
        }
    }
}

impl Mode {
    /// The mode's name.
    pub const fn name(&self) -> ModeName {
        match self {
            Self::Return500 { .. } => ModeName::Return500,
            Self::Unhealthy { .. } => ModeName::Unhealthy,
            Self::Latency { .. } => ModeName::Latency,
            Self::Hang => ModeName::Hang,
            Self::CorruptBody => ModeName::CorruptBody,
            Self::ConnectionLeak { .. } => ModeName::ConnectionLeak,
            Self::SlowQuery { .. } => ModeName::SlowQuery,
            Self::LockContention { .. } => ModeName::LockContention,
            Self::StaleCredentials => ModeName::StaleCredentials,
            Self::CpuBurn { .. } => ModeName::CpuBurn,
            Self::BlockedRuntime { .. } => ModeName::BlockedRuntime,
            Self::MemoryLeak { .. } => ModeName::MemoryLeak,
            Self::Crash { .. } => ModeName::Crash,
            Self::DiskFill { .. } => ModeName::DiskFill,
            Self::DependencyDown { .. } => ModeName::DependencyDown,
        }
    }
}
