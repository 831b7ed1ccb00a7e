//! The shape of the database secret, as Secrets Manager's rotation templates for RDS define it
//! ("JSON structure of AWS Secrets Manager secrets", AWS Secrets Manager User Guide).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Credentials and address of the database. [`fmt::Debug`] hides the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSecret {
    /// Always `postgres` in this lab.
    #[serde(default = "engine")]
    pub engine: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role that logs in.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Database name.
    pub dbname: String,
}

fn engine() -> String {
    "postgres".into()
}

/// A secret that cannot be used. The text names what is missing, and never holds a value of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database secret is not usable: {0}; it needs the JSON keys host, port, username, password, dbname")]
pub struct InvalidSecret(String);

impl DatabaseSecret {
    /// Reads a secret string.
    ///
    /// # Errors
    /// [`InvalidSecret`] when the text is no JSON object, or a key is missing or of the wrong type.
    pub fn parse(secret_string: &str) -> Result<Self, InvalidSecret> {
        let value: serde_json::Value =
            serde_json::from_str(secret_string).map_err(|_| InvalidSecret("it is not JSON".into()))?;
        let object = value.as_object().ok_or_else(|| InvalidSecret("it is not a JSON object".into()))?;
        let text = |key: &str| match object.get(key) {
            None => Err(InvalidSecret(format!("key `{key}` is missing"))),
            Some(serde_json::Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(_) => Err(InvalidSecret(format!("key `{key}` is not a non-empty string"))),
        };
        let port = match object.get("port") {
            None => Err(InvalidSecret("key `port` is missing".into())),
            // Rotation functions written in other languages store the port as text.
            Some(port) => port
                .as_u64()
                .or_else(|| port.as_str().and_then(|text| text.parse().ok()))
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port != 0)
                .ok_or_else(|| InvalidSecret("key `port` is not a port number".into())),
        }?;
        Ok(Self {
            engine: text("engine").unwrap_or_else(|_| engine()),
            host: text("host")?,
            port,
            username: text("username")?,
            password: text("password")?,
            dbname: text("dbname")?,
        })
    }
}

impl fmt::Debug for DatabaseSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseSecret({}@{}:{}/{})", self.username, self.host, self.port, self.dbname)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_secret_names_the_key_and_hides_the_values() {
        let whole = r#"{"host":"h","port":"5432","username":"u","password":"hunter2","dbname":"d"}"#;
        let secret = DatabaseSecret::parse(whole).expect("a whole secret parses");
        assert_eq!(secret.port, 5432);
        assert!(!format!("{secret:?}").contains("hunter2"));
        for (text, wanted) in [
            ("hunter2", "not JSON"),
            ("[]", "not a JSON object"),
            (r#"{"host":"h","port":5432,"username":"u","dbname":"d"}"#, "`password` is missing"),
            (r#"{"host":"h","port":70000,"username":"u","password":"hunter2","dbname":"d"}"#, "`port` is not"),
            (r#"{"host":7,"port":5432,"username":"u","password":"hunter2","dbname":"d"}"#, "`host` is not"),
        ] {
            let error = DatabaseSecret::parse(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
