//! What a task can ask about itself: the task metadata endpoint (version 4) and the credentials of its role.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use twin_platform::Usage;

use crate::{
    arn,
    core::Core,
    state::{State, Task},
};

/// Temporary credentials of a task role are handed out for six hours.
const CREDENTIALS_LIVE_S: i64 = 6 * 3600;

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v4/{task}", get(|core, id| found(core, id, container)))
        .route("/v4/{task}/task", get(|core, id| found(core, id, task)))
        .route("/v4/{task}/stats", get(|core, id| found(core, id, stats)))
        .route("/v4/{task}/task/stats", get(|core, id| found(core, id, task_stats)))
        .route("/credentials/{task}", get(|core, id| found(core, id, credentials)))
        .with_state(core)
}

type Answer = Result<Json<Value>, (StatusCode, String)>;

async fn found(
    Shared(core): Shared<Arc<Core>>,
    Path(id): Path<String>,
    view: fn(&Core, &State, &Task) -> Option<Value>,
) -> Answer {
    let answer = core.read(|state| state.tasks.get(&id).and_then(|task| view(&core, state, task)));
    answer.map(Json).ok_or_else(|| (StatusCode::NOT_FOUND, format!("no such task, or nothing known of it yet: {id}\n")))
}

fn rfc3339(epoch_s: Option<f64>) -> Value {
    let stamp = |seconds: f64| {
        let stamp = OffsetDateTime::from_unix_timestamp_nanos((seconds * 1e3) as i128 * 1_000_000).ok()?;
        stamp.format(&Rfc3339).ok()
    };
    epoch_s.and_then(stamp).map_or(Value::Null, Value::String)
}

/// Without its nulls, as the agent leaves out what it does not know.
fn compact(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

fn container(core: &Core, _: &State, task: &Task) -> Option<Value> {
    let account = &core.settings.account;
    let definition = &task.definition.container;
    let task_arn = arn::task(account, &task.cluster, &task.id);
    let mut labels = json!({
        "com.amazonaws.ecs.cluster": arn::cluster(account, &task.cluster),
        "com.amazonaws.ecs.container-name": definition.name,
        "com.amazonaws.ecs.task-arn": task_arn,
        "com.amazonaws.ecs.task-definition-family": task.definition.family,
        "com.amazonaws.ecs.task-definition-version": task.definition.revision.to_string(),
    });
    for (name, value) in definition.docker_labels.iter().flatten() {
        labels[name] = Value::String(value.clone());
    }
    let log = definition.log_configuration.as_ref();
    let place = task.place.as_ref()?;
    Some(compact(json!({
        "DockerId": task.runtime_id(),
        "Name": definition.name,
        "DockerName": definition.name,
        "Image": definition.image,
        "ImageID": task.container.image_digest,
        "Labels": labels,
        "DesiredStatus": task.desired.as_str(),
        "KnownStatus": task.status.as_str(),
        "ExitCode": task.container.exit_code,
        "Limits": { "CPU": definition.cpu.filter(|cpu| *cpu > 0).unwrap_or(2), "Memory": definition.memory.unwrap_or(0) },
        "CreatedAt": rfc3339(task.times.pull_stopped),
        "StartedAt": rfc3339(task.times.started),
        "FinishedAt": rfc3339(task.times.execution_stopped),
        "Type": "NORMAL",
        "Health": definition.health_check.as_ref().map(|_| json!({ "status": task.container.health })),
        "LogDriver": log.map(|log| &log.log_driver),
        "LogOptions": log.and_then(|log| log.options.as_ref()),
        "ContainerARN": arn::container(account, &task.cluster, &task.id, &task.container.id),
        "Networks": [{
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [place.address.to_string()],
            "AttachmentIndex": 0,
        }],
        "Snapshotter": "overlayfs",
    })))
}

fn task(core: &Core, state: &State, task: &Task) -> Option<Value> {
    let account = &core.settings.account;
    Some(compact(json!({
        "Cluster": arn::cluster(account, &task.cluster),
        "TaskARN": arn::task(account, &task.cluster, &task.id),
        "Family": task.definition.family,
        "Revision": task.definition.revision.to_string(),
        "ServiceName": task.service.as_ref().map(|key| &key.name),
        "DesiredStatus": task.desired.as_str(),
        "KnownStatus": task.status.as_str(),
        "Limits": { "CPU": f64::from(task.definition.cpu_units) / 1024.0, "Memory": task.definition.memory_mib },
        "PullStartedAt": rfc3339(task.times.pull_started),
        "PullStoppedAt": rfc3339(task.times.pull_stopped),
        "ExecutionStoppedAt": rfc3339(task.times.execution_stopped),
        "AvailabilityZone": task.zone,
        "LaunchType": "FARGATE",
        "Containers": container(core, state, task).into_iter().collect::<Vec<_>>(),
        "ClockDrift": { "ClockSynchronizationStatus": "NOT_SYNCHRONIZED" },
    })))
}

/// The part of Docker's statistics that can be measured of a process.
fn stats(_: &Core, _: &State, task: &Task) -> Option<Value> {
    let usage = Usage::of(task.container.pid?)?;
    let limit = u64::from(task.definition.memory_mib) * 1024 * 1024;
    let now = OffsetDateTime::now_utc().format(&Rfc3339).ok()?;
    Some(compact(json!({
        "read": now,
        "name": task.definition.container.name,
        "id": task.runtime_id(),
        "num_procs": 0,
        "memory_stats": { "usage": usage.resident_bytes, "limit": limit },
        "cpu_stats": {
            "cpu_usage": { "total_usage": u64::try_from(usage.cpu.as_nanos()).ok()? },
            "online_cpus": std::thread::available_parallelism().map_or(1, usize::from),
        },
    })))
}

fn task_stats(core: &Core, state: &State, task: &Task) -> Option<Value> {
    Some(json!({ task.runtime_id(): stats(core, state, task)? }))
}

fn credentials(_: &Core, _: &State, task: &Task) -> Option<Value> {
    let credentials = task.credentials.as_ref()?;
    let expiration = OffsetDateTime::now_utc() + time::Duration::seconds(CREDENTIALS_LIVE_S);
    Some(json!({
        "RoleArn": credentials.role_arn,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.token,
        "Expiration": expiration.format(&Rfc3339).ok()?,
    }))
}
