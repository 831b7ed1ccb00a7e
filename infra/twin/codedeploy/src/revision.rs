//! Where a revision lies, and its AppSpec.

use ring::digest::{SHA256, digest};
use twin_platform::AwsError;
use winterbaume_codedeploy::model::RevisionLocation;

use crate::{
    appspec::{AppSpec, invalid},
    neighbours::Platform,
};

/// Fetches the AppSpec that a revision names.
pub(crate) async fn appspec(platform: &dyn Platform, revision: &RevisionLocation) -> Result<AppSpec, AwsError> {
    match revision.revision_type.as_deref() {
        Some("AppSpecContent") => {
            let sent = revision.app_spec_content.as_ref().ok_or_else(|| invalid("appSpecContent is missing."))?;
            checked(sent.content.as_deref(), sent.sha256.as_deref())
        }
        // The older form, which AWS keeps for Lambda and takes for ECS.
        Some("String") => {
            let sent = revision.string.as_ref().ok_or_else(|| invalid("string is missing."))?;
            checked(sent.content.as_deref(), sent.sha256.as_deref())
        }
        Some("S3") => {
            let place = revision.s3_location.as_ref().ok_or_else(|| invalid("s3Location is missing."))?;
            if place.version.is_some() {
                return Err(AwsError::not_implemented("codedeploy", "a revision by its S3 object version"));
            }
            if !matches!(place.bundle_type.as_deref(), Some("YAML" | "JSON")) {
                return Err(invalid("BundleType must be either YAML or JSON"));
            }
            let (bucket, key) = place
                .bucket
                .as_deref()
                .zip(place.key.as_deref())
                .ok_or_else(|| invalid("s3Location needs a bucket and a key."))?;
            let missing = |_| {
                let message = format!("The specified key s3://{bucket}/{key} does not exist.");
                AwsError::client("RevisionDoesNotExistException", message)
            };
            let object = platform.object(bucket, key).await.map_err(missing)?;
            AppSpec::parse(&String::from_utf8_lossy(&object))
        }
        Some("GitHub") => Err(AwsError::not_implemented("codedeploy", "a revision in GitHub")),
        other => Err(invalid(format!("The revision type {} is not valid.", other.unwrap_or("null")))),
    }
}

fn checked(content: Option<&str>, sha256: Option<&str>) -> Result<AppSpec, AwsError> {
    let content = content.ok_or_else(|| invalid("The content of the AppSpec file is missing."))?;
    if let Some(expected) = sha256 {
        let found: String =
            digest(&SHA256, content.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if !found.eq_ignore_ascii_case(expected) {
            return Err(invalid(format!("The SHA256 of the content is {found}, and not {expected}.")));
        }
    }
    AppSpec::parse(content)
}
