//! CBOR (RFC 8949) as far as Smithy RPC v2 needs it: timestamps are tag 1.

use twin_platform::AwsError;

use super::{MOST_DEPTH, Value, malformed, moment};

/// Reads one item that fills the whole body. The position in an error counts bytes from 0.
pub(crate) fn read(body: &[u8]) -> Result<Value, AwsError> {
    let mut reader = Reader { body, at: 0 };
    match reader.item(MOST_DEPTH) {
        Ok(Some(value)) if reader.at == body.len() => Ok(value),
        Ok(_) => Err(malformed(format!("The body is no single CBOR item (byte {})", reader.at))),
        Err(what) => Err(malformed(format!("The body is no CBOR: {what} at byte {}", reader.at))),
    }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

type Read<T> = Result<T, &'static str>;

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.body.len()).ok_or("the end is missing")?;
        let bytes = &self.body[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// Major type, additional information, and its argument (none: indefinite length).
    fn head(&mut self) -> Read<(u8, u8, Option<u64>)> {
        let first = self.take(1)?[0];
        let (major, information) = (first >> 5, first & 0x1f);
        let argument = match information {
            0..=23 => Some(u64::from(information)),
            24..=27 => {
                let bytes = self.take(1 << (information - 24))?;
                Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            31 => None,
            _ => return Err("a reserved length"),
        };
        Ok((major, information, argument))
    }

    /// The next item; nothing for the break that ends an indefinite one.
    fn item(&mut self, depth: usize) -> Read<Option<Value>> {
        let depth = depth.checked_sub(1).ok_or("too many levels")?;
        let (major, information, argument) = self.head()?;
        let value = match (major, argument) {
            (0, Some(number)) => i64::try_from(number).map_or_else(|_| float(number), Value::Integer),
            (1, Some(number)) => match i64::try_from(number) {
                Ok(number) => Value::Integer(-1 - number),
                Err(_) => Value::Number(-1.0 - wide(number)),
            },
            (2, Some(_)) => return Err("a byte string where CloudWatch has none"),
            (3, length) => Value::Text(self.text(length)?),
            (4, length) => Value::List(self.items(length, depth)?),
            (5, length) => self.members(length, depth)?,
            (6, Some(1)) => self.moment(depth)?,
            (7, None) => return Ok(None),
            (7, Some(bits)) => simple(information, bits)?,
            _ => return Err("an unexpected item"),
        };
        Ok(Some(value))
    }

    fn text(&mut self, length: Option<u64>) -> Read<String> {
        let mut bytes = Vec::new();
        match length {
            Some(length) => bytes.extend_from_slice(self.take(size(length)?)?),
            None => loop {
                match self.head()? {
                    (7, 31, _) => break,
                    (3, _, Some(length)) => bytes.extend_from_slice(self.take(size(length)?)?),
                    _ => return Err("a piece of text that is none"),
                }
            },
        }
        String::from_utf8(bytes).map_err(|_| "text that is no UTF-8")
    }

    fn items(&mut self, length: Option<u64>, depth: usize) -> Read<Vec<Value>> {
        // Not reserved by the length that is claimed: a short body may claim a long list.
        let mut items = Vec::new();
        while length.is_none_or(|length| (items.len() as u64) < length) {
            match self.item(depth)? {
                Some(item) => items.push(item),
                None if length.is_none() => break,
                None => return Err("a break inside of a counted list"),
            }
        }
        Ok(items)
    }

    fn members(&mut self, length: Option<u64>, depth: usize) -> Read<Value> {
        let mut members = Vec::new();
        let mut read = 0;
        while length.is_none_or(|length| read < length) {
            read += 1;
            let name = match self.item(depth)? {
                Some(Value::Text(name)) => name,
                None if length.is_none() => break,
                _ => return Err("a key that is no text"),
            };
            match self.item(depth)? {
                Some(Value::Null) => {}
                Some(value) => members.push((name, value)),
                None => return Err("a key without a value"),
            }
        }
        Ok(Value::Map(members))
    }

    fn moment(&mut self, depth: usize) -> Read<Value> {
        #[allow(clippy::cast_precision_loss, reason = "a moment past 2^53 seconds is refused below anyway")]
        let seconds = match self.item(depth)? {
            Some(Value::Integer(seconds)) => seconds as f64,
            Some(Value::Number(seconds)) => seconds,
            _ => return Err("a timestamp that is no number"),
        };
        moment::from_seconds(seconds).map(Value::Moment).ok_or("a timestamp out of range")
    }
}

fn size(length: u64) -> Read<usize> {
    usize::try_from(length).map_err(|_| "a length out of range")
}

#[allow(clippy::cast_precision_loss, reason = "what does not fit an integer is a floating-point number to CloudWatch")]
fn wide(number: u64) -> f64 {
    number as f64
}

fn float(number: u64) -> Value {
    Value::Number(wide(number))
}

fn simple(information: u8, bits: u64) -> Read<Value> {
    Ok(match information {
        20 => Value::Bool(false),
        21 => Value::Bool(true),
        22 | 23 => Value::Null,
        25 => Value::Number(half(u16::try_from(bits).unwrap_or_default())),
        26 => Value::Number(f64::from(f32::from_bits(u32::try_from(bits).unwrap_or_default()))),
        27 => Value::Number(f64::from_bits(bits)),
        _ => return Err("an unexpected simple value"),
    })
}

/// RFC 8949, appendix D.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// Writes one item.
pub(crate) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, value);
    bytes
}

fn put(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(flag) => bytes.push(if *flag { 0xf5 } else { 0xf4 }),
        Value::Integer(integer) => match u64::try_from(*integer) {
            Ok(number) => head(bytes, 0, number),
            Err(_) => head(bytes, 1, integer.unsigned_abs() - 1),
        },
        Value::Number(number) => {
            bytes.push(0xfb);
            bytes.extend(number.to_bits().to_be_bytes());
        }
        Value::Text(text) => {
            head(bytes, 3, text.len() as u64);
            bytes.extend(text.as_bytes());
        }
        Value::Moment(epoch_ms) => {
            head(bytes, 6, 1);
            #[allow(clippy::cast_precision_loss, reason = "milliseconds of this era have 41 bits")]
            put(bytes, &Value::Number(*epoch_ms as f64 / 1000.0));
        }
        Value::List(items) => {
            head(bytes, 4, items.len() as u64);
            items.iter().for_each(|item| put(bytes, item));
        }
        Value::Map(members) | Value::Dictionary(members) => {
            let present = members.iter().filter(|(_, member)| *member != Value::Null);
            head(bytes, 5, present.clone().count() as u64);
            for (name, member) in present {
                head(bytes, 3, name.len() as u64);
                bytes.extend(name.as_bytes());
                put(bytes, member);
            }
        }
    }
}

fn head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let all = argument.to_be_bytes();
    let (information, used) = match argument {
        0..=23 => (all[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    bytes.push(major << 5 | information);
    bytes.extend(&all[8 - used..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            proptest::num::f64::NORMAL.prop_map(Value::Number),
            ".{0,40}".prop_map(Value::Text),
            (-60_000_000_000_000_i64..200_000_000_000_000).prop_map(Value::Moment),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
                proptest::collection::vec(("[A-Za-z]{0,30}", inner), 0..8).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            prop_assert_eq!(read(&write(&value)).expect("our own CBOR"), value);
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }

    #[test]
    fn indefinite_lengths_and_short_floats_are_read() {
        let body = [
            0xbf, 0x61, b'A', 0x9f, 0xf9, 0x3c, 0x00, 0xfa, 0x40, 0, 0, 0, 0xff, 0x61, b'B', 0x7f, 0x61, b'x', 0xff,
            0xff,
        ];
        let expected = Value::map([("A", Value::list([1.0, 2.0])), ("B", "x".into())]);
        assert_eq!(read(&body).expect("CBOR"), expected);
        let error = read(&[0xa1, 0x61, b'A']).expect_err("a cut body");
        assert_eq!(error.message, "The body is no CBOR: the end is missing at byte 3");
        assert!(read(&[0x81; 100]).is_err(), "too many levels");
        assert!(read(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err(), "a list longer than memory");
    }
}
