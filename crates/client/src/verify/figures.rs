//! Latencies and counters, from what the client measured.

use serde_json::{Map, Value, json};
use strongroom_wire::Layer;

/// One layer of the path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LayerFigures {
    /// Name, as in the API's timeline.
    pub name: &'static str,
    /// Median, microseconds.
    pub p50_us: u64,
    /// 95th percentile, microseconds.
    pub p95_us: u64,
    /// Budget at the 95th percentile, microseconds.
    pub budget_us: u64,
}

/// Figures of the measured transfers: those with a `total_us`, by the client's clock from `POST` to
/// `signed`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    /// Number of measured transfers.
    pub measured: u64,
    /// Median, microseconds.
    pub p50_us: u64,
    /// 95th percentile (nearest rank), microseconds.
    pub p95_us: u64,
    /// Layer by layer.
    pub layers: Vec<LayerFigures>,
    /// Sum of the layers of all transfers, of the sum of the client's totals, per thousand.
    pub layers_cover_permille: u64,
    /// Database commits of all processes for each transfer.
    pub commits_per_intent: Option<f64>,
    /// Syncs to disk for each transfer: the commits, and the bus's.
    pub fsyncs_per_intent: Option<f64>,
}

impl Figures {
    /// As members of the summary line.
    pub(super) fn members(&self) -> Map<String, Value> {
        let ms = |us: u64| us as f64 / 1000.0;
        let layer = |layer: &LayerFigures| {
            let value = json!({
                "p50_ms": ms(layer.p50_us), "p95_ms": ms(layer.p95_us), "budget_ms": ms(layer.budget_us),
            });
            (layer.name.to_owned(), value)
        };
        let layers: Map<String, Value> = self.layers.iter().map(layer).collect();
        let members = [
            ("measured", json!(self.measured)),
            ("p50_ms", json!(ms(self.p50_us))),
            ("p95_ms", json!(ms(self.p95_us))),
            ("layers", Value::Object(layers)),
            (
                "layers_cover",
                json!(self.layers_cover_permille as f64 / 1000.0),
            ),
            ("commits_per_intent", json!(self.commits_per_intent)),
            ("fsyncs_per_intent", json!(self.fsyncs_per_intent)),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// The figures of measured transfers; none when nothing was measured.
pub(super) fn figures(lines: &[(usize, Value)], counters: Option<&Value>) -> Option<Figures> {
    let measured: Vec<Measured<'_>> = lines
        .iter()
        .filter_map(|(_, line)| Measured::of(line))
        .collect();
    if measured.is_empty() {
        return None;
    }

    let totals: Vec<u64> = measured.iter().map(|line| line.total_us).collect();

    let mut layers = Vec::new();
    let mut covered = 0u64;
    let mut layer = |name: &'static str, budget_us: u64, took: Vec<u64>| {
        covered = covered.saturating_add(took.iter().fold(0, |sum, us| sum.saturating_add(*us)));
        if !took.is_empty() {
            let (p50_us, p95_us) = (percentile(&took, 50), percentile(&took, 95));
            layers.push(LayerFigures {
                name,
                p50_us,
                p95_us,
                budget_us,
            });
        }
    };

    // Both ways between client and API are layers too, because the total is measured by the client.
    layer(
        "request",
        EDGE_BUDGET_US,
        measured.iter().filter_map(Measured::request_us).collect(),
    );
    // `received` is where the API's clock starts; the way to it is the layer `request`.
    for known in Layer::ALL.into_iter().skip(1) {
        let took = measured
            .iter()
            .filter_map(|line| took_us(line.timeline, known.name()))
            .collect();
        layer(known.name(), known.budget_us(), took);
    }
    layer(
        "answer",
        EDGE_BUDGET_US,
        measured.iter().filter_map(Measured::answer_us).collect(),
    );

    // Sums are compared, because percentiles do not add up: what is missing of the total is time of
    // no layer.
    let total = totals.iter().fold(0u64, |sum, us| sum.saturating_add(*us));
    let (commits_per_intent, fsyncs_per_intent) = counters.and_then(per_intent).unzip();
    Some(Figures {
        measured: totals.len() as u64,
        p50_us: percentile(&totals, 50),
        p95_us: percentile(&totals, 95),
        layers,
        layers_cover_permille: covered.saturating_mul(1000).checked_div(total).unwrap_or(0),
        commits_per_intent,
        fsyncs_per_intent,
    })
}

/// Budget of each way between client and API: HTTP, the API's queue, and at the end its last
/// commit.
const EDGE_BUDGET_US: u64 = 5_000;

/// One measured transfer.
struct Measured<'a> {
    total_us: u64,
    sent_us: Option<u64>,
    timeline: &'a Value,
}

impl<'a> Measured<'a> {
    fn of(line: &'a Value) -> Option<Self> {
        let sent_us = line.get("sent_us").and_then(Value::as_u64);
        Some(Self {
            total_us: line.get("total_us")?.as_u64()?,
            sent_us,
            timeline: line.get("timeline")?,
        })
    }

    /// From the client's `POST` to the API's first mark.
    fn request_us(&self) -> Option<u64> {
        let received = self.timeline.get("received_us")?.as_u64()?;
        Some(received.saturating_sub(self.sent_us?))
    }

    /// From the API's last mark to the answer in the client's hands.
    fn answer_us(&self) -> Option<u64> {
        let last = self
            .timeline
            .get("layers")?
            .as_array()?
            .last()?
            .get("at_us")?
            .as_u64()?;
        // Both numbers are of the file, whose author may want the sum to overflow.
        let answered = self.sent_us?.saturating_add(self.total_us);
        Some(answered.saturating_sub(last))
    }
}

fn took_us(timeline: &Value, layer: &str) -> Option<u64> {
    let layers = timeline.get("layers")?.as_array()?;
    let found = layers
        .iter()
        .find(|value| value.get("layer").and_then(Value::as_str) == Some(layer))?;
    found.get("took_us")?.as_u64()
}

/// Nearest rank: the smallest value that at least `percent` % of the values do not exceed.
fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();

    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// `{"intents", "before": {"commits": {name: n}, "bus_fsyncs"}, "after": …}` as commits and fsyncs
/// of one intent.
fn per_intent(counters: &Value) -> Option<(f64, f64)> {
    let commits = |when: &str| {
        let all = counters.get(when)?.get("commits")?.as_object()?;
        Some(
            all.values()
                .filter_map(Value::as_u64)
                .fold(0u64, u64::saturating_add),
        )
    };
    let bus = |when: &str| counters.get(when)?.get("bus_fsyncs")?.as_u64();

    let intents = counters
        .get("intents")?
        .as_u64()
        .filter(|intents| *intents > 0)? as f64;

    // Counters run from the start of each process: only the difference belongs to the transfers.
    let commits = commits("after")?.saturating_sub(commits("before")?);
    let bus = bus("after")?.saturating_sub(bus("before")?);

    Some((
        commits as f64 / intents,
        commits.saturating_add(bus) as f64 / intents,
    ))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )]
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let values: Vec<u64> = (1..=200).rev().collect();
        assert_eq!(
            (percentile(&values, 50), percentile(&values, 95)),
            (100, 190)
        );
        assert_eq!((percentile(&[7], 95), percentile(&[], 95)), (7, 0));
    }

    #[test]
    fn both_ways_between_client_and_api_are_layers_too() {
        let timeline = json!({"received_us": 1_002_000, "layers": [{"layer": "api", "took_us": 3_000, "at_us": 1_005_000}]});
        let line = json!({"total_us": 9_000, "sent_us": 1_000_000, "timeline": timeline});
        let figures = figures(&[(1, line)], None).unwrap();
        let layers: Vec<_> = figures
            .layers
            .iter()
            .map(|layer| (layer.name, layer.p50_us))
            .collect();
        assert_eq!(
            layers,
            [("request", 2_000), ("api", 3_000), ("answer", 4_000)]
        );
        assert_eq!(figures.layers_cover_permille, 1000);
    }

    /// The file's author writes any number that JSON can hold.
    #[test]
    fn the_largest_times_are_figures_and_no_panic() {
        let layers = json!([{"layer": "api", "took_us": u64::MAX, "at_us": u64::MAX}]);
        let timeline = json!({"received_us": u64::MAX, "layers": layers});
        let line = json!({"total_us": u64::MAX, "sent_us": u64::MAX, "timeline": timeline});
        let figures = figures(&[(1, line.clone()), (2, line)], None).unwrap();
        assert_eq!(figures.p95_us, u64::MAX);
    }

    #[test]
    fn figures_come_from_measured_lines_only() {
        let timeline = |api: u64| json!({"layers": [{"layer": "api", "took_us": api}, {"layer": "mpc", "took_us": 10_000}]});
        let lines = [
            (1, json!({"total_us": 20_000, "timeline": timeline(8_000)})),
            (2, json!({"total_us": 40_000, "timeline": timeline(26_000)})),
            (3, json!({"total_us": null, "timeline": null})),
        ];
        let counters = json!({
            "intents": 2,
            "before": {"commits": {"api": 10, "journal": 5}, "bus_fsyncs": 3},
            "after": {"commits": {"api": 16, "journal": 9}, "bus_fsyncs": 9},
        });
        let figures = figures(&lines, Some(&counters)).unwrap();
        assert_eq!(
            (figures.measured, figures.p50_us, figures.p95_us),
            (2, 20_000, 40_000)
        );
        assert_eq!(
            figures
                .layers
                .iter()
                .map(|layer| (layer.name, layer.p95_us))
                .collect::<Vec<_>>(),
            [("api", 26_000), ("mpc", 10_000)]
        );
        assert_eq!(figures.layers_cover_permille, 900);
        assert_eq!(
            (figures.commits_per_intent, figures.fsyncs_per_intent),
            (Some(5.0), Some(8.0))
        );
        assert!(super::figures(&lines[2..], None).is_none());
    }
}
