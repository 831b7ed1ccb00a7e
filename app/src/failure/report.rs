//! The failure mode as the admin listener shows it: what is wanted, what applies here, how old that is, what is held.

use std::time::Instant;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Active, Snapshot};
use crate::state::App;

/// The document of `GET /failure`.
pub(crate) fn report(app: &App) -> Value {
    let now = Instant::now();
    let clock = OffsetDateTime::now_utc();
    let desired = app.failure.desired();
    let effective = app.failure.effective(now);
    let blind = desired.desired.is_blind();
    let names: Vec<_> = desired.desired.faults().iter().map(|fault| fault.mode.name().as_str()).collect();
    let running: Vec<_> = effective.active.iter().filter(|active| active.is_running(clock)).collect();
    json!({
        "parameter": app.config.param_failure_mode,
        "taskId": app.identity.task_id,
        "version": desired.version,
        "effectiveVersion": effective.version,
        "lastModified": desired.last_modified.and_then(|at| at.format(&Rfc3339).ok()),
        "ageMs": app.failure.age(now).map(|age| age.as_millis()),
        "maxAgeMs": app.config.failure_mode_max_age_ms,
        "maxStaleMs": app.config.failure_mode_max_stale_ms,
        "stale": app.failure.is_stale(now),
        "lastError": app.failure.last_error().map(|error| error.to_string()),
        "refusal": desired.refusal,
        "blind": blind,
        "desired": if blind { json!(["blind"]) } else { json!(names) },
        "effective": running.iter().map(|active| fault(active, &desired)).collect::<Vec<_>>(),
        "effects": app.effects.report(app),
        "fetches": app.failure.reads(),
        "refusals": app.failure.refusals(),
    })
}

fn fault(active: &Active, desired: &Snapshot) -> Value {
    let ends_at = active.ends_at.format(&Rfc3339).ok();
    if desired.desired.is_blind() {
        return json!({ "mode": "blind", "endsAt": ends_at });
    }
    json!({
        "mode": active.fault.mode.name(),
        "percentage": active.fault.percentage,
        "every": active.fault.every,
        "endsAt": ends_at,
    })
}
