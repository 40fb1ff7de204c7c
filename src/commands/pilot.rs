//! `noisescope run --pilot`: a few trials of a network that exists, how many reliable maps take at each
//! grain of the noise, and the plan that follows. Nothing is begun.

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

/// Shows what a run of this plan would take.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    device: &str,
    json: bool,
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

/// How often it is looked whether it is still wanted.
const EVERY: Duration = Duration::from_millis(50);

/// What is read of the JSON of a pilot.
#[derive(Deserialize)]
struct Told {
    pilot: Vec<Foretold>,
    workers: usize,
}

/// The pilot of what the form for a new session asks for. It is a process of its own: no device is held
/// here, and what is not wanted any more is killed.
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
        let said = end(child, over).map_err(|error| format!("the pilot: {error}"))?;
        let Some((true, out, _)) = said else {
            let words = said.map_or_else(String::new, |(_, _, problem)| problem);
            let words = words.trim();
            return Err(words
                .strip_prefix("noisescope: ")
                .unwrap_or(words)
                .to_owned());
        };
        let told: Told =
            serde_json::from_str(&out).map_err(|error| format!("the pilot said: {error}"))?;
        Ok((told.pilot, told.workers))
    }
}

/// Waits for its end, and gives whether it succeeded and what it wrote; `None` where it was not wanted any
/// more.
fn end(mut child: Child, over: &AtomicBool) -> std::io::Result<Option<(bool, String, String)>> {
    let (out, problem) = (child.stdout.take(), child.stderr.take());
    let reader = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut pipe) = pipe {
                // What is cut off is no JSON.
                let _ = pipe.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = reader(out.map(|it| Box::new(it) as _));
    let problem = reader(problem.map(|it| Box::new(it) as _));
    let status = loop {
        if over.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(EVERY),
        }
    };
    let text = |reader: thread::JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Some((status.success(), text(out), text(problem))))
}
