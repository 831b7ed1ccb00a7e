//! Access logs of load balancers as gzip objects in S3 ("Access logs for your Application Load Balancer", "Access log files").
//!
//! Promises: every line of AWS's format, in objects named as AWS names them, once for each five minutes of the platform's with
//! traffic. Best effort, as AWS has it: beyond [`LINES`] waiting lines the oldest go, and their number is in the twin's log.
//! Bounded, as AWS's are not: the oldest objects are deleted beyond 16 MiB of them.

mod delivered;

use std::{
    collections::{HashMap, VecDeque},
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use flate2::{Compression, write::GzEncoder};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tokio_util::sync::CancellationToken;
use twin_elbv2::{AccessLog, AccessLogPlace, Elbv2, Finished};
use twin_platform::{Account, Request, Response, Service, Speed};

use self::delivered::Delivered;

/// Seconds of the platform between two objects.
const INTERVAL_S: f64 = 300.0;
/// Below this an object for each interval would hold a handful of lines.
const SHORTEST: Duration = Duration::from_secs(5);
/// Lines that wait for one load balancer, some 400 bytes each.
const LINES: usize = 100_000;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]");
const MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute]Z");

/// Lines by load balancer.
#[derive(Default)]
pub(crate) struct AccessLogs {
    waiting: Mutex<HashMap<Arc<str>, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    dropped: u64,
}

impl AccessLog for AccessLogs {
    fn turned(&self, load_balancer_id: &Arc<str>, on: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if on {
            waiting.entry(load_balancer_id.clone()).or_default();
        } else {
            waiting.remove(load_balancer_id);
        }
    }

    fn write(&self, request: &Finished) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Only those whose log is on are known here.
        let Some(waiting) = waiting.get_mut(&request.load_balancer_id) else { return };
        if waiting.lines.len() >= LINES {
            waiting.lines.pop_front();
            waiting.dropped += 1;
        }
        waiting.lines.push_back(request.to_string());
    }
}

/// Delivers the access logs until the token is cancelled, and once more then.
pub(crate) fn deliver(
    elbv2: &Arc<Elbv2>,
    s3: Arc<dyn Service>,
    account: Account,
    speed: Speed,
    stop: CancellationToken,
) {
    let logs = Arc::new(AccessLogs::default());
    elbv2.set_access_log(logs.clone());
    let elbv2 = elbv2.clone();
    tokio::spawn(async move {
        let interval = speed.wait(INTERVAL_S).max(SHORTEST);
        let mut delivered = Delivered::default();
        while stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
            logs.put(&elbv2.access_logs(), s3.as_ref(), &account, &mut delivered).await;
        }
        logs.put(&elbv2.access_logs(), s3.as_ref(), &account, &mut delivered).await;
    });
}

impl AccessLogs {
    async fn put(&self, places: &[AccessLogPlace], s3: &dyn Service, account: &Account, delivered: &mut Delivered) {
        for place in places {
            let (lines, dropped) = match self.take(&place.load_balancer) {
                Some(Waiting { lines, dropped }) if !lines.is_empty() => (lines, dropped),
                _ => continue,
            };
            if dropped > 0 {
                tracing::warn!(dropped, balancer = %place.load_balancer, "access-log lines were dropped");
            }
            let key = key(place, account, OffsetDateTime::now_utc(), &uuid::Uuid::new_v4().simple().to_string()[..8]);
            let Ok(body) = zip(&lines) else { continue };
            let (uri, bytes) = (format!("/{}/{key}", place.bucket), body.len());
            let answer = ask(s3, "PUT", &uri, body).await;
            if answer.status == 200 {
                // In a bucket with versions a deletion by key alone would keep the bytes.
                let version = answer.headers.get("x-amz-version-id").and_then(|version| version.to_str().ok());
                delivered.add(version.map_or(uri.clone(), |version| format!("{uri}?versionId={version}")), bytes);
            } else {
                let error = String::from_utf8_lossy(&answer.body).into_owned();
                tracing::warn!(bucket = place.bucket, key, error, "an access log was not delivered");
            }
        }
        while let Some(uri) = delivered.surplus() {
            tracing::info!(uri, "the oldest object of the access logs is deleted");
            // Somebody else may have deleted it, or its bucket.
            drop(ask(s3, "DELETE", &uri, Vec::new()).await);
        }
    }

    fn take(&self, balancer: &str) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).get_mut(balancer).map(std::mem::take)
    }
}

async fn ask(s3: &dyn Service, method: &str, uri: &str, body: Vec<u8>) -> Response {
    let (method, uri) = (method.into(), uri.into());
    s3.handle(Request { method, uri, headers: HeaderMap::new(), body: body.into() }).await
}

/// `prefix/AWSLogs/account/elasticloadbalancing/region/yyyy/mm/dd/account_elasticloadbalancing_region_app.name.id_end_ip_random.log.gz`
fn key(place: &AccessLogPlace, account: &Account, end: OffsetDateTime, random: &str) -> String {
    let prefix = if place.prefix.is_empty() { String::new() } else { format!("{}/", place.prefix) };
    let Account { id, region } = account;
    let (day, minute) = (end.format(DAY).unwrap_or_default(), end.format(MINUTE).unwrap_or_default());
    let balancer = place.load_balancer.replace('/', ".");
    format!(
        "{prefix}AWSLogs/{id}/elasticloadbalancing/{region}/{day}/{id}_elasticloadbalancing_{region}_{balancer}_{minute}_127.0.0.1_{random}.log.gz"
    )
}

fn zip(lines: &VecDeque<String>) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(encoder, "{line}")?;
    }
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn objects_are_named_as_aws_names_them() {
        let place = |prefix: &str| AccessLogPlace {
            load_balancer: "app/golden/50dc6c495c0c9188".into(),
            bucket: "logs".into(),
            prefix: prefix.into(),
        };
        let account = Account { id: "123456789012".into(), region: "us-east-2".into() };
        let key = |prefix| key(&place(prefix), &account, datetime!(2026-05-01 23:40 UTC), "0000002a");
        let plain = "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/05/01/123456789012_elasticloadbalancing_us-east-2_app.golden.50dc6c495c0c9188_20260501T2340Z_127.0.0.1_0000002a.log.gz";
        assert_eq!(key(""), plain);
        assert_eq!(key("drill"), format!("drill/{plain}"));
    }

    #[tokio::test]
    async fn lines_are_in_the_bucket_and_only_for_a_log_that_is_on() {
        let account = Account::in_region("us-west-2");
        let s3 = crate::s3::S3::new(&account);
        assert_eq!(ask(&s3, "PUT", "/logs", Vec::new()).await.status, 200);
        let place =
            AccessLogPlace { load_balancer: "app/golden/1".into(), bucket: "logs".into(), prefix: String::new() };
        let logs = AccessLogs::default();
        logs.turned(&place.load_balancer, true);
        logs.waiting
            .lock()
            .expect("no panic yet")
            .get_mut("app/golden/1")
            .expect("known")
            .lines
            .push_back("http x".into());
        let mut delivered = Delivered::default();
        logs.put(std::slice::from_ref(&place), &s3, &account, &mut delivered).await;
        let keys = async || {
            let listed = ask(&s3, "GET", "/logs?list-type=2", Vec::new()).await;
            String::from_utf8_lossy(&listed.body).matches(".log.gz</Key>").count()
        };
        assert_eq!(keys().await, 1);
        // As if two more had come that fill the place alone.
        delivered.add("/logs/x".into(), delivered::KEPT_BYTES);
        delivered.add("/logs/y".into(), delivered::KEPT_BYTES);
        logs.put(std::slice::from_ref(&place), &s3, &account, &mut delivered).await;
        assert_eq!(keys().await, 0, "the oldest is gone");
        logs.turned(&place.load_balancer, false);
        assert!(logs.take("app/golden/1").is_none());
    }
}
