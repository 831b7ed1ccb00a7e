//! The twin's plain services through boto3, unchanged.

use std::path::Path;

use tests::Lab;

#[test]
fn boto3_drives_every_service() {
    let lab = Lab::up();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/boto3");
    for program in [
        "ssm.py",
        "secretsmanager.py",
        "s3_sts.py",
        "logs.py",
        "rds.py",
        "elbv2.py",
        "ecs.py",
        "cloudwatch.py",
        "sns_sqs.py",
        "wafv2.py",
        "xray.py",
    ] {
        lab.python(&folder.join(program));
    }
}
