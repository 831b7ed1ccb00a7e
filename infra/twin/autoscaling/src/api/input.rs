//! What inputs have in common: the target that they name, and errors as AWS words them.

use serde::Deserialize;
use twin_platform::AwsError;

use crate::target::{DIMENSION, NAMESPACE, Place};

/// `ServiceNamespace` and `ScalableDimension` of the API, those of ECS among them.
const NAMESPACES: [&str; 15] = [
    "ecs",
    "elasticmapreduce",
    "ec2",
    "appstream",
    "dynamodb",
    "rds",
    "sagemaker",
    "custom-resource",
    "comprehend",
    "lambda",
    "cassandra",
    "kafka",
    "elasticache",
    "neptune",
    "workspaces",
];

/// The three members that name a scalable target.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub(super) service_namespace: Option<String>,
    pub(super) resource_id: Option<String>,
    pub(super) scalable_dimension: Option<String>,
}

impl Named {
    /// All three.
    pub(super) fn whole(&self) -> Result<Place, AwsError> {
        self.namespace()?;
        let resource_id = required("resourceId", self.resource_id.as_deref())?;
        dimension(required("scalableDimension", self.scalable_dimension.as_deref())?)?;
        place(resource_id)
    }

    /// The namespace, and the target where a describing call asks for one.
    pub(super) fn filter(&self) -> Result<Option<Place>, AwsError> {
        self.namespace()?;
        if let Some(given) = self.scalable_dimension.as_deref() {
            dimension(given)?;
        }
        match (&self.resource_id, &self.scalable_dimension) {
            (None, Some(_)) => {
                Err(validation("The resource ID must be specified when the scalable dimension is specified."))
            }
            (id, _) => id.as_deref().map(place).transpose(),
        }
    }

    pub(super) fn namespace(&self) -> Result<(), AwsError> {
        match required("serviceNamespace", self.service_namespace.as_deref())? {
            NAMESPACE => Ok(()),
            other if NAMESPACES.contains(&other) => Err(AwsError::not_implemented(
                "application-autoscaling",
                &format!("scaling of the service namespace {other}"),
            )),
            other => Err(none_of("serviceNamespace", other, &NAMESPACES)),
        }
    }
}

pub(super) fn dimension(given: &str) -> Result<(), AwsError> {
    let (namespace, rest) = given.split_once(':').unwrap_or_default();
    match given {
        DIMENSION => Ok(()),
        // A dimension of another service's.
        _ if namespace != NAMESPACE && NAMESPACES.contains(&namespace) && rest.contains(':') => Err(unsupported()),
        _ => Err(none_of("scalableDimension", given, &[DIMENSION])),
    }
}

fn place(resource_id: &str) -> Result<Place, AwsError> {
    Place::parse(resource_id).ok_or_else(unsupported)
}

fn unsupported() -> AwsError {
    validation("Unsupported service namespace, resource type or scalable dimension")
}

/// An input that AWS refuses in these words.
pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::client("ValidationException", message)
}

/// A value that is outside of what the API's model allows.
pub(super) fn violated(member: &str, value: &str, constraint: &str) -> AwsError {
    validation(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
    ))
}

pub(super) fn none_of(member: &str, value: &str, allowed: &[&str]) -> AwsError {
    violated(member, &format!("'{value}'"), &format!("satisfy enum value set: [{}]", allowed.join(", ")))
}

/// A member that must be there and must not be empty.
pub(super) fn required<'a>(member: &str, value: Option<&'a str>) -> Result<&'a str, AwsError> {
    match value {
        None => Err(violated(member, "null", "not be null")),
        Some("") => Err(violated(member, "''", "have length greater than or equal to 1")),
        Some(value) => Ok(value),
    }
}

/// The target is not registered.
pub(super) fn no_target(place: &Place) -> AwsError {
    let message = format!(
        "No scalable target registered for service namespace: {NAMESPACE}, resource ID: {place}, scalable dimension: {DIMENSION}"
    );
    AwsError::client("ObjectNotFoundException", message)
}

/// No object of that kind is found for the target.
pub(super) fn not_found(what: &str, place: &Place) -> AwsError {
    let message = format!(
        "No {what} found for service namespace: {NAMESPACE}, resource ID: {place}, scalable dimension: {DIMENSION}"
    );
    AwsError::client("ObjectNotFoundException", message)
}
