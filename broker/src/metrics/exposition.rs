//! Numbers as Prometheus wants them: its text format, written when it asks.
//!
//! Nothing is gathered: lines go out in pieces as they are made, so that a scrape of a hundred thousand partitions holds one piece in memory. The
//! format wants all samples of a name together, so a name is told by one source, in one go.

use std::{collections::HashSet, fmt::Write as _};

/// Text beyond which a piece is sent.
const PIECE: usize = 64 * 1024;

/// A part of the broker that has numbers to tell.
pub trait Source {
    /// Adds its numbers.
    fn expose(&self, exposition: &mut Exposition);
}

/// Takes a piece of text; `false` if nobody wants more.
type Sink = Box<dyn FnMut(String) -> bool + Send>;

/// What is being told.
pub struct Exposition {
    text: String,
    sink: Sink,
    /// Somebody still listens.
    wanted: bool,
    told: HashSet<&'static str>,
}

impl std::fmt::Debug for Exposition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exposition").field("wanted", &self.wanted).field("told", &self.told.len()).finish()
    }
}

impl Exposition {
    /// Sends the text to `sink`, piece by piece.
    pub fn new(sink: impl FnMut(String) -> bool + Send + 'static) -> Self {
        Self { text: String::new(), sink: Box::new(sink), wanted: true, told: HashSet::new() }
    }

    /// A name whose numbers go both ways. All of its samples follow before the next name.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, help, "gauge")
    }

    /// A name whose numbers only grow. By custom it ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, help, "counter")
    }

    fn family(&mut self, name: &'static str, help: &'static str, kind: &'static str) -> Samples<'_> {
        let first = self.told.insert(name);
        debug_assert!(first, "{name} is told in two places");
        Samples { exposition: self, name, help, kind, begun: false }
    }

    fn send(&mut self) {
        if self.wanted && !self.text.is_empty() {
            self.wanted = (self.sink)(std::mem::take(&mut self.text));
        }
        self.text.clear();
    }

    /// Sends what is left.
    pub fn finish(mut self) {
        self.send();
    }
}

/// Adds samples to a name.
#[derive(Debug)]
pub struct Samples<'a> {
    exposition: &'a mut Exposition,
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    begun: bool,
}

impl Samples<'_> {
    /// One sample. Samples of one name may have different labels: `..._bytesin_total` has one for each topic and one for all.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        if !self.exposition.wanted {
            return self;
        }
        let (name, help, kind) = (self.name, self.help, self.kind);
        let text = &mut self.exposition.text;
        if !std::mem::replace(&mut self.begun, true) {
            // A name without samples is not told at all.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        text.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            push_escaped(text, value);
            text.push('"');
        }
        if !labels.is_empty() {
            text.push('}');
        }
        let _ = if value.is_infinite() {
            writeln!(text, " {}Inf", if value < 0.0 { '-' } else { '+' })
        } else {
            writeln!(text, " {value}")
        };
        if text.len() >= PIECE {
            self.exposition.send();
        }
        self
    }
}

fn push_escaped(text: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn told(tell: impl FnOnce(&mut Exposition)) -> Vec<String> {
        let pieces = Arc::new(Mutex::new(Vec::new()));
        let kept = pieces.clone();
        let mut exposition = Exposition::new(move |piece| {
            kept.lock().unwrap().push(piece);
            true
        });
        tell(&mut exposition);
        exposition.finish();
        Arc::into_inner(pieces).unwrap().into_inner().unwrap()
    }

    #[test]
    fn samples_are_prometheus_text() {
        let pieces = told(|exposition| {
            exposition.gauge("nothing", "Without samples.");
            exposition
                .counter("bytes_total", "Bytes.")
                .sample(&[], 3.0)
                .sample(&[("topic", "a\"b\\c\nd"), ("partition", "0")], 1.5);
            exposition.gauge("ratio", "A ratio.").sample(&[], f64::NAN).sample(&[], f64::INFINITY);
        });
        assert_eq!(
            pieces.concat(),
            "# HELP bytes_total Bytes.\n# TYPE bytes_total counter\nbytes_total 3\n\
             bytes_total{topic=\"a\\\"b\\\\c\\nd\",partition=\"0\"} 1.5\n\
             # HELP ratio A ratio.\n# TYPE ratio gauge\nratio NaN\nratio +Inf\n"
        );
    }

    #[test]
    fn a_hundred_thousand_partitions_are_told_in_pieces() {
        let pieces = told(|exposition| {
            let mut samples = exposition.gauge("kafka_log_log_size", "Bytes.");
            for index in 0..100_000 {
                samples.sample(&[("topic", "orders"), ("partition", &index.to_string())], f64::from(index));
            }
        });
        assert!(pieces.len() > 50 && pieces.iter().all(|piece| piece.len() < PIECE + 1024));
        assert_eq!(pieces.concat().lines().count(), 100_002);
    }

    #[test]
    fn nothing_is_made_for_a_listener_that_has_gone() {
        let mut exposition = Exposition::new(|_| false);
        let mut samples = exposition.gauge("n", "Numbers.");
        for _ in 0..100_000 {
            samples.sample(&[], 1.0);
        }
        assert!(exposition.text.is_empty());
    }
}
