//! The summary of a trace (API reference, `TraceSummary`). Root causes are left out: the twin does not work them out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    segment::{Http, Scalar},
    view::{Unit, View},
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary<'a> {
    id: String,
    start_time: f64,
    duration: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_time: Option<f64>,
    has_fault: bool,
    has_error: bool,
    has_throttle: bool,
    is_partial: bool,
    http: HttpSummary<'a>,
    annotations: BTreeMap<&'a str, Vec<Annotation<'a>>>,
    users: Vec<User<'a>>,
    service_ids: Vec<ServiceId<'a>>,
    #[serde(rename = "ResourceARNs")]
    resource_arns: Vec<ResourceArn<'a>>,
    instance_ids: Vec<InstanceId>,
    availability_zones: Vec<AvailabilityZone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_point: Option<ServiceId<'a>>,
    revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_event_time: Option<f64>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HttpSummary<'a> {
    #[serde(rename = "HttpURL", skip_serializing_if = "Option::is_none")]
    http_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip: Option<&'a str>,
}

#[derive(Serialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Annotation<'a> {
    annotation_value: AnnotationValue<'a>,
    service_ids: Vec<ServiceId<'a>>,
}

#[derive(Serialize, PartialEq)]
enum AnnotationValue<'a> {
    #[serde(rename = "NumberValue")]
    Number(f64),
    #[serde(rename = "BooleanValue")]
    Bool(bool),
    #[serde(rename = "StringValue")]
    Text(&'a str),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct User<'a> {
    user_name: &'a str,
    service_ids: Vec<ServiceId<'a>>,
}

/// A node of the map (API reference, `ServiceId`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceId<'a> {
    name: &'a str,
    names: [&'a str; 1],
    account_id: &'a str,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
}

#[derive(Serialize)]
struct ResourceArn<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
}

#[derive(Serialize)]
struct InstanceId {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Serialize)]
struct AvailabilityZone {
    #[serde(rename = "Name")]
    name: String,
}

/// Where a service runs, out of its `aws` block.
#[derive(Default, Deserialize)]
pub(crate) struct Place {
    #[serde(default)]
    ec2: Spot,
    #[serde(default)]
    ecs: Spot,
}

#[derive(Default, Deserialize)]
struct Spot {
    instance_id: Option<String>,
    availability_zone: Option<String>,
}

impl Place {
    pub(crate) fn of(unit: &Unit<'_>) -> Self {
        let aws = unit.segment.aws.as_deref().filter(|_| !unit.inferred);
        aws.and_then(|aws| serde_json::from_str(aws).ok()).unwrap_or_default()
    }

    pub(crate) fn instance(self) -> Option<String> {
        self.ec2.instance_id
    }

    pub(crate) fn zone(self) -> Option<String> {
        self.ec2.availability_zone.or(self.ecs.availability_zone)
    }
}

/// Microseconds are what clocks are good for; more digits are the floating point's own.
pub(crate) fn to_micros(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

impl<'a> Summary<'a> {
    /// `matched_event_time` is when the trace last changed, if that is what was asked for.
    pub(crate) fn of(view: &'a View<'a>, account: &'a str, matched_event_time: Option<f64>) -> Self {
        let service = |unit: &'a Unit<'a>| ServiceId {
            name: unit.name(),
            names: [unit.name()],
            account_id: account,
            kind: unit.kind.as_deref(),
        };
        let root = view.root_segment();
        let mut summary = Self {
            id: view.trace.id.to_string(),
            start_time: to_micros(view.trace.start_time()),
            duration: to_micros(view.trace.duration()),
            response_time: root.and_then(|root| root.duration()).map(to_micros),
            has_fault: root.is_some_and(|root| root.fault),
            has_error: root.is_some_and(|root| root.error),
            has_throttle: view.trace.segments.iter().any(|segment| segment.throttle),
            is_partial: view.partial,
            http: root.and_then(|root| root.http.as_deref()).map(http).unwrap_or_default(),
            annotations: BTreeMap::new(),
            users: Vec::new(),
            service_ids: Vec::new(),
            resource_arns: Vec::new(),
            instance_ids: Vec::new(),
            availability_zones: Vec::new(),
            entry_point: view.root.map(|root| service(&view.units[root])),
            revision: view.trace.revision,
            matched_event_time: matched_event_time.map(to_micros),
        };
        for unit in &view.units {
            let id = service(unit);
            if !summary.service_ids.contains(&id) {
                summary.service_ids.push(id);
            }
            if unit.inferred {
                continue;
            }
            if let Some(arn) = unit.segment.resource_arn.as_deref()
                && !summary.resource_arns.iter().any(|known| known.arn == arn)
            {
                summary.resource_arns.push(ResourceArn { arn });
            }
            if let Some(id) = Place::of(unit).instance()
                && !summary.instance_ids.iter().any(|known| known.id == id)
            {
                summary.instance_ids.push(InstanceId { id });
            }
            if let Some(name) = Place::of(unit).zone()
                && !summary.availability_zones.iter().any(|known| known.name == name)
            {
                summary.availability_zones.push(AvailabilityZone { name });
            }
        }
        summary.index(view, service);
        summary
    }

    /// Annotations and users of every segment and subsegment.
    fn index(&mut self, view: &'a View<'a>, service: impl Fn(&'a Unit<'a>) -> ServiceId<'a>) {
        for (index, segment) in view.trace.segments.iter().enumerate() {
            if segment.annotations.is_empty() && segment.user.is_none() {
                continue;
            }
            let services: Vec<_> = view.unit_of(index).map(&service).into_iter().collect();
            for (key, value) in &segment.annotations {
                let value = match value {
                    Scalar::Bool(value) => AnnotationValue::Bool(*value),
                    Scalar::Number(value) => AnnotationValue::Number(*value),
                    Scalar::Text(value) => AnnotationValue::Text(value),
                };
                let found = Annotation { annotation_value: value, service_ids: services.clone() };
                let known = self.annotations.entry(key).or_default();
                if !known.contains(&found) {
                    known.push(found);
                }
            }
            if let Some(name) = segment.user.as_deref()
                && !self.users.iter().any(|user| user.user_name == name)
            {
                self.users.push(User { user_name: name, service_ids: services });
            }
        }
    }
}

fn http(http: &Http) -> HttpSummary<'_> {
    HttpSummary {
        http_url: http.url.as_deref(),
        http_status: http.status,
        http_method: http.method.as_deref(),
        user_agent: http.user_agent.as_deref(),
        client_ip: http.client_ip.as_deref(),
    }
}
