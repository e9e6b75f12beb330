//! Numbers as Prometheus wants them, put together when it asks.

use std::collections::BTreeMap;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// A part of the broker that has numbers to tell.
pub trait Source {
    /// Adds its numbers.
    fn expose(&self, exposition: &mut Exposition);
}

/// Families of samples, by name.
#[derive(Debug, Default)]
pub struct Exposition {
    families: BTreeMap<&'static str, MetricFamily>,
}

impl Exposition {
    /// A family of numbers that go both ways.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, help, MetricType::GAUGE)
    }

    /// A family of numbers that only grow. By custom its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Samples<'_> {
        self.family(name, help, MetricType::COUNTER)
    }

    fn family(&mut self, name: &'static str, help: &'static str, kind: MetricType) -> Samples<'_> {
        let family = self.families.entry(name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(help.to_owned());
            family.set_field_type(kind);
            family
        });
        Samples { family, kind }
    }

    pub(super) fn into_families(self) -> Vec<MetricFamily> {
        self.families.into_values().filter(|family| !family.get_metric().is_empty()).collect()
    }
}

/// Adds samples to a family.
#[derive(Debug)]
pub struct Samples<'a> {
    family: &'a mut MetricFamily,
    kind: MetricType,
}

impl Samples<'_> {
    /// One sample. Samples of one family may have different labels: `..._bytesin_total` has one for each topic and one for all.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let mut metric = Metric::default();
        let pairs = labels.iter().map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        });
        metric.set_label(pairs.collect());
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.family.mut_metric().push(metric);
        self
    }
}
