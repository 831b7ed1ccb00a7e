//! IP sets. A change acts on the next request, in every web ACL that refers to the set.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::{Answer, Named, Tag, named, regional, tags};
use crate::{
    Waf,
    engine::address::{Ranges, SharedRanges},
    error::{Refusal, associated, invalid, limits, nonexistent, reason},
    state::{Entity, IpSet},
};

/// Addresses of a set.
const MOST: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    scope: String,
    description: Option<String>,
    #[serde(rename = "IPAddressVersion")]
    version: String,
    addresses: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    named: Named,
    description: Option<String>,
    addresses: Vec<String>,
}

fn ranges(addresses: &[String], version: &str) -> Result<Ranges, Refusal> {
    let version_4 = match version {
        "IPV4" => true,
        "IPV6" => false,
        other => return Err(invalid(reason::FORMAT, "IP_ADDRESS_VERSION", other)),
    };
    if addresses.len() > MOST {
        return Err(limits());
    }
    let range =
        |text: &String| Ranges::parse(text, version_4).ok_or_else(|| invalid(reason::FORMAT, "IP_ADDRESS", text));
    Ok(Ranges::new(addresses.iter().map(range).collect::<Result<Vec<_>, _>>()?))
}

pub(super) fn create(waf: &Waf, input: Create) -> Answer {
    regional(&input.scope)?;
    named(&input.name, "IP_SET")?;
    tags::check(&input.tags)?;
    let ranges = ranges(&input.addresses, &input.version)?;
    let mut state = waf.state();
    state.ip_sets.check_new(&input.name)?;
    let entity = Entity::new(&waf.account, "ipset", &input.name, input.description);
    let summary = entity.summary();
    tags::set(&mut state, &entity.arn, &input.tags);
    let ranges = Arc::new(SharedRanges::from_pointee(ranges));
    state.ip_sets.insert(entity, IpSet { version: input.version, addresses: input.addresses, ranges });
    Ok(json!({"Summary": summary}))
}

pub(super) fn get(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let state = waf.state();
    let (entity, set) = state.ip_sets.find(&input.name, &input.id)?;
    let mut json = entity.json();
    json["IPAddressVersion"] = json!(set.version);
    json["Addresses"] = json!(set.addresses);
    Ok(json!({"IPSet": json, "LockToken": entity.lock_token}))
}

pub(super) fn update(waf: &Waf, input: Update) -> Answer {
    let Update { named, description, addresses } = input;
    regional(&named.scope)?;
    let mut state = waf.state();
    let (entity, set) = state.ip_sets.unlocked(&named.name, &named.id, &named.lock_token)?;
    let (arn, ranges) = (entity.arn.clone(), ranges(&addresses, &set.version)?);
    let (entity, set) = state.ip_sets.by_arn_mut(&arn).ok_or_else(nonexistent)?;
    set.ranges.store(Arc::new(ranges));
    set.addresses = addresses;
    entity.description = description;
    Ok(json!({"NextLockToken": entity.changed()}))
}

pub(super) fn delete(waf: &Waf, input: &Named) -> Answer {
    regional(&input.scope)?;
    let mut state = waf.state();
    let arn = state.ip_sets.unlocked(&input.name, &input.id, &input.lock_token)?.0.arn.clone();
    if state.is_used(&arn) {
        return Err(associated());
    }
    state.tags.remove(&arn);
    state.ip_sets.remove(&arn);
    Ok(json!({}))
}
