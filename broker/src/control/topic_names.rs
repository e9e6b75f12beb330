//! What a topic may be called.

use vltava_protocol::ErrorCode;

use super::AdminError;

/// The longest name.
const MAX_NAME: usize = 249;

/// Checks a name, in the words of Kafka's `Topic.validate`.
pub(crate) fn validate_name(name: &str) -> Result<(), AdminError> {
    let invalid = |what: String| Err(AdminError::new(ErrorCode::InvalidTopic, what));
    match name {
        "" => invalid("Topic name is invalid: the empty string is not allowed".into()),
        "." | ".." => invalid("Topic name is invalid: '.' or '..' is not allowed".into()),
        _ if name.len() > MAX_NAME => invalid(format!(
            "Topic name is invalid: the length of '{}' is longer than the max allowed length {MAX_NAME}",
            name.chars().take(MAX_NAME + 1).collect::<String>()
        )),
        _ if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) => {
            invalid(format!(
                "Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_in_kafkas_words() {
        for name in ["a", "A.b_c-9", "__consumer_offsets", &"x".repeat(249)] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        let cases = [
            ("", "Topic name is invalid: the empty string is not allowed"),
            ("..", "Topic name is invalid: '.' or '..' is not allowed"),
            (
                "a b",
                "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
            ),
        ];
        for (name, message) in cases {
            let error = validate_name(name).expect_err(name);
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidTopic, message));
        }
        let long = validate_name(&"x".repeat(250)).expect_err("too long").message;
        assert!(long.ends_with("is longer than the max allowed length 249"), "{long}");
    }
}
