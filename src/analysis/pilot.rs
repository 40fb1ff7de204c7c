//! Pilot run: a few noise trials at several grains, to forecast how many trials reliable maps would
//! take at each.

use std::time::{Duration, Instant};

use super::classification_images::ClassificationImages;
use super::{AnalysisError, AnalysisPlace, Experiment, Job, Lab};
use crate::ids::{BlockIndex, Gamma};
use crate::session::config::{self, Config, Grain, Response};
use crate::session::record::{self, Record};
use crate::stats::classification::TARGET_RELIABILITY;
use crate::stats::grain::{GrainForecast, forecast};

/// Trials per grain.
pub const TRIALS: u64 = 1000;

/// Longest time per grain: a slow network is shown fewer trials.
const TIME: Duration = Duration::from_secs(12);

/// The grains tried.
const CELLS: [usize; 4] = [1, 2, 4, 8];

/// Fewest rows and columns of a useful grid.
const LEAST: usize = 4;

/// Shows the lab's network noise at γ = `gamma` at each grain that fits its images, and makes a forecast
/// from the evidence images.
///
/// # Errors
/// If the plan cannot be run, or the device fails.
pub fn run_pilot(lab: &Lab, gamma: Gamma, seed: u64) -> Result<Vec<GrainForecast>, AnalysisError> {
    let [_, height, width] = lab.form.shape();
    let fits = |cell: &usize| *cell == 1 || height.min(width) / cell >= LEAST;
    let cells = CELLS.into_iter().filter(fits);
    let all = cells.map(|cell| of_cell(lab, gamma, seed, cell));
    let all = all.collect::<Result<Vec<Option<GrainForecast>>, AnalysisError>>()?;
    Ok(all.into_iter().flatten().collect())
}

fn of_cell(
    lab: &Lab,
    gamma: Gamma,
    seed: u64,
    cell: usize,
) -> Result<Option<GrainForecast>, AnalysisError> {
    let plan = config::ClassificationImages {
        gammas: vec![gamma],
        trials: TRIALS,
        block: TRIALS as usize / 8,
        cell,
        ..Default::default()
    };
    let (parts, grain) = (plan.blocks_at(gamma), Grain { cell, grey: false });
    // A separate noise stream: no analysis of a plan has this index.
    let place = AnalysisPlace {
        seed,
        index: usize::MAX >> 1,
        images: None,
        gammas: 0,
        evidence: false,
    };
    let mut analysis = ClassificationImages::new(plan, place, lab);
    let mut record = record::ClassificationImages::default();
    let nothing = Record::new(&Config::default());
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record)?;
    let began = Instant::now();
    for block in BlockIndex::first(parts) {
        let job = Job::single_block(0, block);
        let sums = Experiment::step(&analysis, lab, job)?;
        Experiment::merge(&analysis, &mut record, job, sums);
        // Stop after an odd block, so that both halves of the trials have the same size.
        if block.0 % 2 == 1 && began.elapsed() > TIME {
            break;
        }
    }
    let trials = record.gammas[0].trials;
    let per_second = trials as f64 / began.elapsed().as_secs_f64().max(1e-9);
    let estimate = record.gammas[0].estimate();
    let maps = estimate
        .classes
        .iter()
        .filter_map(|class| class.evidence.as_ref());
    let ratios: Vec<f64> = maps
        .map(|map| map.snr)
        .filter(|snr| snr.is_finite())
        .collect();
    let points = grain.grid(lab.form.shape()).iter().product();
    Ok(forecast(
        (cell, points),
        (trials, estimate.fitted_trials(Response::Evidence)),
        &ratios,
        TARGET_RELIABILITY,
        per_second,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::template_lab;

    #[test]
    fn a_linear_network_is_forecast_at_every_grain() {
        let all = run_pilot(&template_lab(), Gamma::NOISE, 1).unwrap();
        let cells: Vec<usize> = all.iter().map(|forecast| forecast.cell).collect();
        assert_eq!(cells, [1, 2, 4]);
        // y = w·z: the ratio is N/P, so that R 0.95 takes 19·784 trials.
        let needed = all[0].needed.unwrap() as f64 / (19.0 * 784.0);
        assert!((0.8..1.25).contains(&needed), "{needed}");
        assert!(all.windows(2).all(|pair| pair[1].needed < pair[0].needed));
    }
}
