//! `tracing` events as JSON lines with the same keys as the request line: timestamp, level, message, errorType, taskId.

use std::fmt::{self, Write as _};

use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{Layer, layer::Context};

use super::log::{Log, push_json};

pub(super) struct EventLayer {
    log: Log,
}

impl EventLayer {
    pub(super) fn new(log: Log) -> Self {
        Self { log }
    }
}

impl<S: Subscriber> Layer<S> for EventLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if !fields.has_error_type {
            fields.rest.push_str("\"errorType\":null,");
        }
        fields.rest.push_str("\"target\":");
        push_json(&mut fields.rest, event.metadata().target());
        fields.rest.push(',');
        self.log.event(event.metadata().level().as_str(), &fields.message, &fields.rest);
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
    has_error_type: bool,
}

impl Fields {
    fn push(&mut self, name: &str, text: &str) {
        self.has_error_type |= name == "errorType";
        if name == "message" {
            self.message = text.to_owned();
            return;
        }
        self.push_name(name);
        push_json(&mut self.rest, text);
        self.rest.push(',');
    }

    /// A library's field may be called like one of our own keys, and a key must not come twice.
    fn push_name(&mut self, name: &str) {
        if matches!(name, "timestamp" | "level" | "target" | "taskId") {
            push_json(&mut self.rest, &format!("field.{name}"));
        } else {
            push_json(&mut self.rest, name);
        }
        self.rest.push(':');
    }

    fn push_plain(&mut self, name: &str, value: impl fmt::Display) {
        self.push_name(name);
        let _ = write!(self.rest, "{value},");
    }
}

impl tracing::field::Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push_plain(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push_plain(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push_plain(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::tests::Captured;
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    #[test]
    fn an_event_is_one_line_with_the_base_keys() {
        let captured = Captured::default();
        let log = Log::start(Box::new(captured.clone()), "task-1");
        let subscriber = Registry::default().with(EventLayer::new(log.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(errorType = "InvalidFailureMode", version = 3, reason = %"a \"b\"", "refused");
            tracing::info!(level = 5, "plain");
        });
        log.flush();
        let lines = captured.lines();
        assert_eq!(lines[0]["errorType"], "InvalidFailureMode");
        assert_eq!(lines[0]["version"], 3);
        assert_eq!(lines[0]["reason"], "a \"b\"");
        assert_eq!(lines[0]["message"], "refused");
        assert_eq!(lines[0]["taskId"], "task-1");
        assert_eq!(lines[1]["errorType"], serde_json::Value::Null);
        assert_eq!((lines[1]["level"].as_str(), lines[1]["field.level"].as_u64()), (Some("INFO"), Some(5)));
    }
}
