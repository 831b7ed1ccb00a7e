//! The cache against a store that a test scripts.

use std::sync::Mutex as StdMutex;

use async_trait::async_trait;
use contract::failure::ModeName;

use super::*;
use crate::failure::ParameterValue;

struct Script {
    answers: StdMutex<Vec<Result<ParameterValue, ReadError>>>,
    reads: AtomicU64,
    delay: Duration,
}

struct Handle(Arc<Script>);

#[async_trait]
impl ParameterStore for Handle {
    async fn read(&self) -> Result<ParameterValue, ReadError> {
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.0.delay).await;
        let mut answers = self.0.answers.lock().expect("no reader panicked");
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    }
}

struct Get(&'static str);

impl RequestView for Get {
    fn path(&self) -> &str {
        self.0
    }
    fn method(&self) -> &str {
        "GET"
    }
    fn header(&self, _: &str) -> Option<&str> {
        None
    }
}

fn value(version: i64, text: &str) -> Result<ParameterValue, ReadError> {
    Ok(ParameterValue { value: text.into(), version, last_modified: OffsetDateTime::now_utc() })
}

fn down() -> Result<ParameterValue, ReadError> {
    Err(ReadError::Failed { name: "/p".into(), reason: "ThrottlingException".into() })
}

fn cache(max_age_ms: u64, answers: Vec<Result<ParameterValue, ReadError>>) -> (Arc<FailureCache>, Arc<Script>) {
    let script =
        Arc::new(Script { answers: StdMutex::new(answers), reads: AtomicU64::new(0), delay: Duration::from_millis(5) });
    let settings =
        CacheSettings { max_age: Duration::from_millis(max_age_ms), max_stale: Duration::from_secs(60), max_s: 60 };
    let identity = Arc::new(Identity::local(None));
    (Arc::new(FailureCache::new(Box::new(Handle(Arc::clone(&script))), identity, settings)), script)
}

#[tokio::test]
async fn a_missing_parameter_is_none_and_visible() {
    let missing = Err(ReadError::NotFound("/p".into()));
    let (cache, _) = cache(1000, vec![value(1, "hang"), missing]);
    cache.refresh().await;
    assert_eq!(cache.effective(Instant::now()).active.len(), 1);
    cache.refresh().await;
    let now = Instant::now();
    assert!(cache.effective(now).active.is_empty() && !cache.is_stale(now));
    assert!(cache.last_error().is_some_and(|error| error.contains("/p does not exist")));
}

#[tokio::test]
async fn an_error_keeps_the_value_until_it_is_too_old() {
    let (cache, _) = cache(1000, vec![value(4, "hang"), down()]);
    cache.refresh().await;
    let read = Instant::now();
    cache.refresh().await;
    let (hits, version) = cache.hits(&Get("/"), read + Duration::from_secs(59));
    assert_eq!((hits.len(), version.to_str().expect("digits")), (1, "4"));
    let late = read + Duration::from_secs(61);
    assert!(cache.is_stale(late) && cache.effective(late).active.is_empty());
    let (hits, version) = cache.hits(&Get("/"), late);
    assert_eq!((hits.len(), version.to_str().expect("digits")), (0, "0"));
    assert_eq!(cache.desired().active.len(), 1, "the value as last read stays visible");
}

#[tokio::test]
async fn a_refused_value_ends_the_mode_before_it_and_is_counted_once() {
    let refused = value(2, r#"[{"mode":"hang"},{"mode":"latency","min_ms":-1}]"#);
    let (cache, _) = cache(1000, vec![value(1, "hang"), refused]);
    for _ in 0..3 {
        cache.refresh().await;
    }
    let snapshot = cache.effective(Instant::now());
    assert!(snapshot.active.is_empty() && snapshot.refusal.is_some());
    assert_eq!((snapshot.version, cache.refusals()), (2, 1));
}

#[tokio::test]
async fn requests_share_reads_and_see_one_that_began_after_them() {
    let (cache, script) = cache(0, vec![value(1, "none")]);
    let asks = (0..50).map(|_| {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move { cache.before_request().await })
    });
    for ask in asks.collect::<Vec<_>>() {
        ask.await.expect("no request panicked");
    }
    let reads = script.reads.load(Ordering::SeqCst);
    assert!((1..=5).contains(&reads), "{reads} reads for 50 requests at once");
    *script.answers.lock().expect("no reader panicked") = vec![value(2, "return_500")];
    cache.before_request().await;
    let (hits, version) = cache.hits(&Get("/"), Instant::now());
    assert_eq!(hits[0].fault.mode.name(), ModeName::Return500);
    assert_eq!(version.to_str().expect("digits"), "2");
}

#[tokio::test]
async fn the_same_write_keeps_its_counters() {
    let same = value(1, r#"{"mode":"hang","every":2}"#);
    let (cache, _) = cache(1000, vec![same]);
    let mut hit = Vec::new();
    for _ in 0..6 {
        cache.refresh().await;
        hit.push(cache.hits(&Get("/"), Instant::now()).0.len());
    }
    assert_eq!(hit, [0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn a_mode_ends_by_the_clock_without_a_read() {
    let (cache, _) = cache(1000, vec![value(1, r#"{"mode":"hang","expires_at":"2020-01-01T00:00:00Z"}"#)]);
    cache.refresh().await;
    assert!(cache.hits(&Get("/"), Instant::now()).0.is_empty());
}
