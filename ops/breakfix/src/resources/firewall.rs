//! The web ACL in front of the balancer. Its rules stand in `reset`, which restores them.

use anyhow::{Context, Result};
use aws_config::SdkConfig;

/// Creates it where it is missing, and puts it in front of the load balancer. A rule that was changed stays changed.
pub(super) async fn create(config: &SdkConfig, load_balancer_arn: &str) -> Result<()> {
    let wafv2 = aws_sdk_wafv2::Client::new(config);
    let found = reset::firewall::find(&wafv2).await.context("looking for the web ACL")?;
    let arn = match found {
        Some((arn, _)) => arn,
        None => reset::firewall::create(&wafv2).await.context("creating the web ACL")?,
    };
    reset::firewall::associate(&wafv2, &arn, load_balancer_arn).await.context("associating the web ACL")
}
