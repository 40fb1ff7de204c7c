//! Agreement of two networks: shows both the same trials and counts their joint decisions.
//!
//! Sessions keep counts, not the decision of each trial. So the networks of two sessions are shown
//! the first trials of one of them again.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;

use super::device::records::Convolutions;
use super::device::{self, DeviceChoice, DeviceError, DeviceRequest};
use super::fault::catch_panic;
use super::originals::{self, OriginalsError};
use crate::comparison::{SessionPair, SharedTrialDecisions};
use crate::data::{self, DataError, Dataset, DatasetRequest};
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::nets::graph::GraphError;
use crate::nets::subject::UndecidedImages;
use crate::nets::{Subject, decision};
use crate::session::Session;
use crate::session::config::{BlockTrials, ClassificationImages, Extension};
use crate::session::form::Form;
use crate::session::store::Store;
use crate::stats::agreement::JointDecisions;
use crate::stimulus::{self, BlockSeed, NoiseSource, Pool};

/// Why two networks cannot be shown the same trials.
#[derive(Debug, thiserror::Error)]
pub enum SameTrialsError {
    /// The images cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The images have another form than those of the session's run.
    #[error("the images of {0} have changed since it ran; restore them")]
    OtherImages(String),
    /// One session's network cannot be opened.
    #[error(transparent)]
    Kept(#[from] OriginalsError),
    /// A network cannot be brought to the device.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The device cannot be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A session has never read its images.
    #[error("{0} has not read its images yet; run it first: noisescope run {0}")]
    NoForm(String),
    /// One session's network has no decision for some of the trials.
    #[error("{0}: {1}")]
    Undecided(String, UndecidedImages),
    /// The device failed.
    #[error("the networks could not be shown the same trials: {0}")]
    Failed(String),
}

/// Where to look for images and networks, and the device to compute on.
#[derive(Debug, Clone, Copy)]
pub struct ReplaySetup<'a> {
    /// The folder of sessions.
    pub store: &'a Store,
    /// The folder of full data sets.
    pub data: &'a Path,
    /// The device.
    pub device: &'a DeviceChoice,
    /// Blocks computed at the same time; `None` for one per core.
    pub workers: Option<usize>,
    /// How convolutions are computed on `cpu`; `None` for as the session was, or if there are two, the fastest way.
    pub convolutions: Option<Convolutions>,
}

impl<'a> ReplaySetup<'a> {
    /// A request to open the device for this many blocks: more workers would have nothing to do.
    pub(super) fn request(&self, blocks: u64) -> DeviceRequest<'a> {
        let most = usize::try_from(blocks).unwrap_or(usize::MAX);
        DeviceRequest {
            workers: self.workers.map(|workers| workers.min(most)),
            ..DeviceRequest::new(self.device)
        }
    }
}

/// The trials to show.
struct SharedTrials<'a> {
    /// The sessions of the networks.
    names: [&'a str; 2],
    seed: BlockSeed,
    source: NoiseSource,
    gamma: Gamma,
    /// The plan of the trials, which has at least as many.
    plan: ClassificationImages,
    trials: u64,
    pool: &'a Pool,
    classes: usize,
}

/// Shows the networks of two sessions the first session's first `trials` trials, with its images, at the `place`th
/// of their common γ. `sessions` are complete, with weights.
///
/// # Errors
/// If a network, the images or the device cannot be opened, or the device fails.
pub fn count_joint_decisions(
    sessions: [&Session; 2],
    pair: &SessionPair<'_>,
    place: usize,
    trials: u64,
    bench: ReplaySetup<'_>,
) -> Result<SharedTrialDecisions, SameTrialsError> {
    let common = pair.gammas[place];
    let form = |session: &Session| {
        let form = session.record.form.clone();
        form.ok_or_else(|| SameTrialsError::NoForm(session.name.clone()))
    };
    let forms = [form(sessions[0])?, form(sessions[1])?];
    let images = images(sessions[0], &forms[0], bench)?;
    let [a, b] = [0, 1].map(|i| originals::graph(sessions[i], &forms[i], bench.store.folder()));
    let graphs = [a?, b?];
    Convolutions::apply(bench.convolutions, &[]);
    let kind = sessions[0].config.network.kind;
    let plan = with_trials(pair.plans[0], common.gamma, trials);
    let wanted = bench.request(plan.blocks_at(common.gamma));
    let opened = device::open(wanted, kind, None)?;
    let pool = Pool::new(&images.train);
    let shown = SharedTrials {
        names: sessions.map(|session| session.name.as_str()),
        seed: BlockSeed {
            session: sessions[0].config.seed,
            analysis: pair.analysis_indices[0] as u64,
            stream: common.gamma_indices[0] as u64,
            block: BlockIndex(0),
        },
        source: NoiseSource::with_grain(plan.noise, plan.grain(), &images.train),
        gamma: common.gamma,
        plan,
        trials,
        pool: &pool,
        classes: common.trials[0].classes(),
    };
    let (shown, graphs) = (&shown, &graphs);
    let seats = &opened.seats[..];
    let worker = |index: usize| -> Result<JointDecisions, SameTrialsError> {
        let seat = &seats[index];
        let computed = catch_panic(|| -> Result<JointDecisions, SameTrialsError> {
            seat.prepare_thread();
            let [a, b] = graphs
                .each_ref()
                .map(|graph| Subject::new(graph.clone(), &seat.device));
            shown.joint([&a?, &b?], &seat.device, (index, seats.len()))
        });
        computed.map_err(SameTrialsError::Failed)?
    };
    let joints: Vec<Result<JointDecisions, SameTrialsError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..seats.len())
            .map(|index| scope.spawn(move || worker(index)))
            .collect();
        let ended = workers.into_iter().map(|thread| {
            let lost = |_| Err(SameTrialsError::Failed("a worker crashed".into()));
            thread.join().unwrap_or_else(lost)
        });
        ended.collect()
    });
    let mut joint = JointDecisions::new(shown.classes);
    for worker_joint in joints {
        joint.merge(&worker_joint?);
    }
    Ok(SharedTrialDecisions {
        gamma: common.gamma,
        joint,
        overlap: common.overlap,
    })
}

/// A plan with at least so many trials at a γ: those beyond its own are the ones that an extension would show.
fn with_trials(plan: &ClassificationImages, gamma: Gamma, trials: u64) -> ClassificationImages {
    let mut plan = plan.clone();
    plan.extended.push(Extension {
        gamma: Some(gamma),
        trials,
        target: None,
        class: None,
    });
    plan
}

impl SharedTrials<'_> {
    /// Shows both networks every `stride`th block starting from `start`. A block is drawn whole, since one of fewer
    /// trials would have others.
    ///
    /// # Errors
    /// If some outputs of a network are NaN.
    fn joint(
        &self,
        networks: [&Subject; 2],
        device: &Device,
        (start, stride): (usize, usize),
    ) -> Result<JointDecisions, SameTrialsError> {
        let mut joint = JointDecisions::new(self.classes);
        let end = BlockIndex(self.plan.blocks_at(self.gamma));
        for block in BlockIndex(start as u64).until(end).step_by(stride) {
            let BlockTrials { first, trials } = self.plan.span(self.gamma, block);
            if first >= self.trials {
                break;
            }
            let counted = (self.trials - first).min(trials as u64) as usize;
            let seed = BlockSeed { block, ..self.seed };
            let mut drawn =
                stimulus::draw(seed, &self.source, self.gamma, first, trials, self.pool);
            drawn.stimuli.truncate(counted * self.pool.pixels());
            let decide = |which: usize| -> Result<Vec<ClassId>, SameTrialsError> {
                let network = networks[which];
                let logits = network.decidable(network.logits(drawn.stimuli.clone(), device));
                let undecided =
                    |error| SameTrialsError::Undecided(self.names[which].to_owned(), error);
                let logits = logits.map_err(undecided)?;
                Ok(network.rows(&logits).map(decision).collect())
            };
            let (a, b) = (decide(0)?, decide(1)?);
            for (truth, decisions) in drawn.truth.iter().zip(a.into_iter().zip(b)) {
                joint.add(*truth, [decisions.0, decisions.1]);
            }
        }
        Ok(joint)
    }
}

/// The images of a session, as in its run.
///
/// # Errors
/// If they are missing, or now have another size or other classes.
pub(super) fn images(
    session: &Session,
    form: &Form,
    bench: ReplaySetup<'_>,
) -> Result<Dataset, SameTrialsError> {
    let Some(plan) = &session.config.dataset else {
        return Ok(Dataset::none(form.clone()));
    };
    let plan = originals::images(plan, session.record.images.as_deref());
    let request = DatasetRequest {
        config: &plan,
        seed: session.config.seed,
        data: bench.data,
        cache: Some(bench.store.folder()),
    };
    let images = data::load(&request, &mut |_, _| ControlFlow::Continue(()))?;
    let found = images.form();
    match (found.shape(), found.class_count()) == (form.shape(), form.class_count()) {
        true => Ok(images),
        false => Err(SameTrialsError::OtherImages(session.name.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::{digits, template_lab, unbounded};

    #[test]
    fn trials_without_a_decision_are_not_counted_as_class_0() {
        // Black images, for which one of the networks has no numbers.
        let images = digits(vec![0; 20 * 784], (0..20).map(|at| at % 10));
        let plan = ClassificationImages {
            gammas: vec![Gamma(1.0)],
            trials: 20,
            block: 10,
            ..ClassificationImages::default()
        };
        let shown = SharedTrials {
            names: ["a", "b"],
            seed: BlockSeed {
                session: 1,
                analysis: 0,
                stream: 0,
                block: BlockIndex(0),
            },
            source: NoiseSource::new(plan.noise, &images),
            gamma: Gamma(1.0),
            plan,
            trials: 20,
            pool: &Pool::new(&images),
            classes: 10,
        };
        let device = Device::flex();
        let (known, undecided) = (template_lab().network, unbounded(&device));
        let joint = |networks: [&Subject; 2]| shown.joint(networks, &device, (0, 1));
        assert!(joint([&known, &known]).is_ok());
        let message = joint([&known, &undecided]).unwrap_err().to_string();
        let expected = "b: the network's outputs are not numbers (NaN) for 10 of 10 images";
        assert!(message.starts_with(expected), "{message}");
    }
}
