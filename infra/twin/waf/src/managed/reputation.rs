//! `AWSManagedRulesAmazonIpReputationList`. Its addresses are Amazon's own findings, which nobody publishes: here the lists are empty,
//! and its rules match nothing.

use super::{Kind, ManagedGroup, ManagedRule, Test};

pub(super) static GROUP: ManagedGroup = ManagedGroup {
    name: "AWSManagedRulesAmazonIpReputationList",
    description: "This group contains rules that are based on Amazon threat intelligence. This is useful if you would like to block sources associated with bots or other threats.",
    capacity: 25,
    versioned: false,
    namespace: "amazon-ip-list",
    rules: RULES,
};

const fn empty(name: &'static str, action: Kind) -> ManagedRule {
    ManagedRule { name, label: name, action, test: |_| Test::Never }
}

const RULES: &[ManagedRule] = &[
    empty("AWSManagedIPReputationList", Kind::Block),
    empty("AWSManagedReconnaissanceList", Kind::Block),
    empty("AWSManagedIPDDoSList", Kind::Count),
];
