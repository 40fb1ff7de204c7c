//! Checking a device against the reference: noise bit for bit, logits up to their last digits, sums
//! up to ties, and the same bits twice.

use std::collections::BTreeSet;

use super::choice::DeviceKind;
use super::numerics;
use super::seat::Seat;
use super::speed;
use crate::analysis::classification_images::ClassificationImages;
use crate::analysis::{AnalysisPlace, Experiment, Job, Lab, Launches};
use crate::engine::fault::catch_panic;
use crate::ids::{BlockIndex, Gamma};
use crate::nets::decision;
use crate::session::Config;
use crate::session::config::{self, Gaussian, NetworkKind, Noise};
use crate::session::record::{self, BlockSums, GammaTrials, Record};
use crate::stats::classification::GRID_CENTRE;
use crate::stimulus::launch::{DeviceData, LaunchSource, Slot};
use crate::stimulus::{self, NoiseSource};
use burn::tensor::DType;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCheck {
    /// What was checked, for example `noise uniform, γ 0.3`.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// Details of the result.
    pub words: String,
}

/// Blocks per launch if the device is not fed, launches, and trials per block in the checks.
const BLOCKS: usize = 8;
const LAUNCHES: u64 = 3;
const TRIALS: usize = 250;

/// Largest allowed difference of logits relative to the largest of them: in float32, and in TF32.
const DIGITS: f32 = 1e-4;
const DIGITS_OF_TF32: f32 = 2e-2;

/// Allowed share of trials whose decision differs because of near-ties: in float32, and in TF32.
const TIES: f64 = 1e-3;
const TIES_OF_TF32: f64 = 2e-2;

/// The origin of the checks' noise.
const PLACE: AnalysisPlace = AnalysisPlace {
    seed: 20,
    index: 0,
    images: None,
    gammas: 0,
    evidence: false,
};

/// Checks a device with these networks, untrained, and reports each result.
pub fn verify(seat: &Seat, networks: &[NetworkKind], report: &mut dyn FnMut(DeviceCheck)) {
    seat.prepare_thread();
    let mut check = |name: String, compute: &dyn Fn() -> Result<String, String>| {
        let result = catch_panic(compute)
            .unwrap_or_else(|message| Err(super::diagnosis::user_message(&message)));
        let ok = result.is_ok();
        let words = result.unwrap_or_else(|words| words);
        report(DeviceCheck { name, ok, words });
    };
    let (drawing, why) = seat.noise_backend();
    let how = match (drawing.kernels, why) {
        (Some(_), _) => "by its own kernels".to_owned(),
        (None, Some(why)) => why,
        (None, None) => "by the processor".to_owned(),
    };
    let kinds = [
        ("uniform", Noise::Uniform),
        ("gaussian", Noise::Gaussian(Gaussian::default())),
        ("binary", Noise::Binary),
        ("patch", Noise::Patch),
        ("gabor", Noise::Gabor),
        ("pca", Noise::Pca),
    ];
    for (label, noise) in kinds {
        for gamma in [Gamma::NOISE, Gamma(0.3)] {
            check(format!("noise {label}, γ {gamma}"), &|| {
                let lab = lab(NetworkKind::Logistic, seat)?;
                draw(&lab, noise, gamma, drawing, &how)
            });
        }
    }
    for &kind in networks {
        check(format!("logits of {}", kind.label()), &|| {
            logits(&lab(kind, seat)?, &reference(kind)?)
        });
        check(format!("sums of {}", kind.label()), &|| {
            let mut lab = lab(kind, seat)?;
            lab.resident = lab.resident.with_noise_backend(drawing);
            sums(&lab, &reference(kind)?, seat)
        });
    }
}

fn lab(kind: NetworkKind, seat: &Seat) -> Result<Lab, String> {
    speed::untrained_lab(kind, seat).map_err(|error| error.to_string())
}

/// The same lab on Burn's backend in pure Rust.
fn reference(kind: NetworkKind) -> Result<Lab, String> {
    let seat = Seat {
        device: DeviceKind::Flex.handle(),
        name: DeviceKind::Flex.to_string(),
        kind: DeviceKind::Flex,
        blocks: 1,
        threads: 1,
        max_images: usize::MAX,
    };
    lab(kind, &seat)
}

/// Compares noise and stimuli of a launch with those drawn by the processor.
fn draw(
    lab: &Lab,
    noise: Noise,
    gamma: Gamma,
    drawing: stimulus::launch::NoiseBackend,
    how: &str,
) -> Result<String, String> {
    let source = NoiseSource::new(noise, &lab.dataset.train);
    let resident = DeviceData::default().with_noise_backend(drawing);
    let launch = LaunchSource::new(&source, gamma, TRIALS, &lab.pool, &resident, &lab.device);
    let slot = |block: BlockIndex| Slot {
        seed: PLACE.noise_seed(0, block),
        first: block.0 * TRIALS as u64,
        // The last one is short.
        trials: if block.0 + 1 == BLOCKS as u64 {
            TRIALS / 3
        } else {
            TRIALS
        },
    };
    let slots: Vec<Slot> = BlockIndex::first(BLOCKS as u64).map(slot).collect();
    let drawn = launch.draw(&slots);
    launch.check();
    let noise: Vec<i64> = drawn
        .noise
        .cast(DType::I64)
        .into_data()
        .try_into_vec()
        .map_err(|error| format!("{error:?}"))?;
    let stimuli = crate::nets::read_back(drawn.stimuli);
    let (points, numbers) = (source.points(), lab.form.pixels());
    for (block, slot) in slots.iter().enumerate() {
        let expected = stimulus::draw(
            slot.seed,
            &source,
            gamma,
            slot.first,
            slot.trials,
            &lab.pool,
        );
        let drawn = &noise[block * TRIALS * points..][..slot.trials * points];
        let pairs = drawn.iter().zip(&expected.noise);
        if let Some(point) = pairs
            .into_iter()
            .position(|(&z, &k)| z + GRID_CENTRE != i64::from(k))
        {
            return Err(format!(
                "block {block}, trial {}, point {}: differs from the processor's",
                point / points,
                point % points
            ));
        }
        let drawn = &stimuli[block * TRIALS * numbers..][..slot.trials * numbers];
        let pairs = drawn.iter().zip(&expected.stimuli);
        let differs = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits();
        if let Some(number) = pairs.into_iter().position(differs) {
            return Err(format!(
                "block {block}, trial {}, number {}: the stimulus differs from the processor's",
                number / numbers,
                number % numbers
            ));
        }
    }
    let trials: usize = slots.iter().map(|slot| slot.trials).sum();
    Ok(format!("{trials} trials identical, drawn {how}"))
}

/// The allowed differences of logits and of decisions.
fn allowed() -> (f32, f64) {
    match numerics::is_tf32() {
        true => (DIGITS_OF_TF32, TIES_OF_TF32),
        false => (DIGITS, TIES),
    }
}

/// Compares the logits of both on the same stimuli.
fn logits(lab: &Lab, reference: &Lab) -> Result<String, String> {
    let source = NoiseSource::new(Noise::Uniform, &lab.dataset.train);
    let drawn = stimulus::draw(
        PLACE.noise_seed(0, BlockIndex(0)),
        &source,
        Gamma(0.3),
        0,
        4 * TRIALS,
        &lab.pool,
    );
    let ours = lab.network.logits(drawn.stimuli.clone(), &lab.device);
    let theirs = reference.network.logits(drawn.stimuli, &reference.device);
    if ours.len() != theirs.len() {
        return Err(format!("{} logits instead of {}", ours.len(), theirs.len()));
    }
    let most = theirs
        .iter()
        .fold(0.0_f32, |most, logit| most.max(logit.abs()));
    let pairs = || ours.iter().zip(&theirs);
    let worst = largest(pairs().map(|(a, b)| (a - b).abs())) / most;
    let (digits, _) = allowed();
    let rows = lab.network.rows(&ours).zip(reference.network.rows(&theirs));
    let other = rows.filter(|(a, b)| {
        let (ours, theirs) = (decision(a), decision(b));
        b[theirs] - b[ours] > 2.0 * digits * most
    });
    let other = other.count();
    let words = format!(
        "differ by at most {worst:.1e} of the largest; {other} decisions differ, not counting ties"
    );
    // A NaN fails this comparison.
    match worst <= digits && other == 0 {
        true => Ok(words),
        false => Err(words),
    }
}

/// The largest of these numbers, or NaN if any is.
fn largest(numbers: impl Iterator<Item = f32>) -> f32 {
    numbers.fold(0.0, |largest, number| match number <= largest {
        true => largest,
        false if largest.is_nan() => largest,
        false => number,
    })
}

/// Compares the sums of some launches with the reference and with a second run.
fn sums(lab: &Lab, reference: &Lab, seat: &Seat) -> Result<String, String> {
    let launch = seat.is_fed().then_some(seat.blocks);
    let blocks = LAUNCHES * launch.unwrap_or(BLOCKS) as u64;
    let first = measured(lab, launch, blocks)?;
    let again = measured(lab, launch, blocks)?;
    let expected = measured(reference, None, blocks)?;
    if first != again {
        return Err("two runs differ".into());
    }
    let cells = first.counts.iter().zip(&expected.counts);
    let moved: u64 = cells.map(|(&a, &b)| a.abs_diff(b)).sum::<u64>() / 2;
    let (_, ties) = allowed();
    if moved as f64 > ties * first.trials as f64 {
        return Err(format!("{moved} of {} decisions differ", first.trials));
    }
    // Every trial adds its noise to the sums of its true class, whatever the decision.
    let m = first.listed.len();
    let shown = |trials: &GammaTrials| -> Vec<i64> {
        let points: usize = trials.shape().iter().product();
        let half = 3 * m * points;
        let halves = trials.noise.values().chunks_exact(half);
        halves
            .flat_map(|half| half[m * points..2 * m * points].to_vec())
            .collect()
    };
    if shown(&first) != shown(&expected) {
        return Err("the sums of the noise by true class differ".into());
    }
    Ok(format!(
        "{} trials, the same bits twice; {moved} decisions differ from flex",
        first.trials
    ))
}

/// The results of blocks, computed in launches of this size or one by one.
fn measured(lab: &Lab, launch: Option<usize>, blocks: u64) -> Result<GammaTrials, String> {
    let plan = config::ClassificationImages {
        gammas: vec![Gamma(0.3)],
        trials: blocks * TRIALS as u64,
        block: TRIALS,
        ..Default::default()
    };
    let mut analysis = ClassificationImages::new(plan, PLACE, lab);
    let nothing = Record::new(&Config::default());
    let mut record = record::ClassificationImages::default();
    let problem = |error: crate::analysis::AnalysisError| error.to_string();
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record).map_err(problem)?;
    let mut trials = record.gammas.swap_remove(0);
    let each = launch.unwrap_or(1);
    let launches = launch.and_then(|blocks| Experiment::launches(&analysis, lab, 0, blocks));
    let Some(mut launches) = launches else {
        for block in BlockIndex::first(blocks) {
            let sums =
                Experiment::step(&analysis, lab, Job::single_block(0, block)).map_err(problem)?;
            sums.iter().for_each(|sums| trials.add(sums));
        }
        return Ok(trials);
    };
    for block in BlockIndex::first(blocks).step_by(each) {
        launches.launch(Job {
            sequence: 0,
            block,
            blocks: each as u64,
        });
    }
    read(&mut *launches, &mut trials)?;
    Ok(trials)
}

/// Reads the sums of launches and adds them to `trials`.
fn read(launches: &mut dyn Launches, trials: &mut GammaTrials) -> Result<(), String> {
    let sums = launches.read().ok_or("an output was not a number")?;
    let sums = sums
        .downcast::<Vec<BlockSums>>()
        .map_err(|_| "sums of another kind".to_owned())?;
    sums.iter().for_each(|sums| trials.add(sums));
    Ok(())
}

/// The built-in networks to check: the named ones, or all kinds if none is named, each once.
pub fn networks(named: &[NetworkKind]) -> Vec<NetworkKind> {
    let mut labels = BTreeSet::new();
    let all = match named.is_empty() {
        true => &NetworkKind::ALL[..],
        false => named,
    };
    all.iter()
        .copied()
        .filter(|kind| *kind != NetworkKind::Onnx && labels.insert(kind.label()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the reference itself, in launches as on a GPU.
    #[test]
    fn the_reference_agrees_with_itself_in_launches() {
        let seat = Seat {
            device: DeviceKind::Flex.handle(),
            name: "flex".into(),
            kind: DeviceKind::Flex,
            blocks: BLOCKS,
            threads: 1,
            max_images: usize::MAX,
        };
        let mut checks = Vec::new();
        verify(&seat, &[NetworkKind::Logistic], &mut |check| {
            checks.push(check)
        });
        assert_eq!(checks.len(), 14);
        for check in checks {
            assert!(check.ok, "{}: {}", check.name, check.words);
        }
    }

    #[test]
    fn a_number_that_is_none_is_the_largest_wherever_it_stands() {
        assert_eq!(largest([0.5, 2.0, 1.0].into_iter()), 2.0);
        for at in 0..3 {
            let mut numbers = [0.5, 2.0, 1.0];
            numbers[at] = f32::NAN;
            assert!(largest(numbers.into_iter()).is_nan(), "{at}");
        }
    }

    #[test]
    fn a_different_network_is_detected() {
        let lab = reference(NetworkKind::Logistic).unwrap();
        let mut other = lab.clone();
        let ports = crate::nets::NetworkShape::from(&*lab.form);
        other.network =
            crate::nets::Subject::untrained(NetworkKind::Logistic, ports, 2, &lab.device).unwrap();
        assert!(logits(&other, &lab).is_err());
    }
}
