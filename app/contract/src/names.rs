//! Names of resources, environment variables, headers and routes.

/// Names of the AWS resources that make up the lab. The same on the laptop and in AWS.
pub mod resource {
    /// ECS cluster.
    pub const CLUSTER: &str = "golden";
    /// ECS service.
    pub const SERVICE: &str = "golden";
    /// Task definition family; revisions count up from 1.
    pub const TASK_FAMILY: &str = "golden";
    /// The one container of a task.
    pub const CONTAINER: &str = "golden";
    /// Application Load Balancer.
    pub const LOAD_BALANCER: &str = "golden";
    /// Target group behind the balancer's HTTP listener.
    pub const TARGET_GROUP: &str = "golden";
    /// The second target group, where deployments are blue/green.
    pub const GREEN_TARGET_GROUP: &str = "golden-green";
    /// CodeDeploy application, where deployments are CodeDeploy's.
    pub const DEPLOY_APPLICATION: &str = "golden";
    /// Deployment group of that application.
    pub const DEPLOYMENT_GROUP: &str = "golden";
    /// IAM role with which CodeDeploy works on the service, the balancer and the alarms.
    pub const DEPLOY_ROLE: &str = "golden-codedeploy";
    /// Secrets Manager secret with the application's database credentials ([`crate::DatabaseSecret`]).
    pub const DB_SECRET: &str = "golden/db";
    /// SSM parameter with the failure mode ([`crate::failure::Plan`]).
    pub const FAILURE_MODE_PARAMETER: &str = "/golden/failure_mode";
    /// CloudWatch log group of the tasks.
    pub const LOG_GROUP: &str = "/ecs/golden";
    /// Prefix of the log streams: `golden/<container>/<task id>`.
    pub const LOG_STREAM_PREFIX: &str = "golden";
    /// Bucket that the deep health check probes. A bucket name is global in AWS, so there the account id is appended.
    pub const HEALTH_BUCKET: &str = "golden-health";
    /// RDS instance (and cluster) identifier.
    pub const DB_INSTANCE: &str = "golden-db";
    /// Database in that instance.
    pub const DB_NAME: &str = "golden";
    /// The application's role in the database.
    pub const DB_USERNAME: &str = "golden";
    /// IAM role of the application inside the task.
    pub const TASK_ROLE: &str = "golden-task";
    /// IAM role with which ECS pulls the image, reads `secrets` and writes logs.
    pub const EXECUTION_ROLE: &str = "golden-execution";
    /// Repository of the application's image; the tag follows a colon.
    pub const IMAGE_REPOSITORY: &str = "golden";
    /// Tag that the lab deploys.
    pub const IMAGE_TAG: &str = "latest";
    /// Port of the container, and of the targets.
    pub const CONTAINER_PORT: u16 = 8080;
    /// Port of the application's admin listener, reachable inside the task only.
    pub const ADMIN_PORT: u16 = 9901;
    /// SNS topic that every alarm tells of its changes.
    pub const ALARM_TOPIC: &str = "golden-alarms";
    /// SQS queue that is subscribed to the topic.
    pub const ALARM_QUEUE: &str = "golden-alarms";
    /// CloudWatch namespace of the metrics that are made from the application's log.
    pub const METRIC_NAMESPACE: &str = "Golden";
    /// Bucket of the balancer's access logs. As with the other bucket, the account id is appended in AWS.
    pub const ACCESS_LOG_BUCKET: &str = "golden-access-logs";
    /// Tag of an alarm with the failure modes that it catches, separated by spaces. A tag, so that the alarm itself does not
    /// give the answer away.
    pub const MODES_TAG: &str = "breakfix:modes";
    /// Tasks that the service runs.
    pub const DESIRED_COUNT: i32 = 2;
}

/// Auto scaling of the service: what the lab creates, and what `reset` restores.
pub mod scaling {
    /// Fewest tasks.
    pub const MIN_COUNT: i32 = super::resource::DESIRED_COUNT;
    /// Most tasks.
    pub const MAX_COUNT: i32 = 4;
    /// Scaling policy by CPU.
    pub const CPU_POLICY: &str = "golden-cpu";
    /// Scaling policy by requests.
    pub const REQUESTS_POLICY: &str = "golden-requests";

    /// The service as Application Auto Scaling names it.
    pub fn resource_id(cluster: &str, service: &str) -> String {
        format!("service/{cluster}/{service}")
    }
}

/// Health-check settings of the lab's target group: what the lab creates, and what `reset` restores.
pub mod health_check {
    /// Route that the balancer asks.
    pub const PATH: &str = super::route::HEALTHZ;
    /// Seconds between two checks of one target.
    pub const INTERVAL_S: i32 = 30;
    /// Seconds after which a check without an answer has failed.
    pub const TIMEOUT_S: i32 = 5;
    /// Consecutive passes that make an unhealthy target healthy.
    pub const HEALTHY_THRESHOLD: i32 = 2;
    /// Consecutive failures that make a healthy target unhealthy.
    pub const UNHEALTHY_THRESHOLD: i32 = 3;
    /// Status codes that pass.
    pub const MATCHER: &str = "200";
}

/// The web ACL in front of the balancer: what the lab creates, and what `reset` restores.
pub mod firewall {
    /// Its name, and the name of its metrics.
    pub const WEB_ACL: &str = "golden";
    /// AWS's managed rule groups in it, by priority from 0. Each only counts what it would block.
    pub const MANAGED_GROUPS: [&str; 3] = [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    ];
    /// The rule that counts clients which ask too often, after them.
    pub const RATE_RULE: &str = "rate-per-client";
    /// Requests of one address within the window that are too many.
    pub const RATE_LIMIT: i64 = 2000;
    /// Seconds of the window.
    pub const RATE_WINDOW_S: i64 = 300;
}

/// `application_name` of the PostgreSQL sessions, by which `pg_stat_activity` tells who holds them.
pub mod application_name {
    /// Sessions of the application's pool.
    pub const GOLDEN: &str = "golden";
    /// Sessions that the mode `connection_leak` keeps.
    pub const LEAK: &str = "golden-leak";
    /// The session with which `reset` and `breakfix status` look.
    pub const RESET: &str = "reset";
}

/// Environment variables that more than one room reads or writes.
pub mod env {
    /// Name of the failure-mode parameter, read by the application and the operator's tools.
    pub const PARAM_FAILURE_MODE: &str = "PARAM_FAILURE_MODE";
    /// ARN or name of the database secret.
    pub const DB_SECRET_ARN: &str = "DB_SECRET_ARN";
    /// `runtime` or `env`: where the application takes its database credentials from.
    pub const DB_CREDENTIALS: &str = "DB_CREDENTIALS";
    /// Database user when `DB_CREDENTIALS=env`.
    pub const DB_USERNAME: &str = "DB_USERNAME";
    /// Database password when `DB_CREDENTIALS=env`.
    pub const DB_PASSWORD: &str = "DB_PASSWORD";
    /// Buckets that the deep health check probes, comma-separated.
    pub const S3_BUCKET_NAME: &str = "S3_BUCKET_NAME";
    /// Public listener of the application.
    pub const BIND_ADDR: &str = "BIND_ADDR";
    /// Admin listener of the application.
    pub const ADMIN_ADDR: &str = "ADMIN_ADDR";
    /// Where the application sends its spans and metrics; unset, it sends none. OpenTelemetry's own name.
    pub const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    /// `none` where the endpoint above takes spans only. OpenTelemetry's own name.
    pub const METRICS_EXPORTER: &str = "OTEL_METRICS_EXPORTER";
    /// ECS cluster name, exported by `breakfix env`.
    pub const CLUSTER: &str = "CLUSTER";
    /// ECS service name, exported by `breakfix env`.
    pub const SERVICE: &str = "SERVICE";
    /// Base URL of the balancer, exported by `breakfix env`.
    pub const ALB_URL: &str = "ALB_URL";
    /// Target group ARN, exported by `breakfix env`.
    pub const TARGET_GROUP_ARN: &str = "TARGET_GROUP_ARN";
    /// Log group name, exported by `breakfix env`.
    pub const LOG_GROUP: &str = "LOG_GROUP";
    /// Folder of the saved Logs Insights queries, exported by `breakfix env`.
    pub const QUERIES: &str = "QUERIES";
}

/// HTTP headers of every reply of the application.
pub mod header {
    /// Identifier of the request: taken from the caller when well-formed, else made here.
    pub const REQUEST_ID: &str = "x-request-id";
    /// AWS's trace header; the balancer starts it.
    pub const TRACE_ID: &str = "x-amzn-trace-id";
    /// Identifier of the ECS task that answered.
    pub const TASK: &str = "x-lab-task";
    /// Version of the failure-mode parameter that the task applies.
    pub const CONFIG_VERSION: &str = "x-lab-config-version";
}

/// Routes of the application's public listener.
pub mod route {
    /// Identity.
    pub const ROOT: &str = "/";
    /// Shallow health for the balancer and the container health check.
    pub const HEALTHZ: &str = "/healthz";
    /// The process is alive.
    pub const LIVE: &str = "/live";
    /// The process takes traffic.
    pub const READY: &str = "/ready";
    /// Deep health with every dependency.
    pub const HEALTH: &str = "/health";
    /// CPU work.
    pub const WORK: &str = "/work";
    /// One database query.
    pub const DB: &str = "/db";
    /// The routes that a failure mode touches by default.
    pub const BUSINESS: [&str; 3] = [ROOT, WORK, DB];
}
