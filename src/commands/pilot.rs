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
use super::plan::{home, is_weights};
use super::say::say;
use super::{Plan, Refusal};
use crate::data::{self, Request};
use crate::engine::device::{self, Choice};
use crate::inspect::contents::Look;
use crate::session::config::{NetworkKind, Weights};
use crate::session::store::Store;
use crate::stats::grain::Foretold;
use crate::tui::browser::{Asked, Said};

/// Prints what a run of this config would take.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    device: &str,
    json: bool,
) -> Result<ExitCode, Refusal> {
    if store.exists(&plan.name) {
        return Err(Refusal::Usage(format!(
            "session `{0}` already exists, and its plan cannot change; to extend it: noisescope extend {0} --target 0.95",
            plan.name
        )));
    }
    let config = plan.config(store)?;
    let Weights::File(path) = &config.network.weights else {
        return Err(Refusal::Usage(
            "--pilot needs an existing network (--network FILE); a network trained by the session shows its first maps seconds later, and `noisescope extend` continues from there".into(),
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
    let opened = device::open(
        device::Wanted {
            workers: Some(1),
            ..device::Wanted::of(&choice)
        },
        kind,
        None,
    )?;
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
    if json {
        say(serde_json::to_string_pretty(&found).map_err(Refusal::failed)?);
        return Ok(ExitCode::SUCCESS);
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
                "\nNext, repeat this command without --pilot, adding:\n  {}",
                sets.join(" ")
            ));
        }
        None => say(
            "\nNo grain shows anything in so few trials. Blending in images may help: --set 'analyses[0].gammas=[0.3, 0.5]'",
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// Interval between checks for cancellation.
const POLL: Duration = Duration::from_millis(50);

/// The part of a pilot's JSON that is read.
#[derive(Deserialize)]
struct PilotOutput {
    pilot: Vec<Foretold>,
    workers: usize,
}

/// A function that runs a pilot for the new-session form, in a separate process, so that no device is held
/// here and a cancelled pilot can be killed.
pub fn asked(
    store: &Store,
    data: Option<&Path>,
) -> impl Fn(&Asked, &AtomicBool) -> Said + Send + Sync + 'static {
    let (store, data) = (store.clone(), data.map(Path::to_owned));
    move |asked, over| {
        let plan = Plan::asked(asked, &store).map_err(|refusal| refusal.to_string())?;
        let mut command = Command::new(this_program());
        command.arg("--sessions").arg(store.folder());
        match (&asked.images, &data) {
            (Some(images), _) => drop(command.arg("--data").arg(home(images))),
            (None, Some(data)) => drop(command.arg("--data").arg(data)),
            (None, None) => {}
        }
        command.arg("run").args(plan.words());
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
