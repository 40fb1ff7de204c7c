//! The tables of classes at every γ, one for each response.

use super::csv::{Csv, CsvRow};
use super::{Grid, GridCell, TableSection};
use crate::figure::choice;
use crate::figure::choice::reliability_text;
use crate::figure::wording::bare_class_name;
use crate::format::{gamma, number, percent, reliability, thousands};
use crate::report::page::responses;
use crate::session::Session;
use crate::session::config::{Analysis as Plan, Response};
use crate::session::record::{ClassificationImages, GammaTrials, Record};

/// The tables for each of the plan's classification images.
pub(super) fn groups(session: &Session, csv: &Csv<'_>) -> Vec<TableSection> {
    let record = &session.record;
    let mut rows = csv.rows();
    let mut groups = Vec::new();
    for (nth, (index, images)) in record.all::<ClassificationImages>().enumerate() {
        let noise = match session.config.analyses.get(index) {
            Some(Plan::ClassificationImages(plan)) => plan.noise.label(),
            _ => "",
        };
        let name = match nth {
            0 => format!("{noise} noise"),
            nth => format!("{noise} noise ({})", nth + 1),
        };
        let (mut main, mut more) = (Vec::new(), Vec::new());
        for trials in images.gammas.iter().filter(|trials| trials.trials > 0) {
            // The exported rows are in the same order.
            let rows: Vec<CsvRow<'_>> = rows.by_ref().take(trials.classes()).collect();
            for by in responses(images) {
                let grid = of_gamma(record, trials, &rows, by, &name);
                match shows_most(images, trials, by) {
                    true => main.push(grid),
                    false => more.push(grid),
                }
            }
        }
        groups.push(TableSection::new(&format!("Classes, {name}"), main, more));
    }
    groups
}

/// Whether this γ shows the most classes for a response.
fn shows_most(images: &ClassificationImages, trials: &GammaTrials, by: Response) -> bool {
    let most = images
        .gammas
        .get(choice::best_gamma_index_overall(images, by));
    most.is_some_and(|most| most.gamma == trials.gamma)
}

fn of_gamma(
    record: &Record,
    trials: &GammaTrials,
    rows: &[CsvRow<'_>],
    by: Response,
    name: &str,
) -> Grid {
    let caption = format!(
        "By {}: {}s at γ {}, {name}, {} trials",
        by.label(),
        by.image_label(),
        gamma(trials.gamma),
        thousands(trials.trials_of(by))
    );
    let columns = [
        "class",
        "called",
        "share",
        "R",
        "95 % of R",
        "SNR",
        "significant values",
        "fed back: called",
    ];
    let mut grid = Grid::new(caption, &columns);
    let keys = match by {
        Response::Decision => Keys {
            reliability: "reliability",
            ends: ["reliability_low", "reliability_high"],
            snr: "snr",
            significant: "significant_pixels",
            class: "fed_back_class",
            confidence: "fed_back_confidence",
        },
        Response::Evidence => Keys {
            reliability: "evidence_reliability",
            ends: ["evidence_low", "evidence_high"],
            snr: "evidence_snr",
            significant: "evidence_significant_pixels",
            class: "evidence_fed_back_class",
            confidence: "evidence_fed_back_confidence",
        },
    };
    for row in rows {
        grid.row(cells(record, row, &keys));
    }
    grid
}

/// The exported columns for one response.
struct Keys {
    reliability: &'static str,
    ends: [&'static str; 2],
    snr: &'static str,
    significant: &'static str,
    class: &'static str,
    confidence: &'static str,
}

fn cells(record: &Record, row: &CsvRow<'_>, keys: &Keys) -> Vec<GridCell> {
    let called = row.whole("called");
    let share = called.zip(row.whole("trials")).filter(|(_, all)| *all > 0);
    let r = row.real(keys.reliability).map(reliability_text);
    // If there is a map, its significant pixels have been counted.
    let r = match (r, row.whole(keys.significant)) {
        (Some(r), _) => GridCell::Number(r),
        (None, Some(_)) => GridCell::Nothing,
        (None, None) if !row.is("listed") => GridCell::Words("not requested".into()),
        (None, None) => GridCell::Words("insufficient".into()),
    };
    let [low, high] = keys.ends.map(|end| row.real(end).map(reliability));
    let ends = low.zip(high).map(|(low, high)| format!("{low} to {high}"));
    let back = row.class(keys.class).map(|class| {
        let name = bare_class_name(record, class);
        let sure = row.real(keys.confidence);
        sure.map_or(name.clone(), |sure| format!("{name} ({sure:.2})"))
    });
    vec![
        GridCell::Words(match row.class("class") {
            Some(class) => bare_class_name(record, class),
            None => row.text("name").to_owned(),
        }),
        GridCell::number(called.map(thousands)),
        GridCell::number(share.map(|(called, all)| percent(called as f64 / all as f64))),
        r,
        GridCell::number(ends),
        GridCell::number(row.real(keys.snr).map(number)),
        GridCell::number(row.whole(keys.significant).map(thousands)),
        back.map_or(GridCell::Nothing, GridCell::Words),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Sheet;
    use crate::figure::{self, Figure};
    use crate::report::tests::measured;
    use crate::session::config::Weighting;
    use crate::session::record::Analysis;

    #[test]
    fn classes_have_their_numbers_or_say_that_trials_are_insufficient() {
        let session = measured();
        let mut text = "noise,gamma,class,name,trials,called,listed,sufficient,reliability,snr,significant_pixels,\
                        fed_back_class,fed_back_name,fed_back_confidence\n"
            .to_owned();
        text += "uniform,0,0,0,480,240,true,true,0.9512,1.25,84,1,1,\n";
        text += "uniform,0,1,1,480,240,true,true,0.5,0.125,3,1,1,0.75\n";
        (2..10).for_each(|class| {
            text += &format!("uniform,0,{class},{class},480,0,true,false,,,,,,\n")
        });
        let groups = groups(&session, &Csv::new(&text));
        assert_eq!(groups.len(), 1);
        let grid = &groups[0].main[0];
        assert_eq!(
            grid.caption,
            "By decisions: classification images at γ 0.0, uniform noise, 480 trials"
        );
        let number = |text: &str| GridCell::Number(text.to_owned());
        assert_eq!(grid.rows.len(), 10);
        assert_eq!(
            grid.rows[1],
            [
                GridCell::Words("1".into()),
                number("240"),
                number("50.0 %"),
                number("0.50"),
                GridCell::Nothing,
                number("0.125"),
                number("3"),
                GridCell::Words("1 (0.75)".into()),
            ]
        );
        assert_eq!(grid.rows[0][7], GridCell::Words("1".into()));
        assert_eq!(grid.rows[9][3], GridCell::Words("insufficient".into()));
        assert!(groups[0].more.is_empty());
    }

    #[test]
    fn trials_that_do_not_count_are_not_among_those_of_decisions() {
        let mut session = measured();
        if let Plan::ClassificationImages(plan) = &mut session.config.analyses[0] {
            plan.weighting = Weighting::Threshold(0.9);
        }
        let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        images.gammas[0].trials += 20;
        images.gammas[0].dropped += 20;
        let trials = images.gammas[0].clone();
        for (by, words) in [
            (Response::Decision, "noise, 480 trials"),
            (Response::Evidence, "noise, 500 trials"),
        ] {
            let grid = of_gamma(&session.record, &trials, &[], by, "uniform noise");
            assert!(grid.caption.ends_with(words), "{}", grid.caption);
        }
        let maps = Figure::Maps {
            response: Some(Response::Decision),
            images: 0,
            gamma: Some(trials.gamma),
        };
        let drawing = figure::draw(&session, &maps, Sheet::DOUBLE).unwrap();
        let words = "from 480 of 500 trials of uniform noise (confidence at least 0.9);";
        assert!(drawing.caption.contains(words), "{}", drawing.caption);
        let page = crate::report::summary(&session);
        assert!(page.contains("500 of 480 trials, 480 count"), "{page}");
    }

    #[test]
    fn a_reliability_by_decisions_has_its_interval() {
        let session = measured();
        let mut tables = crate::export::tables(&session).into_iter();
        let table = tables.find(|(name, _)| name == "classification_images");
        let text = table.unwrap().1.into_text();
        let groups = groups(&session, &Csv::new(&text));
        let images = session.record.classification_images().unwrap();
        let estimate = images.gammas[0].estimate();
        let map = estimate.classes[0].decision.as_ref().unwrap();
        let [low, high] = map.reliability_interval.unwrap().map(reliability);
        assert_eq!(
            groups[0].main[0].rows[0][4],
            GridCell::Number(format!("{low} to {high}"))
        );
    }
}
