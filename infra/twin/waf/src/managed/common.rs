//! `AWSManagedRulesCommonRuleSet`, the core rule set.

use http::header;

use super::{
    Component, ManagedGroup, ManagedRule, Oversize, Test, blocks, body, cookies, longer, looks_like, scripts, source,
};

/// Scanners; AWS names `nessus` and `nmap` as examples.
const BAD_BOTS: &str =
    r"nessus|nmap|nikto|sqlmap|masscan|zgrab|acunetix|netsparker|openvas|dirbuster|gobuster|wpscan|w3af";
/// The metadata service, by its addresses or its paths.
const METADATA: &str =
    r"169\.254\.169\.254|fd00:ec2::254|latest/(?:meta-data|user-data|dynamic/instance-identity|api/token)";
/// Out of the folder twice, or to a file that everybody knows.
const LOCAL_FILE: &str = r"(?:\.\.[/\\]){2}|\.\.[/\\](?:etc|proc|windows|winnt)\b|(?:^|[^a-z0-9])/?(?:etc/(?:passwd|shadow|hosts)|proc/self/environ)\b|(?:php|zip|phar|expect)://";
/// A URL with an IPv4 address for a host.
const REMOTE_FILE: &str = r"(?:https?|ftps?|file)://(?:[^/@\s]*@)?[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:[^0-9.]|$)";
/// AWS names `.log` and `.ini` as examples.
const EXTENSION: &str = r"\.(?:log|ini|bak|cfg|conf|sys|dll|exe|bat|htaccess|htpasswd)$";

pub(super) static GROUP: ManagedGroup = ManagedGroup {
    name: "AWSManagedRulesCommonRuleSet",
    description: "Contains rules that are generally applicable to web applications. This provides protection against exploitation of a wide range of vulnerabilities, including those described in OWASP publications.",
    capacity: 700,
    versioned: true,
    namespace: "core-rule-set",
    rules: RULES,
};

const RULES: &[ManagedRule] = &[
    blocks("NoUserAgent_HEADER", "NoUserAgent_Header", |c| {
        // Nothing is longer than nothing: a header that is not there matches no size at all.
        Test::Not(Box::new(longer(c, Component::Header(header::USER_AGENT), 0)))
    }),
    blocks("UserAgent_BadBots_HEADER", "BadBots_Header", |c| {
        looks_like(c, Component::Header(header::USER_AGENT), BAD_BOTS)
    }),
    blocks("SizeRestrictions_QUERYSTRING", "SizeRestrictions_QueryString", |c| longer(c, Component::Query, 2048)),
    blocks("SizeRestrictions_Cookie_HEADER", "SizeRestrictions_Cookie_Header", |c| {
        longer(c, Component::Header(header::COOKIE), 10_240)
    }),
    blocks("SizeRestrictions_BODY", "SizeRestrictions_Body", |c| {
        // Only so much of a body is seen; that there is more is what this rule asks.
        Test::Size(source(c, Component::Body(Oversize::Match), &[]), &[], 0)
    }),
    blocks("SizeRestrictions_URIPATH", "SizeRestrictions_URIPath", |c| longer(c, Component::Path, 1024)),
    blocks("EC2MetaDataSSRF_BODY", "EC2MetaDataSSRF_Body", |c| looks_like(c, body(), METADATA)),
    blocks("EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_Cookie", |c| looks_like(c, cookies(), METADATA)),
    blocks("EC2MetaDataSSRF_URIPATH", "EC2MetaDataSSRF_URIPath", |c| looks_like(c, Component::Path, METADATA)),
    blocks("EC2MetaDataSSRF_QUERYARGUMENTS", "EC2MetaDataSSRF_QueryArguments", |c| {
        looks_like(c, Component::Arguments, METADATA)
    }),
    blocks("GenericLFI_QUERYARGUMENTS", "GenericLFI_QueryArguments", |c| {
        looks_like(c, Component::Arguments, LOCAL_FILE)
    }),
    blocks("GenericLFI_URIPATH", "GenericLFI_URIPath", |c| looks_like(c, Component::Path, LOCAL_FILE)),
    blocks("GenericLFI_BODY", "GenericLFI_Body", |c| looks_like(c, body(), LOCAL_FILE)),
    blocks("RestrictedExtensions_URIPATH", "RestrictedExtensions_URIPath", |c| {
        looks_like(c, Component::Path, EXTENSION)
    }),
    blocks("RestrictedExtensions_QUERYARGUMENTS", "RestrictedExtensions_QueryArguments", |c| {
        looks_like(c, Component::Arguments, EXTENSION)
    }),
    blocks("GenericRFI_QUERYARGUMENTS", "GenericRFI_QueryArguments", |c| {
        looks_like(c, Component::Arguments, REMOTE_FILE)
    }),
    blocks("GenericRFI_BODY", "GenericRFI_Body", |c| looks_like(c, body(), REMOTE_FILE)),
    blocks("GenericRFI_URIPATH", "GenericRFI_URIPath", |c| looks_like(c, Component::Path, REMOTE_FILE)),
    blocks("CrossSiteScripting_COOKIE", "CrossSiteScripting_Cookie", |c| scripts(c, cookies())),
    blocks("CrossSiteScripting_QUERYARGUMENTS", "CrossSiteScripting_QueryArguments", |c| {
        scripts(c, Component::Arguments)
    }),
    blocks("CrossSiteScripting_BODY", "CrossSiteScripting_Body", |c| scripts(c, body())),
    blocks("CrossSiteScripting_URIPATH", "CrossSiteScripting_URIPath", |c| scripts(c, Component::Path)),
];
