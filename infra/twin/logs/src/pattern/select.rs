//! Selectors (`$.user.name`, `$.tags[0].key`, `$.tags[*].key`, `$.['cluster.name']`), and a reader that takes from a JSON line
//! only what they point at: everything else is checked for form and skipped without a copy.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{PatternError, scan::Scanner, value::Number};

/// The distinct selectors of a pattern; at most as many as the mask below has bits.
#[derive(Debug, Default)]
pub(crate) struct Selectors(Vec<Vec<Step>>);

/// Most wildcards in a pattern, and most in one selector (quotas named on the syntax page).
const MAX_WILDCARDS: usize = 3;
const MAX_WILDCARDS_IN_SELECTOR: usize = 1;

/// One bit for each selector that the path walked so far agrees with.
type Mask = u128;

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    Any,
}

/// What a selector points at.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(Number),
    Boolean(bool),
    Null,
    Container,
}

type Found<'a> = Vec<(u8, Value<'a>)>;

impl Value<'_> {
    /// A string, number or boolean as text.
    pub(super) fn written(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone().into_owned()),
            Self::Number(Number::Integer(integer)) => Some(integer.to_string()),
            Self::Number(Number::Decimal(decimal)) => Some(decimal.to_string()),
            Self::Boolean(truth) => Some(truth.to_string()),
            Self::Null | Self::Container => None,
        }
    }
}

impl Selectors {
    /// Reads a selector and returns its index; equal ones share it.
    pub(super) fn parse(&mut self, scanner: &mut Scanner<'_>) -> Result<u8, PatternError> {
        let mark = scanner.mark();
        if !scanner.eat("$") {
            return Err(scanner.error("expected a selector such as $.status"));
        }
        let mut steps = Vec::new();
        loop {
            if scanner.eat(".['") || scanner.eat("['") {
                steps.push(Step::Key(scanner.take_while(|next| next != '\'').to_owned()));
                scanner.expect("']")?;
            } else if scanner.eat("[") {
                steps.push(index(scanner)?);
                scanner.expect("]")?;
            } else if scanner.eat(".*") {
                steps.push(Step::Any);
            } else if scanner.eat(".") {
                let key = scanner.take_while(|next| next.is_alphanumeric() || matches!(next, '-' | '_'));
                if key.is_empty() {
                    return Err(scanner.error("expected a property name of letters, digits, '-' and '_'"));
                }
                steps.push(Step::Key(key.to_owned()));
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Err(scanner.error_at(mark, "'$' alone selects nothing; write $.property"));
        }
        let position = self.0.iter().position(|known| *known == steps).unwrap_or_else(|| {
            self.0.push(steps);
            self.0.len() - 1
        });
        match u8::try_from(position) {
            Ok(position) if u32::from(position) < Mask::BITS => Ok(position),
            _ => Err(scanner.error_at(mark, format!("more than {} different selectors", Mask::BITS))),
        }
    }

    /// Holds the pattern to the wildcard quotas.
    pub(super) fn check_wildcards(&self, scanner: &Scanner<'_>) -> Result<(), PatternError> {
        let count = |steps: &Vec<Step>| steps.iter().filter(|step| **step == Step::Any).count();
        if self.0.iter().any(|steps| count(steps) > MAX_WILDCARDS_IN_SELECTOR) {
            return Err(scanner.error("more than one wildcard in a selector"));
        }
        if self.0.iter().map(count).sum::<usize>() > MAX_WILDCARDS {
            return Err(scanner.error(format!("more than {MAX_WILDCARDS} wildcard selectors")));
        }
        Ok(())
    }

    /// The property names on a selector's way.
    pub(super) fn keys(&self, selector: u8) -> impl Iterator<Item = &str> {
        self.0.get(usize::from(selector)).into_iter().flatten().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) | Step::Any => None,
        })
    }

    /// The selectors as they are written, by index.
    pub(super) fn written(&self) -> Vec<String> {
        let step = |step: &Step| match step {
            Step::Key(key) if key.contains('.') => format!("['{key}']"),
            Step::Key(key) => format!(".{key}"),
            Step::Index(index) => format!("[{index}]"),
            Step::Any => "[*]".to_owned(),
        };
        self.0.iter().map(|steps| steps.iter().map(step).fold("$".to_owned(), |all, one| all + &one)).collect()
    }

    /// What the selectors point at in a line; none when the line is not a JSON object.
    pub(super) fn read<'a>(&self, line: &'a str) -> Option<Found<'a>> {
        // Cheaper than finding out by an error value: most lines of many programs are not JSON at all.
        if !line.trim_start().starts_with('{') {
            return None;
        }
        let mut found = Vec::with_capacity(self.0.len());
        let mask = Mask::MAX.checked_shr(Mask::BITS - u32::try_from(self.0.len()).ok()?).unwrap_or(0);
        let mut reader = serde_json::Deserializer::from_str(line);
        let node = Node { selectors: &self.0, mask, depth: 0, found: &mut found };
        node.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Some(found)
    }
}

fn index(scanner: &mut Scanner<'_>) -> Result<Step, PatternError> {
    if scanner.eat("*") {
        return Ok(Step::Any);
    }
    let mark = scanner.mark();
    let digits = scanner.take_while(|next| next.is_ascii_digit());
    digits.parse().map(Step::Index).map_err(|_| scanner.error_at(mark, "expected an array index or '*'"))
}

/// A place in the document, with the selectors that lead here.
struct Node<'s, 'f, 'a> {
    selectors: &'s [Vec<Step>],
    mask: Mask,
    depth: usize,
    found: &'f mut Found<'a>,
}

fn bits(mut mask: Mask) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        // At most 127, because the mask has 128 bits.
        let bit = u8::try_from(mask.trailing_zeros()).ok().filter(|_| mask != 0)?;
        mask &= mask - 1;
        Some(bit)
    })
}

impl<'a> Node<'_, '_, 'a> {
    fn ends_here(&self, bit: u8) -> bool {
        self.selectors[usize::from(bit)].len() == self.depth
    }

    fn keep(self, value: impl Fn() -> Value<'a>) {
        for bit in bits(self.mask) {
            if self.ends_here(bit) {
                self.found.push((bit, value()));
            }
        }
    }

    fn keep_container(&mut self) {
        for bit in bits(self.mask) {
            if self.ends_here(bit) {
                self.found.push((bit, Value::Container));
            }
        }
    }

    fn following(&self, fits: impl Fn(&Step) -> bool) -> Mask {
        following(self.selectors, self.mask, self.depth, fits)
    }
}

fn following(selectors: &[Vec<Step>], mask: Mask, depth: usize, fits: impl Fn(&Step) -> bool) -> Mask {
    bits(mask)
        .filter(|bit| selectors[usize::from(*bit)].get(depth).is_some_and(&fits))
        .fold(0, |mask, bit| mask | (1 << bit))
}

impl<'a> DeserializeSeed<'a> for Node<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Node<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.keep(|| Value::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.keep(|| Value::Boolean(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.keep(|| Value::Number(Number::Integer(value.into())));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.keep(|| Value::Number(Number::Integer(value.into())));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.keep(|| Value::Number(Number::Decimal(value)));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.keep(|| Value::Text(Cow::Owned(value.to_owned())));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<(), E> {
        self.keep(|| Value::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.keep_container();
        while let Some(mask) =
            map.next_key_seed(Key { selectors: self.selectors, mask: self.mask, depth: self.depth })?
        {
            if mask == 0 {
                map.next_value::<IgnoredAny>()?;
            } else {
                let child = Node { selectors: self.selectors, mask, depth: self.depth + 1, found: &mut *self.found };
                map.next_value_seed(child)?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        // The root is an object, so an array is always some property's value.
        if self.depth == 0 {
            return Err(A::Error::custom("not an object"));
        }
        self.keep_container();
        for index in 0.. {
            let mask = self.following(|step| match step {
                Step::Index(wanted) => *wanted == index,
                Step::Any => true,
                Step::Key(_) => false,
            });
            let child = Node { selectors: self.selectors, mask, depth: self.depth + 1, found: &mut *self.found };
            let more = if mask == 0 {
                items.next_element::<IgnoredAny>()?.is_some()
            } else {
                items.next_element_seed(child)?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// Reads a property name without copying it, and answers which selectors go on through it.
struct Key<'s> {
    selectors: &'s [Vec<Step>],
    mask: Mask,
    depth: usize,
}

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = Mask;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Mask, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Mask;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a property name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Mask, E> {
        Ok(following(self.selectors, self.mask, self.depth, |step| match step {
            Step::Key(wanted) => wanted == key,
            Step::Any => true,
            Step::Index(_) => false,
        }))
    }
}
