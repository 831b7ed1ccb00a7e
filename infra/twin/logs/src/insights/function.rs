//! The functions of the user guide's "Boolean, comparison, numeric, datetime, and other functions".
//!
//! Refuses by name what is not in the table below, and tells what AWS has (`case`, `jsonParse`, hashes) from what nobody has.

use std::{borrow::Cow, net::IpAddr};

use super::{
    expression::{Expression, Scope, milliseconds},
    value::Value,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Coalesce,
    Concat,
    EndsWith,
    Floor,
    FromMillis,
    Greatest,
    If,
    IsBlank,
    IsEmpty,
    IsIpInSubnet(Family),
    IsPresent,
    IsValidIp(Family),
    Least,
    Log,
    Now,
    Replace,
    Round,
    Sqrt,
    StartsWith,
    StrContains,
    StrLen,
    Substr,
    ToInteger,
    ToLower,
    ToMillis,
    ToNumber,
    ToUpper,
    Trim { left: bool, right: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// Name in lower case, function, fewest and most arguments.
type Entry = (&'static str, Function, usize, usize);

const MANY: usize = usize::MAX;

const FUNCTIONS: [Entry; 38] = [
    ("abs", Function::Abs, 1, 1),
    ("ceil", Function::Ceil, 1, 1),
    ("coalesce", Function::Coalesce, 1, MANY),
    ("concat", Function::Concat, 1, MANY),
    ("endswith", Function::EndsWith, 2, 2),
    ("floor", Function::Floor, 1, 1),
    ("frommillis", Function::FromMillis, 1, 1),
    ("greatest", Function::Greatest, 1, MANY),
    ("if", Function::If, 3, 3),
    ("isblank", Function::IsBlank, 1, 1),
    ("isempty", Function::IsEmpty, 1, 1),
    ("isipinsubnet", Function::IsIpInSubnet(Family::Any), 2, 2),
    ("isipv4insubnet", Function::IsIpInSubnet(Family::V4), 2, 2),
    ("isipv6insubnet", Function::IsIpInSubnet(Family::V6), 2, 2),
    ("ispresent", Function::IsPresent, 1, 1),
    ("isvalidip", Function::IsValidIp(Family::Any), 1, 1),
    ("isvalidipv4", Function::IsValidIp(Family::V4), 1, 1),
    ("isvalidipv6", Function::IsValidIp(Family::V6), 1, 1),
    ("least", Function::Least, 1, MANY),
    ("log", Function::Log, 1, 1),
    ("ltrim", Function::Trim { left: true, right: false }, 1, 2),
    ("now", Function::Now, 0, 0),
    ("replace", Function::Replace, 3, 3),
    ("round", Function::Round, 1, 2),
    ("rtrim", Function::Trim { left: false, right: true }, 1, 2),
    ("sqrt", Function::Sqrt, 1, 1),
    ("startswith", Function::StartsWith, 2, 2),
    ("strcontains", Function::StrContains, 2, 2),
    ("strlen", Function::StrLen, 1, 1),
    ("substr", Function::Substr, 2, 3),
    ("todouble", Function::ToNumber, 1, 1),
    ("toint", Function::ToInteger, 1, 1),
    ("tolong", Function::ToInteger, 1, 1),
    ("tolower", Function::ToLower, 1, 1),
    ("tomillis", Function::ToMillis, 1, 1),
    ("tonumber", Function::ToNumber, 1, 1),
    ("toupper", Function::ToUpper, 1, 1),
    ("trim", Function::Trim { left: true, right: true }, 1, 2),
];

/// Functions of the guide, in lower case, that the twin does not imitate.
const NOT_IMITATED: [&str; 5] = ["case", "jsonparse", "jsonstringify", "md5", "sha256"];

impl Function {
    /// Whether AWS has a function of that name, though it is not in the table.
    pub(super) fn is_known_to_aws(name: &str) -> bool {
        NOT_IMITATED.iter().any(|known| name.eq_ignore_ascii_case(known))
    }

    /// The function with that name in any case, and how many arguments it takes.
    pub(super) fn find(name: &str) -> Option<(Self, std::ops::RangeInclusive<usize>)> {
        let name = name.to_ascii_lowercase();
        let (_, function, fewest, most) = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
        Some((*function, *fewest..=*most))
    }

    pub(super) fn call(self, arguments: &[Expression], scope: Scope<'_>) -> Value {
        let value = |index: usize| arguments.get(index).map_or(Cow::Owned(Value::Missing), |it| it.value(scope));
        let number =
            |compute: fn(f64) -> f64| value(0).number().map_or(Value::Missing, |it| Value::finite(compute(it)));
        let text = |compute: &dyn Fn(&str) -> Value| value(0).written().map_or(Value::Missing, |it| compute(&it));
        let numbers = || arguments.iter().filter_map(|argument| argument.value(scope).number());
        match self {
            Self::Abs => number(f64::abs),
            Self::Ceil => number(f64::ceil),
            Self::Floor => number(f64::floor),
            Self::Log => number(f64::ln),
            Self::ToInteger => number(f64::trunc),
            Self::ToNumber => number(|it| it),
            Self::Round => {
                // Past these a float has no such decimals.
                let scale = 10_f64.powf(
                    arguments.get(1).and_then(|it| it.value(scope).number()).unwrap_or(0.0).trunc().clamp(-9.0, 9.0),
                );
                value(0).number().map_or(Value::Missing, |it| Value::finite((it * scale).round() / scale))
            }
            Self::Sqrt => number(f64::sqrt),
            Self::Greatest => numbers().reduce(f64::max).map_or(Value::Missing, Value::Number),
            Self::Least => numbers().reduce(f64::min).map_or(Value::Missing, Value::Number),
            Self::Coalesce => arguments
                .iter()
                .map(|argument| argument.value(scope))
                .find(|value| !value.is_missing())
                .map_or(Value::Missing, Cow::into_owned),
            Self::If => value(if value(0).is_true() { 1 } else { 2 }).into_owned(),
            Self::IsPresent => Value::truth(!value(0).is_missing()),
            Self::IsEmpty => Value::truth(value(0).written().is_none_or(|text| text.is_empty())),
            Self::IsBlank => Value::truth(value(0).written().is_none_or(|text| text.trim().is_empty())),
            // Seconds, as the guide has it.
            #[allow(clippy::cast_precision_loss, reason = "a time of this era")]
            Self::Now => Value::Number(scope.now_ms.div_euclid(1000) as f64),
            Self::FromMillis => milliseconds(&value(0)).map_or(Value::Missing, Value::Time),
            #[allow(clippy::cast_precision_loss, reason = "milliseconds() bounds it")]
            Self::ToMillis => milliseconds(&value(0)).map_or(Value::Missing, |ms| Value::Number(ms as f64)),
            Self::Concat => {
                let mut joined = String::new();
                for argument in arguments {
                    joined.push_str(argument.value(scope).written().as_deref().unwrap_or_default());
                }
                Value::text(joined)
            }
            #[allow(clippy::cast_precision_loss, reason = "a length")]
            Self::StrLen => text(&|it| Value::Number(it.chars().count() as f64)),
            Self::ToLower => text(&|it| Value::text(it.to_lowercase())),
            Self::ToUpper => text(&|it| Value::text(it.to_uppercase())),
            Self::StrContains | Self::StartsWith | Self::EndsWith => {
                let part = value(1);
                let Some(part) = part.written() else { return Value::truth(false) };
                text(&|it| {
                    Value::truth(match self {
                        Self::StartsWith => it.starts_with(&*part),
                        Self::EndsWith => it.ends_with(&*part),
                        _ => it.contains(&*part),
                    })
                })
            }
            Self::Replace => {
                let (old, new) = (value(1), value(2));
                let (old, new) = (old.written().unwrap_or_default(), new.written().unwrap_or_default());
                text(&|it| Value::text(if old.is_empty() { it.to_owned() } else { it.replace(&*old, &new) }))
            }
            Self::Substr => {
                let start = value(1).number().map_or(0, whole);
                let length = arguments.get(2).map_or(usize::MAX, |it| it.value(scope).number().map_or(0, whole));
                text(&|it| Value::text(it.chars().skip(start).take(length).collect::<String>()))
            }
            Self::Trim { left, right } => {
                let unwanted = arguments.get(1).map(|argument| argument.value(scope));
                let unwanted = unwanted.as_ref().and_then(|it| it.written());
                let cut = |next: char| unwanted.as_ref().map_or(next.is_whitespace(), |it| it.contains(next));
                text(&|it| {
                    let it = if left { it.trim_start_matches(cut) } else { it };
                    Value::text(if right { it.trim_end_matches(cut) } else { it })
                })
            }
            Self::IsValidIp(family) => {
                Value::truth(value(0).written().is_some_and(|it| address(&it, family).is_some()))
            }
            Self::IsIpInSubnet(family) => {
                let subnet = value(1);
                let inside = || in_subnet(address(&value(0).written()?, family)?, &subnet.written()?);
                Value::truth(inside().unwrap_or(false))
            }
        }
    }
}

/// A count of characters; negative ones count as none.
fn whole(number: f64) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
    let whole = number as usize;
    whole
}

fn address(text: &str, family: Family) -> Option<IpAddr> {
    text.parse().ok().filter(|address: &IpAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    })
}

fn in_subnet(address: IpAddr, subnet: &str) -> Option<bool> {
    let (network, length) = subnet.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    let (address, network, bits) = match (address, network.parse().ok()?) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return Some(false),
    };
    let host = u32::checked_sub(bits, length)?;
    Some(address.checked_shr(host) == network.checked_shr(host))
}
