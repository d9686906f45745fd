//! Metrics of instances for Prometheus, at `/metrics/instances`: their latest readings, the same from every server. Counters are as the
//! servers count them.

use std::fmt::Write as _;

use toygres_domain::metric::{MetricKind, MetricName};
use toygres_store::LatestReading;

/// The media type of the text format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text format. A metric that no instance has is left out.
pub(crate) fn render(latest: &[LatestReading]) -> String {
    let mut text = String::new();
    for metric in MetricName::ALL {
        let definition = metric.definition();
        let Some(name) = definition.prometheus else { continue };
        let mut has_head = false;
        for LatestReading { id, name: instance, reading } in latest {
            let Some(value) = reading.values.get(*metric) else { continue };
            if !has_head {
                has_head = true;
                let kind = if definition.kind == MetricKind::Counter { "counter" } else { "gauge" };
                // Writing to a string cannot fail. Neither a description nor a name has anything to escape.
                let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", one_line(metric.description()));
            }
            let _ = writeln!(text, "{name}{{id=\"{id}\",name=\"{instance}\"}} {value}");
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use toygres_domain::{
        InstanceId,
        metric::{MetricValues, Reading},
    };

    use super::*;

    #[test]
    fn each_metric_has_its_help_and_type_once() {
        let latest = ["orders", "shop"].map(|name| {
            let mut values = MetricValues::default();
            values.set(MetricName::Commits, Some(12_345_678_901.0));
            values.set(MetricName::LongestTransaction, (name == "shop").then_some(1.5));
            let reading = Reading { at: DateTime::UNIX_EPOCH, epoch: 1, values };
            LatestReading { id: InstanceId(uuid::Uuid::nil()), name: name.to_owned(), reading }
        });
        let id = uuid::Uuid::nil();
        assert_eq!(
            render(&latest),
            format!(
                "# HELP toygres_postgres_commits_total Transactions that were committed, in all databases of clients.\n\
                 # TYPE toygres_postgres_commits_total counter\n\
                 toygres_postgres_commits_total{{id=\"{id}\",name=\"orders\"}} 12345678901\n\
                 toygres_postgres_commits_total{{id=\"{id}\",name=\"shop\"}} 12345678901\n\
                 # HELP toygres_postgres_longest_transaction_seconds The age of the oldest transaction of a client.\n\
                 # TYPE toygres_postgres_longest_transaction_seconds gauge\n\
                 toygres_postgres_longest_transaction_seconds{{id=\"{id}\",name=\"shop\"}} 1.5\n"
            )
        );
        assert_eq!(render(&[]), "");
    }
}
