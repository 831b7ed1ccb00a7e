//! Text transformations, as "Text transformation options" of the developer guide describes them.
//!
//! One that changes nothing costs nothing: it gives back what it got. Refused by name: `CSS_DECODE`, `ESCAPE_SEQ_DECODE`, `JS_DECODE`,
//! `SQL_HEX_DECODE`, `URL_DECODE_UNI`, `UTF8_TO_UNICODE`.

mod decode;
mod path;

use std::borrow::Cow;

use md5::{Digest, Md5};

/// One transformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transform {
    Base64Decode,
    CmdLine,
    CompressWhiteSpace,
    HexDecode,
    HtmlEntityDecode,
    Lowercase,
    Md5,
    NormalizePath,
    NormalizePathWin,
    RemoveNulls,
    ReplaceComments,
    ReplaceNulls,
    UrlDecode,
}

impl Transform {
    /// By its `Type`; `NONE` is none.
    pub(crate) fn named(name: &str) -> Result<Option<Self>, Unknown> {
        Ok(Some(match name {
            "NONE" => return Ok(None),
            "BASE64_DECODE" | "BASE64_DECODE_EXT" => Self::Base64Decode,
            "CMD_LINE" => Self::CmdLine,
            "COMPRESS_WHITE_SPACE" => Self::CompressWhiteSpace,
            "HEX_DECODE" => Self::HexDecode,
            "HTML_ENTITY_DECODE" => Self::HtmlEntityDecode,
            "LOWERCASE" => Self::Lowercase,
            "MD5" => Self::Md5,
            "NORMALIZE_PATH" => Self::NormalizePath,
            "NORMALIZE_PATH_WIN" => Self::NormalizePathWin,
            "REMOVE_NULLS" => Self::RemoveNulls,
            "REPLACE_COMMENTS" => Self::ReplaceComments,
            "REPLACE_NULLS" => Self::ReplaceNulls,
            "URL_DECODE" => Self::UrlDecode,
            "CSS_DECODE" | "ESCAPE_SEQ_DECODE" | "JS_DECODE" | "SQL_HEX_DECODE" | "URL_DECODE_UNI"
            | "UTF8_TO_UNICODE" => return Err(Unknown::NotImitated),
            _ => return Err(Unknown::NoSuch),
        }))
    }

    pub(crate) fn apply(self, text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        let needed = match self {
            Self::UrlDecode => text.iter().any(|byte| matches!(byte, b'%' | b'+')),
            Self::HtmlEntityDecode => text.contains(&b'&'),
            Self::Lowercase => text.iter().any(u8::is_ascii_uppercase),
            Self::RemoveNulls | Self::ReplaceNulls => text.contains(&0),
            Self::ReplaceComments => text.windows(2).any(|pair| pair == b"/*"),
            _ => !text.is_empty() || self == Self::Md5,
        };
        if !needed {
            return text;
        }
        Cow::Owned(match self {
            Self::Base64Decode => decode::base64(&text),
            Self::CmdLine => command_line(&text),
            Self::CompressWhiteSpace => compressed(&text),
            Self::HexDecode => decode::hex(&text),
            Self::HtmlEntityDecode => decode::entities(&text),
            Self::Lowercase => text.to_ascii_lowercase(),
            Self::Md5 => Md5::digest(&text).to_vec(),
            Self::NormalizePath => path::normalized(&text),
            Self::NormalizePathWin => {
                let slashes: Vec<u8> = text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
                path::normalized(&slashes)
            }
            Self::RemoveNulls => text.iter().copied().filter(|byte| *byte != 0).collect(),
            Self::ReplaceComments => without_comments(&text),
            Self::ReplaceNulls => text.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect(),
            Self::UrlDecode => decode::url(&text),
        })
    }
}

/// Why a name is no transformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    NoSuch,
    NotImitated,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0xa0)
}

/// Spaces of all kinds become one space.
fn compressed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter().copied() {
        match is_space(byte) {
            true if out.last() == Some(&b' ') => {}
            true => out.push(b' '),
            false => out.push(byte),
        }
    }
    out
}

/// What a shell would make of evasions: `\ " ' ^` go, spaces before `/` and `(` go, `,` and `;` and spaces are one space, small letters.
fn command_line(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text.iter().copied() {
        match byte {
            b'\\' | b'"' | b'\'' | b'^' => {}
            b',' | b';' | b' ' | b'\t' | b'\n' | b'\r' => {
                if out.last() != Some(&b' ') {
                    out.push(b' ');
                }
            }
            b'/' | b'(' => {
                if out.last() == Some(&b' ') {
                    out.pop();
                }
                out.push(byte);
            }
            other => out.push(other.to_ascii_lowercase()),
        }
    }
    out
}

/// Each C comment becomes a space; one that does not end, too.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr::memmem::find(rest, b"/*") {
        out.extend_from_slice(&rest[..start]);
        out.push(b' ');
        let inside = &rest[start + 2..];
        rest = memchr::memmem::find(inside, b"*/").map_or(&[], |end| &inside[end + 2..]);
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [&str; 14] = [
        "BASE64_DECODE",
        "CMD_LINE",
        "COMPRESS_WHITE_SPACE",
        "HEX_DECODE",
        "HTML_ENTITY_DECODE",
        "LOWERCASE",
        "MD5",
        "NONE",
        "NORMALIZE_PATH",
        "NORMALIZE_PATH_WIN",
        "REMOVE_NULLS",
        "REPLACE_COMMENTS",
        "REPLACE_NULLS",
        "URL_DECODE",
    ];

    fn apply(name: &str, text: &[u8]) -> Vec<u8> {
        let transform = Transform::named(name).expect("known");
        transform.map_or(text.to_vec(), |transform| transform.apply(text.into()).into_owned())
    }

    #[test]
    fn each_does_what_its_name_says() {
        for (name, text, wanted) in [
            ("NONE", "A b", "A b"),
            ("LOWERCASE", "A b\u{c4}", "a b\u{c4}"),
            ("URL_DECODE", "a%20b%2fc+d%zz%4", "a b/c d%zz%4"),
            ("HTML_ENTITY_DECODE", "&lt;a&#62;&#x41;&quot;&amp;&nosuch;&", "<a>A\"&&nosuch;&"),
            ("COMPRESS_WHITE_SPACE", "a \t\n b", "a b"),
            ("CMD_LINE", "C^at,  \"/etc\"; (x)", "cat/etc(x)"),
            ("REPLACE_COMMENTS", "a/*b*/c/*d", "a c "),
            ("REMOVE_NULLS", "a\0b", "ab"),
            ("REPLACE_NULLS", "a\0b", "a b"),
            ("HEX_DECODE", "414243", "ABC"),
            ("BASE64_DECODE", "QUJD", "ABC"),
            ("NORMALIZE_PATH", "/a//b/./c/../d", "/a/b/d"),
            ("NORMALIZE_PATH", "../a/../../b", "../../b"),
            ("NORMALIZE_PATH_WIN", "\\a\\..\\b", "/b"),
        ] {
            assert_eq!(String::from_utf8_lossy(&apply(name, text.as_bytes())), wanted, "{name} {text}");
        }
        assert_eq!(apply("MD5", b"").len(), 16);
        assert_eq!(Transform::named("JS_DECODE"), Err(Unknown::NotImitated));
        assert_eq!(Transform::named("ROT13"), Err(Unknown::NoSuch));
    }

    proptest! {
        #[test]
        fn no_text_makes_one_panic(text in prop::collection::vec(any::<u8>(), 0..200), like in "[%&#x;/*.\\\\+a-f0-9=]{0,60}") {
            for name in ALL {
                apply(name, &text);
                apply(name, like.as_bytes());
            }
        }
    }
}
