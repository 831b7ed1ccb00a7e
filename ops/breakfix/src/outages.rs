//! The laptop's own API for outages of AWS services: `/_twin/faults`.
//!
//! The only place of this program that asks a twin for something AWS has not. Everything else speaks AWS's APIs.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    commands::own_name,
    lab::Lab,
    problem::{failure, usage},
};

/// It answers from memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// An outage that is active.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Outage {
    pub service: String,
    kind: String,
    ends_in_s: f64,
    principals: String,
    #[serde(default)]
    actions: Vec<String>,
    percentage: f64,
    rate_per_s: Option<f64>,
    latency_ms: Option<u64>,
    hits: u64,
}

impl Outage {
    /// For people, in one line.
    pub(crate) fn line(&self) -> String {
        let mut words = vec![match (self.latency_ms, self.rate_per_s) {
            (Some(latency), _) => format!("{} of {latency} ms", self.kind),
            (_, Some(rate)) => format!("{} above {rate}/s", self.kind),
            _ => self.kind.clone(),
        }];
        if !self.actions.is_empty() {
            words.push(self.actions.join(" "));
        }
        if self.percentage < 100.0 {
            words.push(format!("{} % of the calls", self.percentage));
        }
        words.push(if self.principals == "tasks" { "tasks only" } else { "everybody's calls" }.to_owned());
        words.push(format!("{:.0} s more", self.ends_in_s.ceil()));
        words.push(format!("{} hit", self.hits));
        format!("{}: {}", self.service, words.join(", "))
    }

    /// Whether it hits the operator too.
    pub(crate) fn hits_operators(&self) -> bool {
        self.principals != "tasks"
    }
}

/// The way to them.
pub(crate) struct Outages {
    url: String,
}

impl Outages {
    /// Of the lab on this laptop.
    ///
    /// # Errors
    /// When no such lab is meant: AWS has no such API.
    pub(crate) fn of(lab: &Lab) -> Result<Self> {
        match Self::maybe(lab) {
            Some(outages) => Ok(outages),
            None => Err(usage(
                format!("outages are made on a lab that runs on a laptop, and {lab} is none"),
                format!("`{} up` starts one; in AWS use AWS Fault Injection Service", own_name()),
            )),
        }
    }

    /// As [`Outages::of`]; none where there can be none.
    pub(crate) fn maybe(lab: &Lab) -> Option<Self> {
        let endpoint = match lab {
            Lab::Laptop(ready) => ready.endpoint.clone(),
            Lab::Configured { .. } => lab.loopback_endpoint()?,
            Lab::Gone { .. } | Lab::Absent { .. } => return None,
        };
        Some(Self { url: format!("{}/_twin/faults", endpoint.trim_end_matches('/')) })
    }

    /// Those that are active.
    pub(crate) async fn active(&self) -> Result<Vec<Outage>> {
        let answer = self.call("GET", "", None).await?;
        serde_json::from_value(answer["faults"].clone()).context("reading the list of outages")
    }

    /// Begins one, or replaces the one of that service.
    pub(crate) async fn begin(&self, service: &str, wanted: &Value) -> Result<Outage> {
        let answer = self.call("PUT", &format!("/{service}"), Some(wanted)).await?;
        serde_json::from_value(answer).context("reading the outage")
    }

    /// Ends one, or all.
    pub(crate) async fn end(&self, service: Option<&str>) -> Result<()> {
        let path = service.map(|service| format!("/{service}")).unwrap_or_default();
        self.call("DELETE", &path, None).await.map(drop)
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let body = body.map(ToString::to_string).unwrap_or_default();
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .context("writing the request")?;
        let asked = async {
            let reply = client.request(request).await?;
            let status = reply.status();
            anyhow::Ok((status, reply.into_body().collect().await?.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(PATIENCE, asked)
            .await
            .context("no answer in time")?
            .with_context(|| format!("asking {}", self.url))?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let said = answer["message"].as_str().unwrap_or("no reason given").to_owned();
        let hint = format!("`{} outage --help` shows what can be asked for", own_name());
        Err(if status == StatusCode::BAD_REQUEST { usage(said, hint) } else { failure(said, hint) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_reads_in_one_line() {
        let read = |json: &str| serde_json::from_str::<Outage>(json).expect("an outage").line();
        assert_eq!(
            read(
                r#"{"service":"ssm","kind":"refuse","for_s":60,"ends_in_s":42.2,"principals":"all","percentage":100.0,"hits":7}"#
            ),
            "ssm: refuse, everybody's calls, 43 s more, 7 hit"
        );
        assert_eq!(
            read(
                r#"{"service":"s3","kind":"throttle","rate_per_s":5.0,"actions":["GET"],"ends_in_s":1,"principals":"tasks","percentage":50,"hits":0}"#
            ),
            "s3: throttle above 5/s, GET, 50 % of the calls, tasks only, 1 s more, 0 hit"
        );
    }
}
