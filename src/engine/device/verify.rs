//! Whether a device computes what the reference computes: noise to the bit, logits but for their last digits, sums
//! but for ties, and the same bits twice.

use std::collections::BTreeSet;

use super::choice::Kind;
use super::numerics;
use super::seat::Seat;
use super::trial;
use crate::analysis::classification_images::ClassificationImages;
use crate::analysis::{Experiment, Job, Lab, Launches, Place};
use crate::engine::fault::guarded;
use crate::nets::decision;
use crate::session::Config;
use crate::session::config::{self, Gaussian, NetworkKind, Noise};
use crate::session::record::{self, BlockSums, GammaTrials, Record};
use crate::stats::classification::CENTRE;
use crate::stimulus::launch::{Launch, Resident, Slot};
use crate::stimulus::{self, Source};
use burn::tensor::DType;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What, for example `noise uniform, γ 0.3`.
    pub name: String,
    /// Whether it is as it must be.
    pub ok: bool,
    /// What was found.
    pub words: String,
}

/// Blocks of a launch where a device is not fed, launches, and trials of a block that are compared.
const BLOCKS: usize = 8;
const LAUNCHES: u64 = 3;
const TRIALS: usize = 250;

/// Most that logits may differ by, in units of the largest of them: of 32 bits, and of TF32.
const DIGITS: f32 = 1e-4;
const DIGITS_OF_TF32: f32 = 2e-2;

/// Share of the trials whose decision may differ since two logits are all but equal: of 32 bits, and of TF32.
const TIES: f64 = 1e-3;
const TIES_OF_TF32: f64 = 2e-2;

/// Where the noise of the checks comes from.
const PLACE: Place = Place {
    seed: 20,
    index: 0,
    images: None,
    gammas: 0,
    evidence: false,
};

/// Looks at a device with these networks, untrained, and tells what it finds, one thing after another.
pub fn verify(seat: &Seat, networks: &[NetworkKind], tell: &mut dyn FnMut(Check)) {
    seat.prepare_thread();
    let mut look = |name: String, found: &dyn Fn() -> Result<String, String>| {
        let found = guarded(found).unwrap_or_else(|said| Err(super::trouble::told(&said)));
        let ok = found.is_ok();
        let words = found.unwrap_or_else(|words| words);
        tell(Check { name, ok, words });
    };
    let (drawing, why) = seat.drawing();
    let how = match (drawing.kernels, why) {
        (Some(_), _) => "by kernels of its own".to_owned(),
        (None, Some(why)) => why,
        (None, None) => "by the processor".to_owned(),
    };
    let kinds = [
        ("uniform", Noise::Uniform),
        ("gaussian", Noise::Gaussian(Gaussian::default())),
        ("binary", Noise::Binary),
        ("gabor", Noise::Gabor),
    ];
    for (label, noise) in kinds {
        for gamma in [0.0, 0.3] {
            look(format!("noise {label}, γ {gamma}"), &|| {
                let lab = lab(NetworkKind::Logistic, seat)?;
                draw(&lab, noise, gamma, drawing, &how)
            });
        }
    }
    for &kind in networks {
        look(format!("logits of {}", kind.label()), &|| {
            logits(&lab(kind, seat)?, &reference(kind)?)
        });
        look(format!("sums of {}", kind.label()), &|| {
            let mut own = lab(kind, seat)?;
            own.resident = own.resident.drawn(drawing);
            sums(&own, &reference(kind)?, seat)
        });
    }
}

fn lab(kind: NetworkKind, seat: &Seat) -> Result<Lab, String> {
    trial::lab(kind, seat).map_err(|error| error.to_string())
}

/// The same laboratory on Burn's backend in pure Rust.
fn reference(kind: NetworkKind) -> Result<Lab, String> {
    let seat = Seat {
        device: Kind::Flex.handle(),
        name: Kind::Flex.to_string(),
        kind: Kind::Flex,
        blocks: 1,
        threads: 1,
        images: usize::MAX,
    };
    lab(kind, &seat)
}

/// Noise and stimuli of a launch against those that are drawn here.
fn draw(
    lab: &Lab,
    noise: Noise,
    gamma: f64,
    drawing: stimulus::launch::Drawing,
    how: &str,
) -> Result<String, String> {
    let source = Source::new(noise, &lab.dataset.train);
    let resident = Resident::default().drawn(drawing);
    let launch = Launch::new(&source, gamma, TRIALS, &lab.pool, &resident, &lab.device);
    let slot = |block: u64| Slot {
        seed: PLACE.noise(0, block),
        first: block * TRIALS as u64,
        // The last one is short.
        trials: if block + 1 == BLOCKS as u64 {
            TRIALS / 3
        } else {
            TRIALS
        },
    };
    let slots: Vec<Slot> = (0..BLOCKS as u64).map(slot).collect();
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
    for (at, slot) in slots.iter().enumerate() {
        let here = stimulus::draw(
            slot.seed,
            &source,
            gamma,
            slot.first,
            slot.trials,
            &lab.pool,
        );
        let own = &noise[at * TRIALS * points..][..slot.trials * points];
        let other = own.iter().zip(&here.noise);
        if let Some(point) = other
            .into_iter()
            .position(|(&z, &k)| z + CENTRE != i64::from(k))
        {
            return Err(format!(
                "block {at}, trial {}, point {}: another number than here",
                point / points,
                point % points
            ));
        }
        let own = &stimuli[at * TRIALS * numbers..][..slot.trials * numbers];
        let other = own.iter().zip(&here.stimuli);
        let differs = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits();
        if let Some(number) = other.into_iter().position(differs) {
            return Err(format!(
                "block {at}, trial {}, number {}: another stimulus than here",
                number / numbers,
                number % numbers
            ));
        }
    }
    let trials: usize = slots.iter().map(|slot| slot.trials).sum();
    Ok(format!("{trials} trials to the bit, drawn {how}"))
}

/// What differences are allowed.
fn allowed() -> (f32, f64) {
    match numerics::is_tf32() {
        true => (DIGITS_OF_TF32, TIES_OF_TF32),
        false => (DIGITS, TIES),
    }
}

/// Logits of both on the same stimuli.
fn logits(own: &Lab, reference: &Lab) -> Result<String, String> {
    let source = Source::new(Noise::Uniform, &own.dataset.train);
    let drawn = stimulus::draw(PLACE.noise(0, 0), &source, 0.3, 0, 4 * TRIALS, &own.pool);
    let ours = own.network.logits(drawn.stimuli.clone(), &own.device);
    let theirs = reference.network.logits(drawn.stimuli, &reference.device);
    if ours.len() != theirs.len() {
        return Err(format!("{} logits instead of {}", ours.len(), theirs.len()));
    }
    let most = theirs.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    let pairs = || ours.iter().zip(&theirs);
    let worst = pairs().fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / most;
    let (digits, _) = allowed();
    let rows = own.network.rows(&ours).zip(reference.network.rows(&theirs));
    let other = rows.filter(|(a, b)| {
        let (ours, theirs) = (decision(a), decision(b));
        b[theirs] - b[ours] > 2.0 * digits * most
    });
    let other = other.count();
    let words =
        format!("{worst:.1e} of the largest apart at most, {other} other decisions but for ties");
    // What is no number is no less than anything.
    match worst <= digits && other == 0 {
        true => Ok(words),
        false => Err(words),
    }
}

/// The sums of some launches: against the reference, and once more.
fn sums(own: &Lab, reference: &Lab, seat: &Seat) -> Result<String, String> {
    let launch = seat.is_fed().then_some(seat.blocks);
    let blocks = LAUNCHES * launch.unwrap_or(BLOCKS) as u64;
    let first = measured(own, launch, blocks)?;
    let again = measured(own, launch, blocks)?;
    let there = measured(reference, None, blocks)?;
    if first != again {
        return Err("two runs differ".into());
    }
    let cells = first.counts.iter().zip(&there.counts);
    let moved: u64 = cells.map(|(&a, &b)| a.abs_diff(b)).sum::<u64>() / 2;
    let (_, ties) = allowed();
    if moved as f64 > ties * first.trials as f64 {
        return Err(format!(
            "{moved} of {} trials are called otherwise",
            first.trials
        ));
    }
    // Every trial adds its noise to the sums of its true class, whatever it is called.
    let m = first.listed.len();
    let shown = |trials: &GammaTrials| -> Vec<i64> {
        let points: usize = trials.shape().iter().product();
        let half = 3 * m * points;
        let own = trials.noise.values().chunks_exact(half);
        own.flat_map(|half| half[m * points..2 * m * points].to_vec())
            .collect()
    };
    if shown(&first) != shown(&there) {
        return Err("the sums of the noise by true class are others".into());
    }
    Ok(format!(
        "{} trials, the same bits twice; {moved} are called otherwise than by flex",
        first.trials
    ))
}

/// What blocks measure, in launches of so many, or one by one.
fn measured(lab: &Lab, launch: Option<usize>, blocks: u64) -> Result<GammaTrials, String> {
    let plan = config::ClassificationImages {
        gammas: vec![0.3],
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
        for block in 0..blocks {
            let sums = Experiment::step(&analysis, lab, Job::one(0, block)).map_err(problem)?;
            sums.iter().for_each(|sums| trials.add(sums));
        }
        return Ok(trials);
    };
    for first in (0..blocks).step_by(each) {
        launches.launch(Job {
            part: 0,
            block: first,
            blocks: each as u64,
        });
    }
    read(&mut *launches, &mut trials)?;
    Ok(trials)
}

fn read(launches: &mut dyn Launches, trials: &mut GammaTrials) -> Result<(), String> {
    let sums = launches.read().ok_or("an answer was no number")?;
    let sums = sums
        .downcast::<Vec<BlockSums>>()
        .map_err(|_| "sums of another kind".to_owned())?;
    sums.iter().for_each(|sums| trials.add(sums));
    Ok(())
}

/// The networks that are looked at where none is named: every kind, once.
pub fn networks(named: &[NetworkKind]) -> Vec<NetworkKind> {
    let mut seen = BTreeSet::new();
    let all = match named.is_empty() {
        true => &NetworkKind::ALL[..],
        false => named,
    };
    all.iter()
        .copied()
        .filter(|kind| *kind != NetworkKind::Onnx && seen.insert(kind.label()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On the reference itself, with launches as a GPU has them.
    #[test]
    fn the_reference_agrees_with_itself_in_launches() {
        let seat = Seat {
            device: Kind::Flex.handle(),
            name: "flex".into(),
            kind: Kind::Flex,
            blocks: BLOCKS,
            threads: 1,
            images: usize::MAX,
        };
        let mut checks = Vec::new();
        verify(&seat, &[NetworkKind::Logistic], &mut |check| {
            checks.push(check)
        });
        assert_eq!(checks.len(), 10);
        for check in checks {
            assert!(check.ok, "{}: {}", check.name, check.words);
        }
    }

    #[test]
    fn another_network_is_found_out() {
        let own = reference(NetworkKind::Logistic).unwrap();
        let mut other = own.clone();
        let ports = crate::nets::Ports::from(&*own.form);
        other.network =
            crate::nets::Subject::untrained(NetworkKind::Logistic, ports, 2, &own.device).unwrap();
        assert!(logits(&other, &own).is_err());
    }
}
