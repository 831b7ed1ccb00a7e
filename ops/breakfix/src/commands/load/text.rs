//! What people read of a load: a line while it runs, a few at its end. Programs read the JSON.

use std::collections::BTreeMap;

use ::load::{ErrorKind, Latency, Snapshot, Summary};

/// The state of the run on one line.
pub(super) fn live(snapshot: &Snapshot) -> String {
    let latency = &snapshot.window_latency_ms;
    // Nothing was answered: there is no latency, and 0.0 ms would be a good one.
    let ms = |value: f64| if snapshot.window_rate_per_s > 0.0 { format!("{value:.1} ms") } else { "–".to_owned() };
    format!(
        "{:>4} s · {:.0}/s · p50 {} · p99 {} · failed {} (total {}) · shed {} · under way {}",
        snapshot.elapsed_ms / 1000,
        snapshot.window_rate_per_s,
        ms(latency.p50),
        ms(latency.p99),
        snapshot.window_failed,
        snapshot.failed,
        snapshot.shed,
        snapshot.in_flight
    )
}

/// The result in a few lines.
pub(super) fn summary(summary: &Summary) -> String {
    let good = summary.finished.saturating_sub(summary.failed);
    let seconds = std::time::Duration::from_millis(summary.duration_ms).as_secs_f64();
    let mut lines = vec![format!(
        "{good} of {} requests answered well in {seconds:.1} s; failed {}, shed {}, cut off {}",
        summary.arrivals, summary.failed, summary.shed, summary.unfinished
    )];
    if summary.finished > 0 {
        lines.push(format!("latency   {}", percentiles(&summary.latency_ms)));
    }
    for target in summary.targets.iter().filter(|target| target.finished > 0 && summary.targets.len() > 1) {
        let failed = if target.failed > 0 { format!(", failed {}", target.failed) } else { String::new() };
        lines.push(format!("  {} {}: {}{failed}", target.method, target.path, percentiles(&target.latency_ms)));
    }
    if summary.failed > 0 {
        let statuses = counts(summary.statuses.iter().filter(|(status, _)| **status >= 400));
        let errors: BTreeMap<String, u64> = summary.errors.iter().map(|(kind, count)| (words(*kind), *count)).collect();
        lines.push(format!("failures  {}", [statuses, counts(errors.iter())].concat().join(", ")));
    }
    lines.join("\n")
}

/// As the JSON names it, with spaces.
fn words(kind: ErrorKind) -> String {
    let name = serde_json::to_value(kind).unwrap_or_default();
    name.as_str().unwrap_or_default().replace('_', " ")
}

fn percentiles(latency: &Latency) -> String {
    format!("p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", latency.p50, latency.p99, latency.max)
}

fn counts<'count, K: std::fmt::Display + 'count>(
    counts: impl Iterator<Item = (&'count K, &'count u64)>,
) -> Vec<String> {
    counts.map(|(what, count)| format!("{count} × {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_answer_there_is_no_latency() {
        let nothing = Snapshot { elapsed_ms: 3000, in_flight: 7, ..Snapshot::default() };
        insta::assert_snapshot!(live(&nothing), @"   3 s · 0/s · p50 – · p99 – · failed 0 (total 0) · shed 0 · under way 7");
        let latency = Latency { p50: 1.25, p99: 3.0, ..Latency::default() };
        let some = Snapshot { window_rate_per_s: 20.0, window_latency_ms: latency, ..nothing };
        assert!(live(&some).contains("20/s · p50 1.2 ms · p99 3.0 ms"), "{}", live(&some));
    }

    #[tokio::test]
    async fn the_end_is_a_few_lines() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = closed.local_addr().expect("bound");
        drop(closed);
        let profile = ::load::Profile::new(format!("http://{address}"), 100.0)
            .target(::load::Target::get("/"))
            .target(::load::Target::get("/db"))
            .counting(4);
        let text = summary(&::load::run(profile).await.expect("sound"));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("0 of 4 requests answered well in "), "{text}");
        assert!(lines[0].ends_with("; failed 4, shed 0, cut off 0"), "{text}");
        assert!(lines[1].starts_with("latency   p50 ") && lines[2].starts_with("  GET /: p50 "), "{text}");
        assert_eq!(lines[4], "failures  4 × connection refused", "{text}");
    }
}
