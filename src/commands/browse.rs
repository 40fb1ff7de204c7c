//! `noisescope` alone: the sessions to choose from; the quickstart where there is none yet.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use super::listing::{Entry, rows};
use super::look::{Line, Look};
use super::machine::Machine;
use super::run::How;
use super::signals::{HUNG_UP, Signals, runtime};
use super::{Plan, Refusal, attach, compare, own, preset, run};
use crate::data;
use crate::session::store::Store;
use crate::tui;
use crate::tui::browser::{Choice, List, Row, RowState, browse};

/// The browser on a terminal; without one, or without a session, the quickstart preset.
pub fn run(store: &Store, data: Option<&Path>) -> Result<ExitCode, Refusal> {
    if let Some(path) = data.filter(|path| own::is_images(path)) {
        return Err(Refusal::Usage(format!(
            "--data {0} are images of your own; they belong to a session with a name: noisescope run NAME --data {0}",
            path.display()
        )));
    }
    if !std::io::stdout().is_terminal() || store.names()?.is_empty() {
        return run::run(
            store,
            data,
            &Plan::named("quickstart", None),
            &How::default(),
        );
    }
    let folder = data::data_dir(data).map_err(Refusal::failed)?;
    let (machine, line) = (Machine::default(), Line::default());
    let look = Look {
        store,
        data: &folder,
        machine: &machine,
        line: &line,
    };
    let presets: Vec<String> = preset::SHIPPED
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut list = List::default();
    loop {
        let chosen = match choose(store, &presets, &line.options(), &mut list)? {
            Err(code) => return Ok(ExitCode::from(code)),
            Ok(Choice::Gone) => return Ok(ExitCode::from(HUNG_UP)),
            Ok(Choice::Leave) => return Ok(ExitCode::SUCCESS),
            Ok(choice) => choice,
        };
        let done = match chosen {
            Choice::Open(name) => attach::run(&look, &name, false),
            Choice::Compare(name) => compare::chosen(&look, &name),
            Choice::Resume(name) => {
                run::run(store, data, &Plan::named(&name, None), &How::default())
            }
            Choice::New { preset, name } => run::run(
                store,
                data,
                &Plan::named(&name, Some(preset)),
                &How::default(),
            ),
            Choice::Delete(name) => store
                .delete(&name)
                .map_err(Refusal::from)
                .map(|()| ExitCode::SUCCESS),
            Choice::Leave | Choice::Gone => Ok(ExitCode::SUCCESS),
        };
        list.problem = match done {
            Ok(code) if code == ExitCode::SUCCESS => None,
            // A signal or a closed window ended the view: it ends this one too.
            Ok(code) => return Ok(code),
            Err(refusal) => Some(refusal.to_string()),
        };
    }
}

/// What the person chooses, or the exit code of the signal that ended it.
fn choose(
    store: &Store,
    presets: &[String],
    options: &tui::Options,
    list: &mut List,
) -> Result<Result<Choice, u8>, Refusal> {
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let chosen = browse(rows(store), presets, options, list);
        tokio::pin!(chosen);
        tokio::select! {
            biased;
            code = signals.next() => Ok(Err(code)),
            chosen = &mut chosen => chosen.map(Ok).map_err(Refusal::failed),
        }
    })
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        let problem = entry.problem.unwrap_or_default();
        Self {
            name: entry.name,
            state: match entry.state {
                "new" => RowState::New,
                "running" => RowState::Running,
                "interrupted" => RowState::Interrupted,
                "stopped" => RowState::Stopped,
                "finished" => RowState::Finished,
                "failed" => RowState::Failed(problem),
                _ => RowState::Damaged(problem),
            },
            done: entry.done,
            total: entry.total,
            headline: entry.headline,
            updated: entry.updated,
            pid: entry.pid,
        }
    }
}
