//! One probe for each dependency, all at once, each with its own bound.

use std::{future::Future, time::Instant};

use aws_sdk_s3::operation::get_object::GetObjectError;
use contract::failure::Dependency;
use futures_util::future::{BoxFuture, FutureExt, join_all};

use super::Finding;
use crate::{
    aws::describe,
    config::S3Probe,
    database::sql,
    state::App,
    telemetry::{aws_span, traced},
};

/// Key of the database under `services`.
pub(super) const DATABASE: &str = "database";

/// Object that the `get` and `put` probes touch.
const PROBE_KEY: &str = "health/probe";

type Outcome = Option<Result<(), String>>;

/// Runs every probe.
pub(super) async fn all(app: &App) -> Vec<Finding> {
    let mut probes: Vec<BoxFuture<'_, Finding>> = vec![
        timed(app, DATABASE.into(), database(app)).boxed(),
        timed(app, "parameter_store".into(), parameter_store(app)).boxed(),
        timed(app, "secrets".into(), secrets(app)).boxed(),
    ];
    for bucket in app.config.buckets() {
        probes.push(timed(app, format!("s3:{bucket}"), s3(app, bucket)).boxed());
    }
    let mut findings = join_all(probes).await;
    // The failure mode's own reads tell about the store; asking again would spend the account's quota twice.
    if !app.cuts.is_cut(Dependency::Ssm) {
        findings[1].latency = app.failure.last_read().1;
    }
    findings
}

async fn timed(app: &App, name: String, probe: impl Future<Output = Outcome>) -> Finding {
    let started = Instant::now();
    let bound = std::time::Duration::from_millis(app.config.health_probe_timeout_ms);
    let late = || Some(Err(format!("no answer within {} ms", bound.as_millis())));
    let result = tokio::time::timeout(bound, probe).await.unwrap_or_else(|_| late());
    Finding { name, result, latency: started.elapsed() }
}

async fn database(app: &App) -> Outcome {
    if app.config.secret().is_none() && app.config.db_host.is_none() {
        return None;
    }
    let query = async {
        let mut session = app.database.session().await?;
        sql("SELECT 1", sqlx::query("SELECT 1").execute(session.connection())).await?;
        session.release();
        Ok::<_, crate::DatabaseError>(())
    };
    // The caller reads the kind; the full text may name hosts and roles and goes to the log.
    Some(query.await.map_err(|error| format!("{}: {}", error.error_type().as_str(), error.detail())))
}

async fn parameter_store(app: &App) -> Outcome {
    if app.cuts.is_cut(Dependency::Ssm) {
        let call = app.clients.closed_ssm.get_parameter().name(&app.config.param_failure_mode).send();
        return Some(call.await.map(drop).map_err(|error| describe(&error)));
    }
    Some(match app.failure.last_read() {
        (true, _) => Ok(()),
        (false, _) => Err(app.failure.last_error().map_or_else(String::new, |error| error.to_string())),
    })
}

async fn secrets(app: &App) -> Outcome {
    app.config.secret()?;
    Some(app.database.probe_secret().await.map_err(|error| error.to_string()))
}

async fn s3(app: &App, bucket: &str) -> Outcome {
    let client = app.clients.s3(&app.cuts);
    let operation = match app.config.s3_probe {
        S3Probe::List => "S3/ListObjectsV2",
        S3Probe::Get => "S3/GetObject",
        S3Probe::Put => "S3/PutObject",
    };
    let span = aws_span(operation);
    span.record("aws.s3.bucket", bucket);
    let probe = async {
        match app.config.s3_probe {
            S3Probe::List => {
                client.list_objects_v2().bucket(bucket).max_keys(1).send().await.map(drop).map_err(|e| describe(&e))
            }
            S3Probe::Get => match client.get_object().bucket(bucket).key(PROBE_KEY).send().await {
                // The bucket answered; that the object is missing says that it may be read.
                Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(()),
                result => result.map(drop).map_err(|error| describe(&error)),
            },
            S3Probe::Put => {
                client.put_object().bucket(bucket).key(PROBE_KEY).send().await.map(drop).map_err(|e| describe(&e))
            }
        }
    };
    Some(traced(span, probe).await)
}
