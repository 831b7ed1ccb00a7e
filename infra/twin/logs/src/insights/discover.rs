//! Fields of a JSON line, by their flattened names ("Supported logs and discovered fields" in the user guide): `a.b`,
//! `list.0.id`; a field that is called `@x` in the line is `@@x` here. Only what a query names is read; the rest is skipped.
//!
//! The JSON may stand behind other text; the first piece that starts with a brace counts.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::Value;

/// A field that is still to be found below the place that the reader has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'n> {
    pub(super) rest: &'n str,
    pub(super) slot: usize,
}

/// Fills the slots of the fields that the line has; the others stay missing.
pub(super) fn read(line: &str, wanted: &[Wanted<'_>], slots: &mut [Value]) {
    let Some(start) = memchr::memchr(b'{', line.as_bytes()).filter(|_| !wanted.is_empty()) else { return };
    let mut reader = serde_json::Deserializer::from_str(&line[start..]);
    let node = Node { here: None, wanted, slots: &mut *slots };
    if node.deserialize(&mut reader).is_err() {
        wanted.iter().for_each(|field| slots[field.slot] = Value::Missing);
    }
}

struct Node<'w, 'n, 's> {
    /// The slot of a field that ends here.
    here: Option<usize>,
    wanted: &'w [Wanted<'n>],
    slots: &'s mut [Value],
}

impl Node<'_, '_, '_> {
    fn keep(self, value: Value) {
        if let Some(slot) = self.here {
            self.slots[slot] = value;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.keep(Value::truth(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.keep(integer(value.into()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.keep(integer(value.into()));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.keep(Value::Number(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        if self.here.is_some() {
            self.keep(Value::text(value));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((here, wanted)) = map.next_key_seed(Key(self.wanted))? {
            if here.is_none() && wanted.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Node { here, wanted: &wanted, slots: &mut *self.slots })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let (here, wanted) =
                if self.wanted.is_empty() { (None, Vec::new()) } else { step(self.wanted, &index.to_string()) };
            let more = if here.is_none() && wanted.is_empty() {
                items.next_element::<IgnoredAny>()?.is_some()
            } else {
                items.next_element_seed(Node { here, wanted: &wanted, slots: &mut *self.slots })?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// An integer that a float would change is kept as it is written.
fn integer(value: i128) -> Value {
    const EXACT: i128 = 1 << 53;
    #[allow(clippy::cast_precision_loss, reason = "within the integers that a float holds exactly")]
    if (-EXACT..=EXACT).contains(&value) { Value::Number(value as f64) } else { Value::text(value.to_string()) }
}

/// Which fields end at this property, and which go on below it.
fn step<'n>(wanted: &[Wanted<'n>], key: &str) -> (Option<usize>, Vec<Wanted<'n>>) {
    let mut here = None;
    let mut below = Vec::new();
    for field in wanted {
        match field.rest.strip_prefix(key) {
            Some("") => here = Some(field.slot),
            Some(rest) => below.extend(rest.strip_prefix('.').map(|rest| Wanted { rest, slot: field.slot })),
            None => {}
        }
    }
    (here, below)
}

struct Key<'w, 'n>(&'w [Wanted<'n>]);

impl<'de, 'n> DeserializeSeed<'de> for Key<'_, 'n> {
    type Value = (Option<usize>, Vec<Wanted<'n>>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Key<'_, 'n> {
    type Value = (Option<usize>, Vec<Wanted<'n>>);

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a property name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(step(self.0, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_flattened_names() {
        let line = r#"INFO {"a":{"b":"x","c.d":2},"list":[{"id":7},{"id":8}],"on":true,"off":false,"none":null,"@t":"q",
            "big":9007199254740993,"s":"5\u00e9"} and {"a":1}"#;
        let names = ["a.b", "a.c.d", "list.1.id", "on", "off", "none", "@t", "big", "s", "a", "list", "list.10.id"];
        let wanted: Vec<Wanted<'_>> =
            names.iter().enumerate().map(|(slot, name)| Wanted { rest: name, slot }).collect();
        let mut slots = vec![Value::Missing; names.len()];
        read(line, &wanted, &mut slots);
        let written: Vec<_> = slots.iter().map(|value| value.written().unwrap_or("-".into())).collect();
        assert_eq!(written, ["x", "2", "8", "1", "0", "-", "q", "9007199254740993", "5é", "-", "-", "-"]);
        let mut slots = vec![Value::Missing; names.len()];
        read(r#"{"on":true,"#, &wanted, &mut slots);
        assert!(slots.iter().all(Value::is_missing), "a line that is cut has no fields");
    }
}
