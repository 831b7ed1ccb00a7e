//! The failure-mode parameter: what is desired.

use aws_sdk_ssm::{primitives::DateTime, types::Parameter as SsmParameter};
use contract::failure::{HIDDEN, Plan, is_blind};
use serde::Serialize;
use time::OffsetDateTime;

use crate::{AwsError, Clients, Names};

/// The parameter as SSM holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value, verbatim, or [`HIDDEN`].
    pub value: String,
    /// Whether the value asks to be kept from those who are to find the fault.
    pub is_blind: bool,
    /// Counts up with every write, from 1.
    pub version: i64,
    /// When it was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// Whether the value asks for nothing to be broken.
    pub is_none: bool,
    /// Why the application refuses the value; none when it parses.
    pub refused: Option<String>,
}

impl Parameter {
    pub(crate) fn new(name: &str, value: &str, version: i64, last_modified: Option<OffsetDateTime>) -> Self {
        let plan = Plan::parse(value);
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            is_blind: is_blind(value),
            version,
            last_modified,
            is_none: plan.as_ref().is_ok_and(Plan::is_none),
            refused: plan.err().map(|refusal| refusal.to_string()),
        }
    }

    /// Takes out what a blind value says.
    pub fn hide(&mut self) {
        if self.is_blind {
            HIDDEN.clone_into(&mut self.value);
            self.refused = self.refused.take().map(|_| HIDDEN.to_owned());
        }
    }
}

pub(super) async fn read(clients: &Clients, names: &Names) -> Result<Parameter, AwsError> {
    const OPERATION: &str = "ssm:GetParameter";
    let reply = clients.ssm.get_parameter().name(&names.parameter).send().await;
    let parameter: SsmParameter = reply
        .map_err(AwsError::from_sdk(OPERATION))?
        .parameter
        .ok_or_else(|| AwsError::incomplete(OPERATION, "the reply has no parameter"))?;
    let last_modified = parameter.last_modified_date.as_ref().and_then(timestamp);
    let value = parameter.value.as_deref().unwrap_or_default();
    Ok(Parameter::new(&names.parameter, value, parameter.version, last_modified))
}

/// AWS's timestamp as ours; none when it is outside our calendar.
pub(super) fn timestamp(at: &DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok()
}
