//! `noisescope run --pilot`: a few trials of a network that exists, how many reliable maps take at each
//! grain of the noise, and the plan that follows. Nothing is begun.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

use super::plan::is_weights;
use super::say::say;
use super::{Plan, Refusal};
use crate::data::{self, Request};
use crate::engine::device::{self, Choice};
use crate::inspect::contents::Look;
use crate::session::config::{NetworkKind, Weights};
use crate::session::store::Store;

/// Shows what a run of this plan would take.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    device: &str,
) -> Result<ExitCode, Refusal> {
    if store.exists(&plan.name) {
        return Err(Refusal::Usage(format!(
            "session `{0}` exists already, and its plan does not change under it; to go on past it: noisescope extend {0} --target 0.95",
            plan.name
        )));
    }
    let config = plan.config(store)?;
    let Weights::File(path) = &config.network.weights else {
        return Err(Refusal::Usage(
            "--pilot looks at a network that exists (--network FILE); one that is trained first has its first maps seconds later, and `noisescope extend` goes on from there".into(),
        ));
    };
    let dataset = match &config.dataset {
        None => None,
        Some(dataset) => {
            let request = Request {
                plan: dataset,
                seed: config.seed,
                data: &data::data_dir(data).map_err(Refusal::failed)?,
                cache: None,
            };
            let read = data::load(&request, &mut |_, _| ControlFlow::Continue(()));
            Some(read.map_err(Refusal::failed)?)
        }
    };
    let kind = config.network.kind;
    let choice: Choice = device.parse()?;
    let opened = device::open(&choice, Some(1), kind, None)?;
    let look = Look {
        path,
        weights: is_weights(path),
        network: &config.network,
        kind: (kind != NetworkKind::Onnx).then_some(kind),
        images: dataset.as_ref(),
        most: 1,
        pilot: true,
        device: &opened.device,
    };
    opened.seats[0].prepare_thread();
    let mut found = look.inspect();
    found.workers = opened.workers_of_all();
    if let Some(problem) = found.problems.first() {
        return Err(Refusal::Failed(format!("{}: {problem}", path.display())));
    }
    say(found.pilot_text().trim_end());
    match found.advised() {
        Some(fields) => {
            let sets = fields
                .iter()
                .map(|(field, value)| match value.contains('[') {
                    true => format!("--set 'analyses[0].{field}={value}'"),
                    false => format!("--set analyses[0].{field}={value}"),
                });
            let sets: Vec<String> = sets.collect();
            say(format_args!(
                "\nNext, with the other words of this command and without --pilot:\n  {}",
                sets.join(" ")
            ));
        }
        None => say(
            "\nNo grain shows anything in so few trials. Images under the noise may: --set 'analyses[0].gammas=[0.3, 0.5]'",
        ),
    }
    Ok(ExitCode::SUCCESS)
}
