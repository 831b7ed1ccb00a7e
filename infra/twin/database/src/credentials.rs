//! Credentials of the database in the shape of Secrets Manager's rotation templates
//! ("JSON structure of AWS Secrets Manager secrets", AWS Secrets Manager User Guide).

use serde::Serialize;
use serde_json::{Map, Value};

/// What opens the database. No `Debug`: it holds a password.
#[derive(Clone, Serialize)]
pub struct Credentials {
    /// Always `postgres`.
    pub engine: &'static str,
    /// Loopback address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Database.
    pub dbname: String,
}

/// A secret's JSON object that names a database; other keys in it are kept as they are.
#[derive(Clone)]
pub(crate) struct DatabaseSecret(Map<String, Value>);

impl DatabaseSecret {
    /// Reads a secret string; none when it is no JSON object with the keys that the rotation template needs.
    pub(crate) fn parse(secret_string: &str) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_str(secret_string) else { return None };
        let secret = Self(object);
        let engine = secret.0.get("engine").and_then(Value::as_str).unwrap_or("postgres");
        (engine == "postgres").then_some(())?;
        let whole = ["host", "username", "password"].iter().all(|key| secret.text(key).is_some());
        (whole && secret.port().is_some()).then_some(secret)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn host(&self) -> &str {
        self.text("host").unwrap_or_default()
    }

    pub(crate) fn username(&self) -> &str {
        self.text("username").unwrap_or_default()
    }

    pub(crate) fn password(&self) -> &str {
        self.text("password").unwrap_or_default()
    }

    /// The template connects to the database named as the engine when the secret names none.
    pub(crate) fn dbname(&self) -> &str {
        self.text("dbname").unwrap_or("postgres")
    }

    /// A number, or text as rotation functions in other languages store it.
    pub(crate) fn port(&self) -> Option<u16> {
        let port = self.0.get("port")?;
        let number = port.as_u64().or_else(|| port.as_str()?.parse().ok())?;
        u16::try_from(number).ok().filter(|port| *port != 0)
    }

    /// The same secret with another password, as a secret string.
    pub(crate) fn with_password(&self, password: &str) -> String {
        let mut object = self.0.clone();
        object.insert("password".into(), password.into());
        Value::Object(object).to_string()
    }
}

/// 32 letters and digits (190 bits): no character that a URL or a shell would need quoted.
pub(crate) fn random_password() -> String {
    // Operating system randomness through the uuid crate; fastrand would be guessable.
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = String::with_capacity(32);
    while password.len() < 32 {
        let random = uuid::Uuid::new_v4().into_bytes();
        // Bytes 6 and 8 hold the version and the variant; values past 247 would make some letters likelier.
        let usable = random.iter().enumerate().filter(|(index, byte)| *index != 6 && *index != 8 && **byte < 248);
        password.extend(usable.map(|(_, byte)| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])));
    }
    password.truncate(32);
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_secret_keeps_what_it_does_not_know() {
        let text = r#"{"engine":"postgres","host":"h","port":"5432","username":"u","password":"p","tag":[1]}"#;
        let secret = DatabaseSecret::parse(text).expect("database-shaped");
        assert_eq!((secret.port(), secret.dbname()), (Some(5432), "postgres"));
        let rotated: Value = serde_json::from_str(&secret.with_password("q")).expect("JSON");
        assert_eq!(rotated["password"], "q");
        assert_eq!(rotated["tag"], serde_json::json!([1]));
    }

    #[test]
    fn other_secrets_are_not_database_shaped() {
        for text in
            ["one", "[]", r#"{"host":"h"}"#, r#"{"engine":"mysql","host":"h","port":1,"username":"u","password":"p"}"#]
        {
            assert!(DatabaseSecret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn passwords_are_long_plain_and_new() {
        let password = random_password();
        assert_eq!(password.len(), 32);
        assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(password, random_password());
    }
}
