//! One window of traffic through the balancer: every route, all the time, not one bad reply.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use contract::names::route;
use tokio::task::JoinSet;

use super::patience::Complaint;
use crate::{probe::Probe, wording::short_id};

/// Requests that each route must answer at least, however short the window is.
const LEAST_REQUESTS: u64 = 20;
/// Between two requests of one route: 13 a second, so that the proof is no load of its own on a task of a quarter CPU.
const PACE: Duration = Duration::from_millis(75);
/// How long one request may take. The application's own deadline for a dependency is shorter.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// Why a window is not a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// In one line.
    pub(super) reason: String,
    /// What it says against the tasks.
    pub(super) complaint: Option<Complaint>,
}

impl Failure {
    pub(super) fn new(reason: String) -> Self {
        Self { reason, complaint: None }
    }
}

/// Sends traffic for at least `length`; gives the good requests by route.
pub(super) async fn window(probe: &Probe, url: &str, length: Duration) -> Result<BTreeMap<String, u64>, Failure> {
    let until = Instant::now() + length;
    let mut routes = JoinSet::new();
    for path in
        [route::ROOT.to_owned(), route::HEALTHZ.to_owned(), route::DB.to_owned(), format!("{}?ms=10", route::WORK)]
    {
        let (probe, url) = (probe.clone(), format!("{url}{path}"));
        routes.spawn(async move { one_route(&probe, &url, &path, until).await.map(|good| (path, good)) });
    }
    let mut good = BTreeMap::new();
    while let Some(ended) = routes.join_next().await {
        // The first failure ends the window: dropping the set cancels the other routes.
        let (path, requests) = ended.map_err(|error| Failure::new(format!("the traffic broke off: {error}")))??;
        good.insert(path, requests);
    }
    Ok(good)
}

async fn one_route(probe: &Probe, url: &str, path: &str, until: Instant) -> Result<u64, Failure> {
    let mut good = 0;
    while good < LEAST_REQUESTS || Instant::now() < until {
        let began = Instant::now();
        match probe.get(url, REQUEST_TIMEOUT).await {
            Ok(reply) if reply.status.is_success() => good += 1,
            Ok(reply) => {
                let code = reply.error_code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
                let task =
                    reply.task.as_deref().map(|task| format!(" from task {}", short_id(task))).unwrap_or_default();
                let reason = format!("GET {path} gave {}{code}{task}", reply.status.as_u16());
                let complaint = (path == route::DB).then(|| Complaint::of_database_route(reply.error_code.as_deref()));
                return Err(Failure { reason, complaint });
            }
            Err(error) => {
                return Err(Failure { reason: format!("GET {path}: {error}"), complaint: complaint(path, None) });
            }
        }
        tokio::time::sleep(PACE.saturating_sub(began.elapsed())).await;
    }
    Ok(good)
}

fn complaint(path: &str, error_code: Option<&str>) -> Option<Complaint> {
    (path == route::DB).then(|| Complaint::of_database_route(error_code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tests::{reply, serve};

    #[tokio::test]
    async fn good_traffic_is_counted_on_every_route() {
        let url = serve(|_| reply(200, "fine")).await;
        let good = window(&Probe::new(), &url, Duration::from_millis(10)).await.expect("all replies are good");
        let routes: Vec<_> = good.keys().map(String::as_str).collect();
        assert_eq!(routes, ["/", "/db", "/healthz", "/work?ms=10"]);
        assert!(good.values().all(|requests| *requests >= LEAST_REQUESTS), "{good:?}");
    }

    #[tokio::test]
    async fn one_bad_reply_ends_the_window_and_accuses_the_tasks() {
        let url = serve(|path| match path {
            route::DB => reply(503, r#"{"error":{"code":"DatabaseAuthenticationFailed"}}"#),
            _ => reply(200, "fine"),
        })
        .await;
        let failure = window(&Probe::new(), &url, Duration::from_secs(60)).await.expect_err("/db fails");
        assert_eq!(failure.reason, "GET /db gave 503 DatabaseAuthenticationFailed from task t1");
        assert_eq!(failure.complaint, Some(Complaint::of_database_route(Some("DatabaseAuthenticationFailed"))));
    }
}
