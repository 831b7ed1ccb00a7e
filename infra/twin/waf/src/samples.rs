//! Samples of the requests that each rule matched, for `GetSampledRequests`.
//!
//! Bounded: three hours, as AWS has it; of each second at most [`PER_SECOND`], chosen by chance among all of it; [`MOST`] for each rule.
//! A sample is about a kilobyte. How many requests there were is known beyond that.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};
use twin_platform::now_ms;

use crate::engine::{outcome::Match, request::Context};

const PER_SECOND: usize = 100;
const MOST: usize = 2000;
/// Seconds for which AWS keeps samples.
pub(crate) const KEPT_S: i64 = 3 * 3600;

/// The samples of one rule.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    seconds: Mutex<Seconds>,
}

#[derive(Debug, Default)]
struct Seconds {
    seconds: VecDeque<Second>,
    samples: usize,
}

#[derive(Debug)]
struct Second {
    at_s: i64,
    requests: u64,
    samples: Vec<Sample>,
}

/// One request, copied: what it came in can be let go.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    at_ms: i64,
    client: std::net::IpAddr,
    method: Box<str>,
    uri: Box<str>,
    version: http::Version,
    /// `name: value` lines.
    headers: Box<str>,
    labels: Box<[Box<str>]>,
    action: &'static str,
    overridden: Option<&'static str>,
    inner: Option<Box<str>>,
    status: Option<u16>,
}

impl Reel {
    /// A request was matched.
    pub(crate) fn note(&self, context: &Context<'_>, matched: Match<'_>) {
        let at_ms = now_ms();
        let at_s = at_ms.div_euclid(1000);
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = &mut *seconds;
        if seconds.seconds.back().is_none_or(|second| second.at_s < at_s) {
            seconds.forget(at_s);
            seconds.seconds.push_back(Second { at_s, requests: 0, samples: Vec::new() });
        }
        let Some(second) = seconds.seconds.back_mut() else { return };
        second.requests += 1;
        if second.samples.len() < PER_SECOND {
            second.samples.push(Sample::of(context, matched, at_ms));
            seconds.samples += 1;
            return;
        }
        // Each of the second's requests has the same chance to stay.
        let place = usize::try_from(fastrand::u64(..second.requests)).unwrap_or(usize::MAX);
        if let Some(old) = second.samples.get_mut(place) {
            *old = Sample::of(context, matched, at_ms);
        }
    }

    /// At most so many samples of the time between two moments in milliseconds, latest first, and how many requests there were.
    pub(crate) fn between(&self, start_ms: i64, end_ms: i64, most: usize) -> (Vec<Sample>, u64) {
        let seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |second: &&Second| second.at_s * 1000 + 999 >= start_ms && second.at_s * 1000 <= end_ms;
        let population = seconds.seconds.iter().filter(within).map(|second| second.requests).sum();
        let samples = seconds.seconds.iter().filter(within).flat_map(|second| &second.samples);
        let mut chosen: Vec<&Sample> = samples.filter(|sample| (start_ms..=end_ms).contains(&sample.at_ms)).collect();
        if chosen.len() > most {
            fastrand::shuffle(&mut chosen);
            chosen.truncate(most);
        }
        chosen.sort_by_key(|sample| std::cmp::Reverse(sample.at_ms));
        (chosen.into_iter().cloned().collect(), population)
    }
}

impl Seconds {
    fn forget(&mut self, now_s: i64) {
        while self.seconds.front().is_some_and(|second| second.at_s < now_s - KEPT_S) {
            self.samples -= self.seconds.pop_front().map_or(0, |second| second.samples.len());
        }
        for second in &mut self.seconds {
            if self.samples + PER_SECOND <= MOST {
                break;
            }
            self.samples -= std::mem::take(&mut second.samples).len();
        }
    }
}

impl Sample {
    fn of(context: &Context<'_>, matched: Match<'_>, at_ms: i64) -> Self {
        let head = context.seen.head;
        let mut headers = String::new();
        for (name, value) in &head.headers {
            // Writing into a string cannot fail.
            let _ = writeln!(headers, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        Self {
            at_ms,
            client: context.seen.client.ip().to_canonical(),
            method: head.method.as_str().into(),
            uri: head.uri.path_and_query().map_or("/", |path| path.as_str()).into(),
            version: head.version,
            headers: headers.into(),
            labels: context.labels.iter().map(|label| (*label).into()).collect(),
            action: matched.kind.word(),
            overridden: matched.overridden.map(super::engine::outcome::Kind::word),
            inner: matched.inner.map(Into::into),
            status: matched.status,
        }
    }

    /// As `SampledHTTPRequest`.
    pub(crate) fn json(&self, weight: u64) -> Value {
        let headers: Vec<Value> = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        let mut sample = json!({
            "Request": {
                "ClientIP": self.client.to_string(), "Country": "-", "URI": self.uri, "Method": self.method,
                "HTTPVersion": format!("{:?}", self.version), "Headers": headers,
            },
            "Weight": weight,
            "Timestamp": seconds(self.at_ms),
            "Action": self.action,
        });
        let labels: Vec<Value> = self.labels.iter().map(|label| json!({"Name": label})).collect();
        for (name, value) in [
            ("RuleNameWithinRuleGroup", self.inner.as_ref().map(|inner| json!(inner))),
            ("OverriddenAction", self.overridden.map(|action| json!(action))),
            ("Labels", Some(json!(labels)).filter(|_| !labels.is_empty())),
            ("ResponseCodeSent", self.status.map(|status| json!(status))),
        ] {
            if let Some(value) = value {
                sample[name] = value;
            }
        }
        sample
    }
}

/// A moment as AWS JSON has it.
#[allow(clippy::cast_precision_loss, reason = "milliseconds since the epoch are far below 2^52")]
pub(crate) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::engine::{outcome::Kind, request::Seen};

    #[test]
    fn a_reel_is_bounded_and_knows_how_many_there_were() {
        let request = http::Request::get("/a?b").header("x-one", "1").body(()).expect("valid").into_parts().0;
        let client = SocketAddr::from(([10, 0, 0, 1], 7));
        let seen = Seen { client, head: &request, body: &[], oversize: false, now_ms: 0 };
        let context = Context::new(&seen, &[]);
        let reel = Reel::default();
        for _ in 0..1000 {
            reel.note(&context, Match { kind: Kind::Block, inner: None, overridden: None, status: None });
        }
        let now = now_ms();
        let (samples, population) = reel.between(now - 60_000, now + 1000, 500);
        assert_eq!(population, 1000);
        assert!((100..=300).contains(&samples.len()), "a hundred of each of the seconds it took: {}", samples.len());
        let sample = samples[0].json(10);
        assert_eq!((&sample["Request"]["URI"], &sample["Action"]), (&json!("/a?b"), &json!("BLOCK")));
        assert_eq!(sample["Request"]["Headers"], json!([{"Name": "x-one", "Value": "1"}]));
        assert_eq!(reel.between(now - 120_000, now - 60_000, 500).1, 0);
        assert_eq!(reel.between(now - 60_000, now + 1000, 7).0.len(), 7);
    }

    #[test]
    fn old_seconds_and_too_many_samples_are_forgotten() {
        let second = |at_s| Second { at_s, requests: 5, samples: Vec::new() };
        let mut seconds = Seconds { seconds: (0..20_000).map(second).collect(), samples: 0 };
        seconds.forget(20_000);
        assert_eq!(seconds.seconds.len(), 10_800);
    }
}
