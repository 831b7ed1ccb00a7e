//! `AWSManagedRulesKnownBadInputsRuleSet`.

use http::header;

use super::{Component, ManagedGroup, ManagedRule, blocks, body, headers, looks_like};

/// Java that runs commands, Spring's two holes, and the start of a serialised object in Base64 (in small letters).
const JAVA: &str = r"java\.lang\.(?:runtime|processbuilder)|getruntime\(\)|class\.module\.classloader|spring\.cloud\.function\.routing-expression|\bro0ab";
/// A JNDI lookup, also with letters that other lookups spell out.
const LOG4J: &str = r"\$\{\s*jndi\s*:|\$\{(?:(?:lower|upper):[a-z:]|[a-z:]*:-[a-z:])\}[^}]*(?:ndi|\$\{)";
/// AWS names `web-inf` as an example.
const PATHS: &str = r"/(?:web-inf|meta-inf|\.git|\.svn|\.aws)(?:/|$)|/(?:\.env|wp-config\.php)$";
/// A reference of React's Flight protocol that walks up to a prototype.
const REACT: &str = r#""\$[0-9a-f]*:(?:[^"]*:)?(?:__proto__|constructor)(?::|")"#;

pub(super) static GROUP: ManagedGroup = ManagedGroup {
    name: "AWSManagedRulesKnownBadInputsRuleSet",
    description: "Contains rules that allow you to block request patterns that are known to be invalid and are associated with exploitation or discovery of vulnerabilities.",
    capacity: 200,
    versioned: true,
    namespace: "known-bad-inputs",
    rules: RULES,
};

const RULES: &[ManagedRule] = &[
    blocks("JavaDeserializationRCE_HEADER", "JavaDeserializationRCE_Header", |c| looks_like(c, headers(), JAVA)),
    blocks("JavaDeserializationRCE_BODY", "JavaDeserializationRCE_Body", |c| looks_like(c, body(), JAVA)),
    blocks("JavaDeserializationRCE_URIPATH", "JavaDeserializationRCE_URIPath", |c| {
        looks_like(c, Component::Path, JAVA)
    }),
    blocks("JavaDeserializationRCE_QUERYSTRING", "JavaDeserializationRCE_QueryString", |c| {
        looks_like(c, Component::Query, JAVA)
    }),
    // AWS documents the name only: 127.0.0.1 is none.
    blocks("Host_localhost_HEADER", "Host_Localhost_Header", |c| {
        looks_like(c, Component::Header(header::HOST), r"^localhost(?::[0-9]+)?$")
    }),
    blocks("PROPFIND_METHOD", "Propfind_Method", |c| looks_like(c, Component::Method, "^propfind$")),
    blocks("ExploitablePaths_URIPATH", "ExploitablePaths_URIPath", |c| looks_like(c, Component::Path, PATHS)),
    blocks("Log4JRCE_HEADER", "Log4JRCE_Header", |c| looks_like(c, headers(), LOG4J)),
    blocks("Log4JRCE_QUERYSTRING", "Log4JRCE_QueryString", |c| looks_like(c, Component::Query, LOG4J)),
    blocks("Log4JRCE_BODY", "Log4JRCE_Body", |c| looks_like(c, body(), LOG4J)),
    blocks("Log4JRCE_URIPATH", "Log4JRCE_URIPath", |c| looks_like(c, Component::Path, LOG4J)),
    blocks("ReactJSRCE_BODY", "ReactJSRCE_Body", |c| looks_like(c, body(), REACT)),
];
