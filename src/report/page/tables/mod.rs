//! The tables of a page: the exported tables, rounded for reading and arranged to fit.

mod audits;
mod csv;
mod grid;
mod images;
mod others;

use maud::{Markup, html};

use self::csv::Csv;
use super::ExportedTable;
use crate::session::Session;
use crate::session::config::Analysis as Plan;
use crate::session::record::{
    Attack, Audit, Backdoor, Modulation, Predictions, SpikeTriggered, Templates,
};

pub(super) use grid::{Grid, GridCell};

/// The tables of one experiment.
#[derive(Debug, Clone, Default)]
struct TableSection {
    title: String,
    main: Vec<Grid>,
    more: Vec<Grid>,
}

impl TableSection {
    fn new(title: &str, main: Vec<Grid>, more: Vec<Grid>) -> Self {
        Self {
            title: title.to_owned(),
            main,
            more,
        }
    }

    /// Drops tables without rows; `None` if none are left.
    fn filled(mut self) -> Option<Self> {
        self.main.retain(|grid| !grid.rows.is_empty());
        self.more.retain(|grid| !grid.rows.is_empty());
        (!(self.main.is_empty() && self.more.is_empty())).then_some(self)
    }
}

/// The exported tables by name.
#[derive(Debug, Clone, Copy)]
struct Exported<'a>(&'a [ExportedTable<'a>]);

impl<'a> Exported<'a> {
    /// A table; without rows if there is none of this name.
    fn get(&self, name: &str) -> Csv<'a> {
        let found = self.0.iter().find(|(existing, _)| *existing == name);
        Csv::new(found.map_or("", |(_, text)| text))
    }

    /// The table of experiment number `nth` of its kind, from 0: `attack`, `attack_2`, …
    fn nth(&self, name: &str, nth: usize) -> Csv<'a> {
        match nth {
            0 => self.get(name),
            _ => self.get(&format!("{name}_{}", nth + 1)),
        }
    }
}

/// The chapter.
pub(super) fn chapter(session: &Session, tables: &[ExportedTable<'_>]) -> Markup {
    let groups = groups(session, Exported(tables));
    html! {
        p {
            "Numbers are rounded here. All of them, unrounded: "
            code { "noisescope export " (session.name) " --format csv" } "."
        }
        @for (index, group) in groups.iter().enumerate() {
            h3 { (group.title) }
            @for (nth, grid) in group.main.iter().enumerate() {
                (grid.markup(&format!("table-{index}-{nth}")))
            }
            @if !group.more.is_empty() {
                details {
                    summary { "More tables: " (group.title) }
                    @for (nth, grid) in group.more.iter().enumerate() {
                        (grid.markup(&format!("table-{index}-more-{nth}")))
                    }
                }
            }
        }
    }
}

fn groups(session: &Session, tables: Exported<'_>) -> Vec<TableSection> {
    let record = &session.record;
    let mut all = vec![others::training(&tables.get("training"))];
    all.extend(images::groups(
        session,
        &tables.get("classification_images"),
    ));
    for (nth, _) in record.all::<Templates>().enumerate() {
        let grid = others::templates(&tables.nth("templates", nth));
        all.push(titled("Templates", nth, vec![grid], Vec::new()));
    }
    for (nth, (_, attack)) in record.all::<Attack>().enumerate() {
        let more = others::attack_by_target(record, attack, &tables.nth("attack", nth));
        all.push(titled("Attack", nth, others::attack(attack), more));
    }
    for (nth, (_, spikes)) in record.all::<SpikeTriggered>().enumerate() {
        let grid = others::layers(spikes, &tables.nth("spike_triggered", nth));
        all.push(titled(
            "Spike-triggered averages",
            nth,
            vec![grid],
            Vec::new(),
        ));
    }
    for (nth, _) in record.all::<Modulation>().enumerate() {
        let (main, more) = others::modulation(record, &tables.nth("modulation", nth));
        all.push(titled("Modulation", nth, main, more));
    }
    for (nth, _) in record.all::<Predictions>().enumerate() {
        let main = others::predictions(record, &tables.nth("predictions", nth));
        all.push(titled("Predictions", nth, main, Vec::new()));
    }
    for (nth, (index, audit)) in record.all::<Audit>().enumerate() {
        if let Some(Plan::Audit(plan)) = session.config.analyses.get(index) {
            let main = audits::audit(record, audit, plan, &tables.nth("audit", nth));
            all.push(titled("Audit", nth, main, Vec::new()));
        }
    }
    for (nth, _) in record.all::<Backdoor>().enumerate() {
        let main = vec![audits::networks(&tables.nth("backdoor_networks", nth))];
        let more = vec![audits::windows(&tables.nth("backdoor", nth))];
        all.push(titled("Backdoor study", nth, main, more));
    }
    all.into_iter().filter_map(TableSection::filled).collect()
}

/// The tables of an experiment, numbered if it is not the first of its kind.
fn titled(title: &str, nth: usize, main: Vec<Grid>, more: Vec<Grid>) -> TableSection {
    let title = match nth {
        0 => title.to_owned(),
        nth => format!("{title}, {}", nth + 1),
    };
    let captioned = |mut grid: Grid| {
        if nth > 0 {
            grid.caption = format!("{} ({})", grid.caption, nth + 1);
        }
        grid
    };
    TableSection {
        title,
        main: main.into_iter().map(captioned).collect(),
        more: more.into_iter().map(captioned).collect(),
    }
}
