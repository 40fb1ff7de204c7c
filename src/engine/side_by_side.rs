//! Two networks shown the same trials: how often do they decide alike?
//!
//! Sessions keep counts, not the decisions trial by trial. So the networks of two sessions are shown
//! the first trials of one of them again, side by side.

use std::ops::ControlFlow;
use std::path::Path;

use super::device::seat::Seat;
use super::device::{self, Choice, DeviceError};
use super::fault::guarded;
use super::kept::{self, KeptError};
use crate::comparison::{Pair, Shown};
use crate::data::{self, DataError, Dataset, Request};
use crate::nets::graph::GraphError;
use crate::nets::{Subject, decision};
use crate::session::Session;
use crate::session::form::Form;
use crate::session::store::Store;
use crate::stats::agreement::Joint;
use crate::stimulus::{self, BlockSeed, Pool, Source};

/// Why two networks cannot be shown the same trials.
#[derive(Debug, thiserror::Error)]
pub enum SideError {
    /// There are no images, or they are other ones.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The images are not those that the session was shown.
    #[error("the images of {0} are others now than when it ran; put those back")]
    OtherImages(String),
    /// One has no network that could be shown anything.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// A network that cannot be brought to the device.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// No device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A session that has never read its images.
    #[error("{0} has not read its images yet; run it first: noisescope run {0}")]
    NoForm(String),
    /// The device failed.
    #[error("the networks could not be shown the same trials: {0}")]
    Failed(String),
}

/// Where images and networks are looked for, and what computes.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The folder of sessions.
    pub store: &'a Store,
    /// The folder of full data sets.
    pub data: &'a Path,
    /// The device.
    pub device: &'a Choice,
    /// Blocks computed at the same time; `None` for one a core.
    pub workers: Option<usize>,
}

/// What is shown.
struct Plan<'a> {
    seed: BlockSeed,
    source: Source,
    gamma: f64,
    block: usize,
    trials: u64,
    pool: &'a Pool,
    classes: usize,
}

/// Shows the networks of two sessions the first trials of the first at a place among their common γ,
/// with its images. `sessions` are as their files have them, with weights.
///
/// # Errors
/// Where a network, the images or the device cannot be had.
pub fn show(
    sessions: [&Session; 2],
    pair: &Pair<'_>,
    place: usize,
    trials: u64,
    bench: Bench<'_>,
) -> Result<Shown, SideError> {
    let common = pair.gammas[place];
    let form = |session: &Session| {
        let form = session.record.form.clone();
        form.ok_or_else(|| SideError::NoForm(session.name.clone()))
    };
    let forms = [form(sessions[0])?, form(sessions[1])?];
    let images = images(sessions[0], &forms[0], bench)?;
    let [a, b] = [0, 1].map(|at| kept::graph(sessions[at], &forms[at], bench.store.folder()));
    let graphs = [a?, b?];
    let kind = sessions[0].config.network.kind;
    let wanted = device::Wanted {
        workers: bench.workers,
        ..device::Wanted::of(bench.device)
    };
    let opened = device::open(wanted, kind, None)?;
    let plan = pair.plans[0];
    let pool = Pool::new(&images.train);
    let shown = Plan {
        seed: BlockSeed {
            session: sessions[0].config.seed,
            analysis: pair.places[0] as u64,
            gamma: common.places[0] as u64,
            block: 0,
        },
        source: Source::of(plan.noise, plan.grain(), &images.train),
        gamma: common.gamma,
        block: plan.block,
        trials,
        pool: &pool,
        classes: common.trials[0].classes(),
    };
    let (shown, graphs) = (&shown, &graphs);
    let seats = &opened.seats[..];
    let worker = |at: usize| -> Result<Joint, SideError> {
        let seat = &seats[at];
        let computed = guarded(|| {
            seat.prepare_thread();
            let [a, b] = graphs
                .each_ref()
                .map(|it| Subject::new(it.clone(), &seat.device));
            Ok::<_, GraphError>(shown.joint([&a?, &b?], seat, (at, seats.len())))
        });
        Ok(computed.map_err(SideError::Failed)??)
    };
    let joints: Vec<Result<Joint, SideError>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..seats.len())
            .map(|at| scope.spawn(move || worker(at)))
            .collect();
        let ended = workers.into_iter().map(|it| {
            let lost = |_| Err(SideError::Failed("a worker broke down".into()));
            it.join().unwrap_or_else(lost)
        });
        ended.collect()
    });
    let mut joint = Joint::new(shown.classes);
    for own in joints {
        joint.merge(&own?);
    }
    Ok(Shown {
        gamma: common.gamma,
        joint,
        trials: common.shown,
    })
}

impl Plan<'_> {
    /// Shows both networks every `of`th block from `at` on.
    fn joint(&self, networks: [&Subject; 2], seat: &Seat, (at, of): (usize, usize)) -> Joint {
        let mut joint = Joint::new(self.classes);
        let each = self.block as u64;
        for block in (at as u64..self.trials.div_ceil(each)).step_by(of) {
            let first = block * each;
            let count = each.min(self.trials - first) as usize;
            let seed = BlockSeed { block, ..self.seed };
            let own = stimulus::draw(seed, &self.source, self.gamma, first, count, self.pool);
            let [a, b] = networks.map(|network| {
                let logits = network.logits(own.stimuli.clone(), &seat.device);
                network.rows(&logits).map(decision).collect::<Vec<usize>>()
            });
            for (truth, said) in own.truth.iter().zip(a.into_iter().zip(b)) {
                joint.add(*truth, [said.0, said.1]);
            }
        }
        joint
    }
}

/// The images of a session, as it was shown them.
///
/// # Errors
/// Where they are not there, or have another size or other classes now.
pub(super) fn images(
    session: &Session,
    form: &Form,
    bench: Bench<'_>,
) -> Result<Dataset, SideError> {
    let Some(plan) = &session.config.dataset else {
        return Ok(Dataset::none(form.clone()));
    };
    let plan = kept::images(plan, session.record.images.as_deref());
    let request = Request {
        plan: &plan,
        seed: session.config.seed,
        data: bench.data,
        cache: Some(bench.store.folder()),
    };
    let images = data::load(&request, &mut |_, _| ControlFlow::Continue(()))?;
    let own = images.form();
    match (own.shape(), own.count()) == (form.shape(), form.count()) {
        true => Ok(images),
        false => Err(SideError::OtherImages(session.name.clone())),
    }
}
