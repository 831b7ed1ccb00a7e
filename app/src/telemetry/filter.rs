//! The one global filter: events by level and target, spans by whether they are exported.
//!
//! One filter for all layers, since a filter per layer loses the event after each `enabled!` question that a library asks.
//! The levels do not decide about spans: `LOG_LEVEL=warn` must not end tracing, and `debug` must not export libraries' spans.

use tracing::{Metadata, Subscriber, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{EnvFilter, Layer, layer::Context};

use super::{TelemetryError, spans};

/// Lets through what the levels allow, and spans of ours while they are exported.
pub(super) struct Filter {
    levels: EnvFilter,
    exporting: bool,
}

impl Filter {
    /// Understands directives such as `info,sqlx=debug`.
    pub(super) fn parse(directives: &str, exporting: bool) -> Result<Self, TelemetryError> {
        let refuse = || TelemetryError::Filter(directives.to_owned());
        // A lone word that is no level would be read as the name of a target and silence everything else; a directive for
        // spans could never match, since no span is there for it unless spans are exported.
        let is_level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        let sound = |part: &str| !part.contains('[') && (part.contains('=') || is_level(part));
        if !directives.split(',').all(|part| sound(part.trim())) {
            return Err(refuse());
        }
        Ok(Self { levels: EnvFilter::try_new(directives).map_err(|_| refuse())?, exporting })
    }

    /// The directives in force.
    pub(super) fn directives(&self) -> String {
        self.levels.to_string()
    }

    fn lets_span(&self, metadata: &Metadata<'_>) -> bool {
        self.exporting && metadata.target() == spans::TARGET
    }
}

impl<S: Subscriber> Layer<S> for Filter {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match (metadata.is_span(), self.lets_span(metadata)) {
            (false, _) => Layer::<S>::register_callsite(&self.levels, metadata),
            (true, true) => Interest::always(),
            (true, false) => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        if metadata.is_span() { self.lets_span(metadata) } else { Layer::<S>::enabled(&self.levels, metadata, context) }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let levels = Layer::<S>::max_level_hint(&self.levels)?;
        Some(if self.exporting { levels.max(LevelFilter::INFO) } else { levels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::{Registry, layer::SubscriberExt};

    #[test]
    fn a_filter_is_levels_and_targets_and_nothing_else() {
        for good in ["info", "warn,sqlx=debug", "off"] {
            assert!(Filter::parse(good, false).is_ok(), "{good}");
        }
        for bad in ["", "verbose", "info,", "info,sqlx=loud", "golden[request]=trace"] {
            assert!(Filter::parse(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_are_there_exactly_while_they_are_exported() {
        for (level, exporting) in [("trace", false), ("error", true), ("off", true)] {
            let subscriber = Registry::default().with(Filter::parse(level, exporting).expect("a level"));
            tracing::subscriber::with_default(subscriber, || {
                assert_eq!(spans::aws_span("SSM/GetParameter").is_disabled(), !exporting, "{level}");
                assert!(tracing::error_span!("of a library").is_disabled(), "{level}");
                assert_eq!(tracing::enabled!(tracing::Level::DEBUG), level == "trace", "{level}");
            });
        }
    }
}
