//! Outages of AWS services, by the laptop's own API for them: AWS has none, so a lab there is refused.

use serde_json::json;

use super::{Change, Prepared};
use crate::{Lab, journal::Undo, scenario::Outage};

/// The body of the request that begins it.
pub(super) fn prepare(lab: &Lab, outage: &Outage) -> Result<Prepared, String> {
    let mut body = json!({
        "kind": outage.kind,
        "for_s": outage.lasts.at(lab.speed).as_secs_f64(),
        "actions": outage.actions,
        "principals": if outage.tasks_only { "tasks" } else { "all" },
    });
    if let Some(latency) = outage.latency {
        body["latency_ms"] = json!(latency.0.as_millis());
    }
    let service = outage.service.clone();
    let undo = Undo::Outage { service: service.clone() };
    Ok(Prepared { undo, change: Change::Outage { service, body: body.to_string() } })
}

pub(super) async fn begin(lab: &Lab, service: &str, body: &str) -> Result<(), String> {
    match call(lab, "PUT", service, body).await?.as_str() {
        "200" => Ok(()),
        status => Err(format!("the outage of {service} is refused with {status}")),
    }
}

/// One that is over by itself is as good as ended.
pub(super) async fn end(lab: &Lab, service: &str) -> Result<(), String> {
    match call(lab, "DELETE", service, "").await?.as_str() {
        "200" | "404" => Ok(()),
        status => Err(format!("the outage of {service} is not ended: {status}")),
    }
}

/// The status of the answer.
async fn call(lab: &Lab, method: &str, service: &str, body: &str) -> Result<String, String> {
    let Some(endpoint) = &lab.place.endpoint else { return Err("AWS cannot be told to fail".to_owned()) };
    let url = format!("{}/_twin/faults/{service}", endpoint.trim_end_matches('/'));
    let command = "curl -sS -m 5 -o /dev/null -w '%{http_code}' -X \"$METHOD\" -H 'content-type: application/json' \
                   -d \"$BODY\" \"$URL\"";
    let further = [("METHOD", method), ("BODY", body), ("URL", url.as_str())];
    lab.command(command, further.map(|(name, value)| (name.to_owned(), value.to_owned()))).await
}
