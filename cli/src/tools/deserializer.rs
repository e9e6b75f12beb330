//! Kafka's deserializers, by class name: how a key, value or header is shown.

use super::{failure::Failure, java_text::double};

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deserializer {
    /// As they are: `StringDeserializer`, `ByteArrayDeserializer`, `BytesDeserializer`, `DefaultDecoder` and `StringDecoder`.
    Bytes,
    Integer,
    Long,
    Short,
    Double,
    Float,
    Uuid,
    Boolean,
    Void,
}

impl Deserializer {
    /// The deserializer of a class, with or without its package.
    pub(crate) fn named(class: &str) -> Result<Self, Failure> {
        let name = class.trim().rsplit(['.', '$']).next().unwrap_or_default();
        Ok(match name {
            "StringDeserializer"
            | "ByteArrayDeserializer"
            | "BytesDeserializer"
            | "ByteBufferDeserializer"
            | "DefaultDecoder"
            | "StringDecoder" => Self::Bytes,
            "IntegerDeserializer" | "IntegerDecoder" => Self::Integer,
            "LongDeserializer" | "LongDecoder" => Self::Long,
            "ShortDeserializer" => Self::Short,
            "DoubleDeserializer" => Self::Double,
            "FloatDeserializer" => Self::Float,
            "UUIDDeserializer" => Self::Uuid,
            "BooleanDeserializer" => Self::Boolean,
            "VoidDeserializer" => Self::Void,
            _ => return Err(Failure::new("java.lang.ClassNotFoundException", class)),
        })
    }

    /// Appends the text of `bytes`.
    pub(crate) fn show(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        let text = match self {
            Self::Bytes => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            Self::Integer => i32::from_be_bytes(sized(bytes, "IntegerDeserializer")?).to_string(),
            Self::Long => i64::from_be_bytes(sized(bytes, "LongDeserializer")?).to_string(),
            Self::Short => i16::from_be_bytes(sized(bytes, "ShortDeserializer")?).to_string(),
            Self::Double => double(f64::from_be_bytes(sized(bytes, "DoubleDeserializer")?)),
            Self::Float => double(f32::from_be_bytes(sized(bytes, "FloatDeserializer")?)),
            Self::Uuid => {
                let text = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<uuid::Uuid>().ok());
                text.ok_or_else(|| wrong("Error parsing data into UUID".to_owned()))?.to_string()
            }
            Self::Boolean => match sized::<1>(bytes, "BooleanDeserializer")? {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                [other] => {
                    return Err(wrong(format!("Unexpected byte received by BooleanDeserializer: {other}")));
                }
            },
            Self::Void => return Err(Failure::illegal("Data should be null for a VoidDeserializer.")),
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn sized<const N: usize>(bytes: &[u8], class: &str) -> Result<[u8; N], Failure> {
    bytes.try_into().map_err(|_| wrong(format!("Size of data received by {class} is not {N}")))
}

fn wrong(message: String) -> Failure {
    Failure::new("org.apache.kafka.common.errors.SerializationException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(class: &str, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        Deserializer::named(class).unwrap().show(bytes, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_look_like_javas() {
        let cases: [(f64, &str); 12] = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.5, "0.5"),
            (1_234_567.0, "1234567.0"),
            (1e7, "1.0E7"),
            (1.5e-4, "1.5E-4"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
        ];
        for (number, text) in cases {
            assert_eq!(
                shown("org.apache.kafka.common.serialization.DoubleDeserializer", &number.to_be_bytes()),
                text
            );
        }
        assert_eq!(shown("FloatDeserializer", &0.1_f32.to_be_bytes()), "0.1");
        assert_eq!(shown("IntegerDeserializer", &(-7_i32).to_be_bytes()), "-7");
        assert_eq!(shown("LongDeserializer", &i64::MIN.to_be_bytes()), i64::MIN.to_string());
        assert_eq!(shown("ShortDeserializer", &[1, 0]), "256");
        assert_eq!(shown("BooleanDeserializer", &[1]), "true");
    }

    #[test]
    fn bytes_of_another_type_are_refused_in_kafkas_words() {
        let error = Deserializer::Integer.show(b"abc", &mut Vec::new()).unwrap_err();
        assert_eq!(error.message, "Size of data received by IntegerDeserializer is not 4");
        assert_eq!(
            Deserializer::named("com.example.Mine").unwrap_err().class,
            "java.lang.ClassNotFoundException"
        );
    }
}
