//! What to send, how often and for how long.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};

/// A load to generate. Fields are public so that a scenario file can fill them; [`crate::start`] checks them.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Scheme, host and port that every target's path is appended to, e.g. `http://127.0.0.1:8000`.
    pub base_url: String,
    /// What is requested. Shares follow the weights, in a fixed interleaved order rather than by chance.
    pub targets: Vec<Target>,
    /// Arrivals per second. Above what the machine can send, `lag` in the summary grows and says so.
    pub rate_per_s: f64,
    /// End after this time. With `count`, whichever comes first; one of the two is required.
    pub duration: Option<Duration>,
    /// End after this many arrivals.
    pub count: Option<u64>,
    /// How long one request may take, counted from when it was due. Too short turns slowness into errors.
    pub timeout: Duration,
    /// Most requests under way; arrivals past it are shed, not queued. Too low sheds during a freeze and hides the tail;
    /// too high runs out of file descriptors (each is a connection).
    pub in_flight_max: usize,
    /// How often a [`crate::Snapshot`] is published.
    pub snapshot_interval: Duration,
}

/// One request of the mix.
#[derive(Clone, Debug)]
pub struct Target {
    /// Request method.
    pub method: Method,
    /// Path with query, starting with `/`.
    pub path: String,
    /// Share relative to the other targets' weights; 0 is refused.
    pub weight: u32,
    /// Headers beside `host`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Body, empty by default.
    pub body: Bytes,
}

/// A profile that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    /// The base URL is no `http://host[:port]`.
    #[error("base URL `{0}` is not usable; give http://HOST:PORT (plain HTTP, no path)")]
    BaseUrl(String),
    /// A path that does not make a URL.
    #[error("path `{0}` is not usable; start it with `/` and escape spaces")]
    Path(String),
    /// Nothing to send.
    #[error("no target is given; name at least one path")]
    NoTarget,
    /// Weight 0 would never be sent.
    #[error("the weight of `{0}` is 0; give 1 or more, or leave the target out")]
    Weight(String),
    /// The rate is no positive number, or beyond what one process can pace.
    #[error("the rate is {0} requests a second; give a number above 0 and up to 100000")]
    Rate(String),
    /// Neither a count nor a time ends the run.
    #[error("the run has no end; give a duration or a count above 0")]
    Endless,
    /// A timeout, cap or interval of zero.
    #[error("`{0}` is 0; give a value above 0")]
    Zero(&'static str),
    /// The system is out of threads.
    #[error("the system refuses a thread for the load generator ({0}); end other processes or raise the limit on them")]
    NoThread(std::io::ErrorKind),
}

impl Profile {
    /// A profile without targets or end; timeout 10 s, at most 512 requests under way (half of the usual limit on open files),
    /// snapshots each second.
    pub fn new(base_url: impl Into<String>, rate_per_s: f64) -> Self {
        Self {
            base_url: base_url.into(),
            targets: Vec::new(),
            rate_per_s,
            duration: None,
            count: None,
            timeout: Duration::from_secs(10),
            in_flight_max: 512,
            snapshot_interval: Duration::from_secs(1),
        }
    }

    /// Adds a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Ends the run after this time.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Ends the run after this many arrivals.
    #[must_use]
    pub fn counting(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// How many arrivals the run has at most.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive float saturates")]
    pub(crate) fn arrivals_max(&self) -> u64 {
        let by_time =
            self.duration.map_or(u64::MAX, |duration| (duration.as_secs_f64() * self.rate_per_s).ceil() as u64);
        by_time.min(self.count.unwrap_or(u64::MAX))
    }

    /// Checks every field and returns each target's full URL.
    pub(crate) fn check(&self) -> Result<Vec<Uri>, InvalidProfile> {
        let base = self.base_url.trim_end_matches('/');
        let plain = base.parse::<Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty()) && uri.path() == "/"
        });
        if !plain {
            return Err(InvalidProfile::BaseUrl(self.base_url.clone()));
        }
        if !(self.rate_per_s > 0.0 && self.rate_per_s <= 100_000.0) {
            return Err(InvalidProfile::Rate(self.rate_per_s.to_string()));
        }
        if self.arrivals_max() == 0 || self.arrivals_max() == u64::MAX {
            return Err(InvalidProfile::Endless);
        }
        for (name, zero) in [
            ("timeout", self.timeout.is_zero()),
            ("in_flight_max", self.in_flight_max == 0),
            ("snapshot_interval", self.snapshot_interval.is_zero()),
        ] {
            if zero {
                return Err(InvalidProfile::Zero(name));
            }
        }
        if self.targets.is_empty() {
            return Err(InvalidProfile::NoTarget);
        }
        let url = |target: &Target| {
            if target.weight == 0 {
                return Err(InvalidProfile::Weight(target.path.clone()));
            }
            let unusable = || InvalidProfile::Path(target.path.clone());
            if !target.path.starts_with('/') {
                return Err(unusable());
            }
            format!("{base}{}", target.path).parse().map_err(|_| unusable())
        };
        self.targets.iter().map(url).collect()
    }
}

impl Target {
    /// `GET path` with weight 1.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), weight: 1, headers: Vec::new(), body: Bytes::new() }
    }

    /// Another method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Another weight.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Profile {
        Profile::new("http://127.0.0.1:1/", 10.0).target(Target::get("/db?x=1")).counting(1)
    }

    #[test]
    fn a_sound_profile_makes_urls() {
        let urls = sound().check().expect("sound");
        assert_eq!(urls[0].to_string(), "http://127.0.0.1:1/db?x=1");
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_name() {
        let with = |change: fn(&mut Profile)| {
            let mut profile = sound();
            change(&mut profile);
            profile.check().expect_err("must be refused").to_string()
        };
        assert!(with(|p| p.base_url = "https://host".into()).contains("https://host"));
        assert!(with(|p| p.base_url = "localhost:80".into()).contains("localhost:80"));
        assert!(with(|p| p.rate_per_s = f64::NAN).contains("NaN"));
        assert!(with(|p| p.rate_per_s = -1.0).contains("-1"));
        assert!(with(|p| p.count = None).contains("no end"));
        assert!(with(|p| p.count = Some(0)).contains("no end"));
        assert!(with(|p| p.targets.clear()).contains("no target"));
        assert!(with(|p| p.targets[0].path = "db".into()).contains("`db`"));
        assert!(with(|p| p.targets[0].path = "/a b".into()).contains("`/a b`"));
        assert!(with(|p| p.targets[0].weight = 0).contains("weight"));
        assert!(with(|p| p.in_flight_max = 0).contains("in_flight_max"));
    }
}
