//! Names in the shell that an earlier lab left there. This program passes over them; plain aws commands do not.

use contract::names::env;
use reset::Observation;

use crate::commands::own_name;

/// One line when a generated name of the shell is not this lab's.
pub(super) fn line(seen: &Observation, shell: impl Fn(&str) -> Option<String>) -> Option<String> {
    let balancer = seen.balancer.known();
    let secret = seen.secret.known();
    let held = [
        (env::ALB_URL, balancer.map(|balancer| [balancer.url.as_str(), ""])),
        (env::TARGET_GROUP_ARN, balancer.map(|balancer| [balancer.target_group_arn.as_str(), ""])),
        // A secret goes by its name as well.
        (env::DB_SECRET_ARN, secret.map(|secret| [secret.arn.as_str(), secret.name.as_str()])),
    ];
    let is_stale = |(variable, known): &(&'static str, Option<[&str; 2]>)| {
        let value = shell(variable).filter(|value| !value.is_empty())?;
        (!known.as_ref()?.contains(&value.trim_end_matches('/'))).then_some(*variable)
    };
    let stale: Vec<&str> = held.iter().filter_map(is_stale).collect();
    let verb = if stale.len() == 1 { "is" } else { "are" };
    (!stale.is_empty()).then(|| {
        let (names, own) = (stale.join(" and "), own_name());
        format!(
            "your shell's {names} {verb} of an earlier lab or deployment; take this one's with: eval \"$({own} env)\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{super::text::tests::broken, *};

    #[test]
    fn only_names_of_another_lab_are_told() {
        let seen = broken();
        let of = |variable: &'static str, value: &'static str| {
            line(&seen, move |name| (name == variable).then(|| value.to_owned()))
        };
        assert_eq!(line(&seen, |_| None), None);
        assert_eq!(of(env::ALB_URL, "http://127.0.0.1:8000/"), None);
        assert_eq!(of(env::DB_SECRET_ARN, "golden/db"), None);
        assert_eq!(of(env::TARGET_GROUP_ARN, ""), None);
        let told = of(env::TARGET_GROUP_ARN, "arn:of:yesterday").expect("it is another");
        assert!(told.starts_with("your shell's TARGET_GROUP_ARN is of an earlier lab"), "{told}");
    }
}
