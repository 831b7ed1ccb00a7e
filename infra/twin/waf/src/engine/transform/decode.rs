//! Decoders. What is not encoded as it should be stays as it is.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn digit(byte: Option<&u8>) -> Option<u8> {
    let digit = char::from(*byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn pair(text: &[u8]) -> Option<u8> {
    Some(digit(text.first())? << 4 | digit(text.get(1))?)
}

/// `%XX`, and `+` as a space.
pub(super) fn url(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match (*first, pair(more)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &more[2..];
            }
            (b'+', _) => out.push(b' '),
            (other, _) => out.push(other),
        }
    }
    out
}

pub(super) fn hex(text: &[u8]) -> Vec<u8> {
    text.chunks(2).map(pair).collect::<Option<Vec<u8>>>().unwrap_or_else(|| text.to_vec())
}

pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    LENIENT.decode(text).unwrap_or_else(|_| text.to_vec())
}

/// `&lt; &gt; &amp; &quot; &nbsp;`, `&#NN;` and `&#xHH;`.
pub(super) fn entities(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..start]);
        rest = &rest[start..];
        let end = rest.iter().take(12).position(|byte| *byte == b';');
        match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            Some((end, decoded)) => {
                out.extend_from_slice(&decoded);
                rest = &rest[end + 1..];
            }
            None => {
                out.push(b'&');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

fn entity(name: &[u8]) -> Option<Vec<u8>> {
    Some(match name {
        b"lt" => b"<".to_vec(),
        b"gt" => b">".to_vec(),
        b"amp" => b"&".to_vec(),
        b"quot" => b"\"".to_vec(),
        b"nbsp" => vec![0xa0],
        _ => {
            let number = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            match u8::try_from(code) {
                Ok(byte) => vec![byte],
                Err(_) => char::from_u32(code)?.to_string().into_bytes(),
            }
        }
    })
}
