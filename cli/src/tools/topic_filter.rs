//! Which topics an option means: Kafka's include lists, a comma-separated list of regular expressions.

use super::{failure::Failure, java_regex::WholeName};

/// A filter of names.
#[derive(Debug)]
pub(crate) struct TopicFilter(Option<WholeName>);

impl TopicFilter {
    /// The filter of an option's value; without one every name fits.
    pub(crate) fn new(list: Option<&str>) -> Result<TopicFilter, Failure> {
        let Some(list) = list else { return Ok(TopicFilter(None)) };
        let quotes = ['"', '\''];
        let pattern = list.trim().replace(',', "|").replace(' ', "");
        let pattern = pattern.trim_matches(quotes);
        let regex = WholeName::new(pattern).map_err(|_| {
            Failure::new("java.lang.RuntimeException", format!("{pattern} is an invalid regex."))
        })?;
        Ok(TopicFilter(Some(regex)))
    }

    /// Whether a name fits.
    pub(crate) fn allows(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|regex| regex.is_match(name))
    }
}

/// Whether a topic is Kafka's own.
pub(crate) fn is_internal(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state")
}

/// Checks a topic's name as Kafka does.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    const MOST: usize = 249;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let why = if name.is_empty() {
        "Topic name is illegal, it can't be empty".to_owned()
    } else if name == "." || name == ".." {
        "Topic name cannot be \".\" or \"..\"".to_owned()
    } else if name.len() > MOST {
        format!("Topic name is illegal, it can't be longer than {MOST} characters, topic name: {name}")
    } else if !name.chars().all(legal) {
        format!(
            "Topic name \"{name}\" is illegal, it contains a character other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(Failure::new("org.apache.kafka.common.errors.InvalidTopicException", why))
}

/// Whether a name may collide with another in metrics, where dots and underscores are the same.
pub(crate) fn has_collision_chars(name: &str) -> bool {
    name.contains(['.', '_'])
}

/// Whether two names collide so.
pub(crate) fn collide(a: &str, b: &str) -> bool {
    a != b && a.replace('.', "_") == b.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_regular_expression_for_the_whole_name() {
        let filter = TopicFilter::new(Some(" 'orders, pay.*' ")).unwrap();
        assert!(filter.allows("orders") && filter.allows("payments"));
        assert!(!filter.allows("orders2") && !filter.allows("my-orders"));
        assert!(TopicFilter::new(None).unwrap().allows("anything"));
        assert_eq!(TopicFilter::new(Some("(")).unwrap_err().message, "( is an invalid regex.");
    }

    #[test]
    fn names_are_checked_as_kafka_checks_them() {
        assert!(check_name("a.b_c-9").is_ok());
        for bad in ["", ".", "..", "a b", "ä", &"x".repeat(250)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(collide("a.b", "a_b") && !collide("a.b", "a.b"));
    }
}
