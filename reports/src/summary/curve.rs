//! Latency distributions of a scenario, merged over the compared trials.

use hdrhistogram::Histogram;
use report_schema::{Latency, LatencyKind, Placement, Role, RoleResult};

use crate::load::{self, HistogramError};
use crate::summary::CellSummary;

/// One distribution: one end of one cell, over all compared trials.
#[derive(Debug)]
pub struct Curve {
    /// Cell and role in words.
    pub label: String,
    /// Who timed it.
    pub role: Role,
    /// What was timed.
    pub kind: LatencyKind,
    /// The merged distribution in nanoseconds.
    pub histogram: Histogram<u64>,
}

/// The distributions of one scenario.
#[derive(Debug, Default)]
pub struct Curves {
    /// Those that fit the limit.
    pub curves: Vec<Curve>,
    /// How many distributions the limit left out.
    pub omitted: usize,
    /// Histograms that could not be read, each with its reason.
    pub unreadable: Vec<String>,
}

/// How much is told apart: everything, or less so that the plot stays readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Each role for itself, service time beside latency.
    EachRole,
    /// All roles of one end together, service time beside latency.
    EachEnd,
    /// All roles of one end together, latency only.
    LatencyOnly,
}

impl Curves {
    /// The distributions of these cells, told apart as finely as the limit allows.
    #[must_use]
    pub fn of(cells: &[&CellSummary<'_>], limit: usize) -> Self {
        let mut curves = Self::default();
        for shown in [Shown::EachRole, Shown::EachEnd, Shown::LatencyOnly] {
            curves = Self::shown(cells, shown);
            if curves.curves.len() <= limit {
                return curves;
            }
        }
        curves.omitted = curves.curves.len() - limit;
        curves.curves.truncate(limit);
        curves
    }

    /// The distributions of these cells, told apart as asked.
    #[must_use]
    pub fn shown(cells: &[&CellSummary<'_>], shown: Shown) -> Self {
        let mut curves = Self::default();
        for summary in cells {
            curves.add_cell(summary, shown, cells.len() > 1);
        }
        curves
    }

    fn add_cell(&mut self, summary: &CellSummary<'_>, shown: Shown, several_cells: bool) {
        let first = self.curves.len();
        for role in summary.judged.iter().flat_map(|trial| &trial.roles) {
            let service = role.service.as_ref().filter(|_| shown != Shown::LatencyOnly);
            for latency in role.latency.iter().chain(service) {
                let mut label = role_label(role, shown);
                if several_cells {
                    label = format!("{}, {label}", summary.label());
                }
                if summary.class == Placement::Far {
                    label.push_str(", cores far");
                }
                if let Err(error) = self.add(first, (label, role.role), latency) {
                    let cell = &summary.cell.id;
                    let role = role_label(role, Shown::EachRole);
                    self.unreadable.push(format!("the histogram of {cell}, {role}: {error}"));
                }
            }
        }
    }

    fn add(
        &mut self,
        first: usize,
        (label, role): (String, Role),
        latency: &Latency,
    ) -> Result<(), HistogramError> {
        let histogram = load::histogram(&latency.histogram)?;
        let same = |curve: &&mut Curve| curve.label == label && curve.kind == latency.kind;
        let merged = if let Some(curve) = self.curves.iter_mut().skip(first).find(same) {
            &mut curve.histogram
        } else {
            let empty = Histogram::new(histogram.sigfig())
                .map_err(|error| HistogramError::Format(error.to_string()))?;
            let kind = latency.kind;
            &mut self.curves.push_mut(Curve { label, role, kind, histogram: empty }).histogram
        };
        merged.add(&histogram).map_err(|error| HistogramError::Merge(error.to_string()))
    }
}

fn role_label(role: &RoleResult, shown: Shown) -> String {
    match (role.role, shown) {
        (Role::Producer, _) => "producer".to_owned(),
        (Role::Consumer, Shown::EachRole) => format!("consumer {}", role.index),
        (Role::Consumer, _) => "consumers".to_owned(),
    }
}
