//! Users' SCRAM credentials (RFC 5802, KIP-84, KIP-554): made here from a password, which goes nowhere else.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac as _};
use pbkdf2::pbkdf2_hmac;
use rand::Rng as _;
use sha2::{Digest as _, Sha256, Sha512};
use vltava_client::admin::{NewCredential, ScramMechanism};

use crate::tools::failure::Failure;

/// Kafka's default, and the least that it takes.
const ITERATIONS: u32 = 4096;
/// The most that a Kafka broker takes.
const MAX_ITERATIONS: u32 = 16_384;

/// The mechanism that a key of `--add-config` names.
pub(super) fn mechanism(key: &str) -> Option<ScramMechanism> {
    [ScramMechanism::Sha256, ScramMechanism::Sha512].into_iter().find(|mechanism| mechanism.name() == key)
}

/// The credential that `[iterations=N,password=P]` asks for, the brackets being gone, as brokers take it.
pub(super) fn credential(mechanism: ScramMechanism, value: &str) -> Result<NewCredential, Failure> {
    Ok(make(mechanism, parse(mechanism.name(), value)?))
}

fn make(mechanism: ScramMechanism, (iterations, password): (u32, &str)) -> NewCredential {
    let salt = salt();
    let salted_password = salted(mechanism, password.as_bytes(), &salt, iterations);
    NewCredential { mechanism, iterations, salt, salted_password }
}

/// The same as `/config/users/U` holds it.
pub(super) fn znode(mechanism: ScramMechanism, value: &str) -> Result<String, Failure> {
    // The tool that writes to ZooKeeper itself calls the mechanisms by Java's names.
    let made = make(mechanism, parse(&mechanism.name().replace('-', "_"), value)?);
    let (stored, server) = keys(mechanism, &made.salted_password);
    let text = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    Ok(format!(
        "salt={},stored_key={},server_key={},iterations={}",
        text(&made.salt),
        text(&stored),
        text(&server),
        made.iterations
    ))
}

/// A word of the command line without the passwords in it, which Kafka's tool shows.
pub(super) fn hidden(word: &str) -> String {
    let mut parts = word.split("password=");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("password=[hidden]");
        shown.push_str(part.find(']').map_or("", |end| &part[end..]));
    }
    shown
}

/// The password stays out of what is said: Kafka's tool shows it.
fn parse<'a>(name: &str, value: &'a str) -> Result<(u32, &'a str), Failure> {
    let invalid = || {
        Failure::illegal(format!(
            "Invalid credential property {name}: it must be [iterations=NUMBER,password=PASSWORD], or [password=PASSWORD]"
        ))
    };
    let (iterations, rest) = match value.strip_prefix("iterations=") {
        Some(rest) => {
            let (number, rest) = rest.split_once(',').ok_or_else(invalid)?;
            (number, rest)
        }
        None => ("-1", value),
    };
    let password = rest.strip_prefix("password=").ok_or_else(invalid)?;
    let iterations = match iterations {
        "-1" => i64::from(ITERATIONS),
        number => number.parse().map_err(|_| invalid())?,
    };
    if iterations < i64::from(ITERATIONS) {
        return Err(Failure::illegal(format!(
            "Iterations {iterations} is less than the minimum {ITERATIONS} required for {name}"
        )));
    }
    match u32::try_from(iterations) {
        Ok(iterations) if iterations <= MAX_ITERATIONS => Ok((iterations, password)),
        _ => Err(Failure::illegal(format!(
            "Iterations {iterations} is greater than the maximum {MAX_ITERATIONS} that brokers take for {name}"
        ))),
    }
}

/// 130 random bits, as letters and digits: what Kafka's tools make.
fn salt() -> Vec<u8> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut random = rand::rng();
    (0..26).map(|_| DIGITS[random.random_range(0..DIGITS.len())]).collect()
}

/// `Hi` of RFC 5802.
fn salted(mechanism: ScramMechanism, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
    match mechanism {
        ScramMechanism::Sha256 | ScramMechanism::Unknown => {
            let mut key = vec![0; 32];
            pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key);
            key
        }
        ScramMechanism::Sha512 => {
            let mut key = vec![0; 64];
            pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut key);
            key
        }
    }
}

/// `StoredKey` and `ServerKey` of RFC 5802.
fn keys(mechanism: ScramMechanism, salted: &[u8]) -> (Vec<u8>, Vec<u8>) {
    macro_rules! keys {
        ($hash:ty) => {{
            let sign = |text: &[u8]| {
                // A key of any length is taken.
                let mac = Hmac::<$hash>::new_from_slice(salted);
                mac.map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()).unwrap_or_default()
            };
            (<$hash>::digest(sign(b"Client Key")).to_vec(), sign(b"Server Key"))
        }};
    }
    match mechanism {
        ScramMechanism::Sha256 | ScramMechanism::Unknown => keys!(Sha256),
        ScramMechanism::Sha512 => keys!(Sha512),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: user `user`, password `pencil`.
    #[test]
    fn keys_are_those_of_the_rfc() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let mechanism = ScramMechanism::Sha256;
        let salted = salted(mechanism, b"pencil", &salt, 4096);
        let (stored, server) = keys(mechanism, &salted);
        let text = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        assert_eq!(text(&stored), "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
        assert_eq!(text(&server), "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
    }

    #[test]
    fn a_credential_is_asked_for_as_in_kafka_and_its_password_is_never_told() {
        let mechanism = ScramMechanism::Sha512;
        let read = |value| parse(mechanism.name(), value);
        assert_eq!(read("password=a,b=c").unwrap(), (4096, "a,b=c"));
        assert_eq!(read("iterations=8192,password=p").unwrap(), (8192, "p"));
        assert_eq!(read("iterations=-1,password=").unwrap(), (4096, ""));
        let cases = [
            ("iterations=100,password=secret", "Iterations 100 is less than the minimum 4096"),
            ("iterations=99999,password=secret", "Iterations 99999 is greater than the maximum 16384"),
            ("iterations=x,password=secret", "Invalid credential property SCRAM-SHA-512"),
            ("secret", "Invalid credential property SCRAM-SHA-512"),
            ("", "Invalid credential property"),
        ];
        for (value, expected) in cases {
            let message = read(value).unwrap_err().message;
            assert!(message.contains(expected) && !message.contains("secret"), "{value}: {message}");
        }
        let written = znode(mechanism, "password=p").unwrap();
        let names: Vec<&str> = written.split(',').filter_map(|part| part.split('=').next()).collect();
        assert_eq!(names, ["salt", "stored_key", "server_key", "iterations"]);
        assert!(self::mechanism("SCRAM-SHA-1").is_none());
        assert_eq!(
            hidden("SCRAM-SHA-256=[iterations=8192,password=a,b],SCRAM-SHA-512=[password=c"),
            "SCRAM-SHA-256=[iterations=8192,password=[hidden]],SCRAM-SHA-512=[password=[hidden]"
        );
        assert_eq!(hidden("--alter"), "--alter");
    }
}
