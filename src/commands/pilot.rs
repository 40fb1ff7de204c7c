//! `noisescope run --pilot`: shows an existing network a few trials, estimates the trials needed for reliable
//! maps at each grain of noise, and suggests settings. Starts no session.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::background::this_program;
use super::network_file::{expand_home, is_weights};
use super::output::print_line;
use super::{CommandError, SessionArgs};
use crate::data::{self, DatasetRequest};
use crate::engine::device::{self, DeviceChoice};
use crate::inspect::contents::InspectionRequest;
use crate::session::config::{Analysis, NetworkKind, WeightSource};
use crate::session::store::Store;
use crate::stats::grain::GrainForecast;
use crate::tui::browser::{PilotResult, SessionRequest};

/// Prints what a run of this config would take.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &SessionArgs,
    device: &str,
    json: bool,
) -> Result<ExitCode, CommandError> {
    if store.exists(&plan.name) {
        return Err(CommandError::Usage(format!(
            "session `{0}` already exists, and its plan cannot change; choose another name, or extend it: noisescope extend {0} --trials N",
            plan.name
        )));
    }
    let (config, _) = plan.config(store)?;
    let (_, asked) = plan.as_asked(store)?;
    let WeightSource::File(path) = &config.network.weights else {
        return Err(CommandError::Usage(
            "--pilot needs an existing network (--network FILE); a network trained by the session shows its first maps seconds later, and `noisescope extend` continues from there".into(),
        ));
    };
    let dataset = match &config.dataset {
        None => None,
        Some(dataset) => {
            let request = DatasetRequest {
                config: dataset,
                seed: config.seed,
                data: &data::data_dir(data).map_err(CommandError::failed)?,
                cache: None,
            };
            let read = data::load(&request, &mut |_, _| ControlFlow::Continue(()));
            Some(read.map_err(CommandError::failed)?)
        }
    };
    let kind = config.network.kind;
    let choice: DeviceChoice = device.parse()?;
    let opened = device::open(
        device::DeviceRequest {
            workers: Some(1),
            ..device::DeviceRequest::new(&choice)
        },
        kind,
        None,
    )?;
    let look = InspectionRequest {
        path,
        weights_only: is_weights(path),
        network: &config.network,
        kind: (kind != NetworkKind::Onnx).then_some(kind),
        images: dataset.as_ref(),
        max_images: 1,
        pilot: true,
        device: &opened.device,
    };
    opened.seats[0].prepare_thread();
    let mut found = look.inspect();
    found.workers = opened.workers_of_all();
    if let Some(problem) = found.problems.first() {
        return Err(CommandError::Failed(format!(
            "{}: {problem}",
            path.display()
        )));
    }
    if json {
        print_line(serde_json::to_string_pretty(&found).map_err(CommandError::failed)?);
        return Ok(ExitCode::SUCCESS);
    }
    print_line(found.pilot_text().trim_end());
    let images = asked
        .analyses
        .iter()
        .position(|plan| matches!(plan, Analysis::ClassificationImages(_)));
    match (found.advice(&asked), images) {
        (Some(assignments), _) => {
            let sets = assignments
                .iter()
                .map(|assignment| format!("--set '{assignment}'"));
            let sets: Vec<String> = sets.collect();
            print_line(format_args!(
                "\nNext, repeat this command without --pilot, adding:\n  {}",
                sets.join(" ")
            ));
        }
        (None, Some(place)) => print_line(format_args!(
            "\nNo grain shows anything in so few trials. Blending in images may help: --set 'analyses[{place}].gammas=[0.3, 0.5]'",
        )),
        (None, None) => print_line(
            "\nThis plan makes no such maps: it has no ClassificationImages(()), so there is nothing to set.",
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// Interval between checks for cancellation.
const POLL: Duration = Duration::from_millis(50);

/// The part of a pilot's JSON that is read.
#[derive(Deserialize)]
struct PilotOutput {
    pilot: Vec<GrainForecast>,
    workers: usize,
}

/// A function that runs a pilot for the new-session form, in a separate process, so that no device is held
/// here and a cancelled pilot can be killed.
pub fn pilot_for_form(
    store: &Store,
    data: Option<&Path>,
) -> impl Fn(&SessionRequest, &AtomicBool) -> PilotResult + Send + Sync + 'static {
    let (store, data) = (store.clone(), data.map(Path::to_owned));
    move |asked, over| {
        let plan = SessionArgs::from_form(asked, &store).map_err(|refusal| refusal.to_string())?;
        let mut command = Command::new(this_program());
        command.arg("--sessions").arg(store.folder());
        match (&asked.images, &data) {
            (Some(images), _) => drop(command.arg("--data").arg(expand_home(images))),
            (None, Some(data)) => drop(command.arg("--data").arg(data)),
            (None, None) => {}
        }
        command.arg("run").args(plan.arguments());
        command.args(["--pilot", "--json"]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start the pilot: {error}"))?;
        let ended = wait(child, over).map_err(|error| format!("the pilot: {error}"))?;
        let Some((true, out, _)) = ended else {
            let words = ended.map_or_else(String::new, |(_, _, problem)| problem);
            let words = words.trim();
            return Err(words
                .strip_prefix("noisescope: ")
                .unwrap_or(words)
                .to_owned());
        };
        let output: PilotOutput = serde_json::from_str(&out)
            .map_err(|error| format!("cannot read the pilot's output: {error}"))?;
        Ok((output.pilot, output.workers))
    }
}

/// Waits for the child; returns whether it succeeded, its output and its errors, or `None` if it was
/// cancelled.
fn wait(mut child: Child, over: &AtomicBool) -> std::io::Result<Option<(bool, String, String)>> {
    let (out, problem) = (child.stdout.take(), child.stderr.take());
    let reader = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut pipe) = pipe {
                // Truncated output fails to parse as JSON.
                let _ = pipe.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = reader(out.map(|pipe| Box::new(pipe) as _));
    let problem = reader(problem.map(|pipe| Box::new(pipe) as _));
    let status = loop {
        if over.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(POLL),
        }
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Some((status.success(), text(out), text(problem))))
}
