//! Attributes of load balancers and target groups.
//!
//! An attribute that is not imitated can be read and can be "set" to its default; any other value is refused by name, so that
//! nobody believes in a setting that does nothing.

use std::ops::RangeInclusive;

use twin_platform::AwsError;

use crate::query::{Scope, invalid};

/// What an attribute accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepts {
    /// Imitated, a whole number in this range.
    Number(u32, u32),
    /// Imitated, or of no effect without TLS and HTTP/2: either boolean.
    Boolean,
    /// Kept for whoever delivers logs.
    Text,
    /// Imitated, one of these.
    One(&'static [&'static str]),
    /// Not imitated: the default alone.
    DefaultOnly,
}

type Row = (&'static str, &'static str, Accepts);

const BALANCER: &[Row] = &[
    ("access_logs.s3.bucket", "", Accepts::Text),
    ("access_logs.s3.enabled", "false", Accepts::Boolean),
    ("access_logs.s3.prefix", "", Accepts::Text),
    ("client_keep_alive.seconds", "3600", Accepts::DefaultOnly),
    ("connection_logs.s3.bucket", "", Accepts::DefaultOnly),
    ("connection_logs.s3.enabled", "false", Accepts::DefaultOnly),
    ("connection_logs.s3.prefix", "", Accepts::DefaultOnly),
    ("deletion_protection.enabled", "false", Accepts::Boolean),
    ("idle_timeout.timeout_seconds", "60", Accepts::Number(1, 4000)),
    ("load_balancing.cross_zone.enabled", "true", Accepts::DefaultOnly),
    ("routing.http.desync_mitigation_mode", "defensive", Accepts::DefaultOnly),
    ("routing.http.drop_invalid_header_fields.enabled", "false", Accepts::DefaultOnly),
    ("routing.http.preserve_host_header.enabled", "false", Accepts::Boolean),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Accepts::Boolean),
    ("routing.http.xff_client_port.enabled", "false", Accepts::DefaultOnly),
    ("routing.http.xff_header_processing.mode", "append", Accepts::DefaultOnly),
    ("routing.http2.enabled", "true", Accepts::Boolean),
    ("waf.fail_open.enabled", "false", Accepts::DefaultOnly),
    ("zonal_shift.config.enabled", "false", Accepts::DefaultOnly),
];

const GROUP: &[Row] = &[
    ("deregistration_delay.timeout_seconds", "300", Accepts::Number(0, 3600)),
    ("load_balancing.algorithm.anomaly_mitigation", "off", Accepts::DefaultOnly),
    ("load_balancing.algorithm.type", "round_robin", Accepts::One(&["round_robin", "least_outstanding_requests"])),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration", Accepts::DefaultOnly),
    ("slow_start.duration_seconds", "0", Accepts::DefaultOnly),
    ("stickiness.app_cookie.cookie_name", "", Accepts::DefaultOnly),
    ("stickiness.app_cookie.duration_seconds", "86400", Accepts::DefaultOnly),
    ("stickiness.enabled", "false", Accepts::DefaultOnly),
    ("stickiness.lb_cookie.duration_seconds", "86400", Accepts::DefaultOnly),
    ("stickiness.type", "lb_cookie", Accepts::DefaultOnly),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", Accepts::DefaultOnly),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", Accepts::DefaultOnly),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", Accepts::DefaultOnly),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", Accepts::DefaultOnly),
];

/// Values by key, in the order of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    rows: &'static [Row],
    values: Vec<String>,
}

impl Attributes {
    /// A load balancer's, at their defaults.
    pub(crate) fn of_balancer() -> Self {
        Self::at_defaults(BALANCER)
    }

    /// A target group's, at their defaults.
    pub(crate) fn of_group() -> Self {
        Self::at_defaults(GROUP)
    }

    fn at_defaults(rows: &'static [Row]) -> Self {
        Self { rows, values: rows.iter().map(|(_, default, _)| (*default).to_owned()).collect() }
    }

    /// Key and value of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.rows.iter().zip(&self.values).map(|((key, ..), value)| (*key, value.as_str()))
    }

    /// The value of a key of the table.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.iter().find(|(name, _)| *name == key).map_or("", |(_, value)| value)
    }

    /// The value as a number; 0 when it is none, which the table does not let happen.
    pub(crate) fn number(&self, key: &str) -> u32 {
        self.get(key).parse().unwrap_or_default()
    }

    /// These attributes with what the call changes (`Attributes.member.N.Key` and `.Value`); all or nothing.
    pub(crate) fn changed_by(&self, call: &Scope<'_>) -> Result<Self, AwsError> {
        let mut new = self.clone();
        let changes = call.list("Attributes");
        if changes.is_empty() {
            return Err(invalid("'Attributes' is required"));
        }
        for change in changes {
            let (key, value) = (change.require("Key")?, change.get("Value").unwrap_or_default());
            let Some(at) = self.rows.iter().position(|(name, ..)| *name == key) else {
                return Err(invalid(format!("The attribute key '{key}' is not recognized")));
            };
            let (_, default, accepts) = self.rows[at];
            accepts.check(key, value, default)?;
            value.clone_into(&mut new.values[at]);
        }
        Ok(new)
    }
}

impl Accepts {
    fn check(self, key: &str, value: &str, default: &str) -> Result<(), AwsError> {
        let within = |range: RangeInclusive<u32>| value.parse().is_ok_and(|number| range.contains(&number));
        let expected = match self {
            Self::Number(low, high) if !within(low..=high) => format!("a number from {low} to {high}"),
            Self::Boolean if !matches!(value, "true" | "false") => "'true' or 'false'".to_owned(),
            Self::One(values) if !values.contains(&value) => format!("one of {}", values.join(", ")),
            Self::DefaultOnly if value != default => {
                return Err(AwsError::not_implemented(
                    "elasticloadbalancing",
                    &format!("attribute {key}={value} (only '{default}')"),
                ));
            }
            _ => return Ok(()),
        };
        Err(invalid(format!("'{value}' is not a valid value for the attribute '{key}': it must be {expected}")))
    }
}

/// A target group's attributes, with those that the hot path reads at hand.
#[derive(Clone, Debug)]
pub(crate) struct GroupAttributes {
    /// All of them.
    pub(crate) all: Attributes,
    /// Seconds a leaving target may finish its requests, before the time factor.
    pub(crate) deregistration_delay_s: u32,
    /// `least_outstanding_requests` instead of `round_robin`.
    pub(crate) least_outstanding: bool,
}

impl From<Attributes> for GroupAttributes {
    fn from(all: Attributes) -> Self {
        Self {
            deregistration_delay_s: all.number("deregistration_delay.timeout_seconds"),
            least_outstanding: all.get("load_balancing.algorithm.type") == "least_outstanding_requests",
            all,
        }
    }
}

impl Default for GroupAttributes {
    fn default() -> Self {
        Attributes::of_group().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Params;

    fn change(attributes: &Attributes, key: &str, value: &str) -> Result<Attributes, AwsError> {
        let call = format!("Attributes.member.1.Key={key}&Attributes.member.1.Value={value}");
        attributes.changed_by(&Params::parse(call.as_bytes()).root())
    }

    #[test]
    fn what_is_not_imitated_is_refused_by_name() {
        let group = Attributes::of_group();
        let error = change(&group, "stickiness.enabled", "true").expect_err("stickiness is not imitated");
        assert_eq!((error.status, error.code.as_str()), (501, "NotImplemented"));
        assert!(error.message.contains("stickiness.enabled=true"), "{error}");
        assert!(change(&group, "stickiness.enabled", "false").is_ok());
        assert_eq!(change(&group, "nonsense", "1").expect_err("unknown").code, "ValidationError");
        assert_eq!(
            change(&group, "deregistration_delay.timeout_seconds", "3601").expect_err("too long").code,
            "ValidationError"
        );
        let new = change(&group, "deregistration_delay.timeout_seconds", "30").expect("valid");
        assert_eq!(GroupAttributes::from(new).deregistration_delay_s, 30);
    }
}
