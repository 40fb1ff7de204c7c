//! `noisescope` without a command: the session browser; a plain list if the output is not a terminal; the
//! quickstart if there are no sessions yet.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::listing::{Entry, contents, rows};
use super::look::{Line, Look};
use super::machine::Machine;
use super::plan::home;
use super::run::How;
use super::signals::{HUNG_UP, Signals, runtime};
use super::{Plan, Refusal, attach, compare, deed, foresee, ls, own, pilot, run};
use crate::data;
use crate::session::store::Store;
use crate::tui::browser::{Asked, Asks, Choice, List, Row, browse};
use crate::tui::theme::can_draw;

/// Opens the browser on a terminal or prints the list without one; runs the quickstart preset if there are no sessions.
pub fn run(store: &Store, data: Option<&Path>, line: &Line) -> Result<ExitCode, Refusal> {
    if let Some(path) = data.filter(|path| own::is_images(path)) {
        return Err(Refusal::Usage(format!(
            "--data {0} holds your own images, which need a named session: noisescope run NAME --data {0}",
            path.display()
        )));
    }
    let any = !store.names()?.is_empty();
    if any && !can_draw() {
        // Output goes to a pipe or file: list the sessions, don't start a run.
        return ls::run(store, false);
    }
    if !any {
        return run::run(
            store,
            data,
            &Plan::named("quickstart", None),
            &run_args(line),
        );
    }
    let folder = data::data_dir(data).map_err(Refusal::failed)?;
    let machine = Machine::default();
    let look = Look {
        store,
        data: &folder,
        machine: &machine,
        options: line.options()?,
    };
    let mut list = List::default();
    loop {
        let chosen = match choose(&look, data, &mut list)? {
            Err(code) => return Ok(ExitCode::from(code)),
            Ok(Choice::Gone) => return Ok(ExitCode::from(HUNG_UP)),
            Ok(Choice::Leave) => return Ok(ExitCode::SUCCESS),
            Ok(choice) => choice,
        };
        let done = match chosen {
            Choice::Open(name) => attach::run(&look, &name, false, &attach::At::default()),
            Choice::Extend(name) => attach::extend(&look, &name),
            Choice::Compare(name) => compare::chosen(&look, &name),
            Choice::Resume(name) => {
                run::run(store, data, &Plan::named(&name, None), &run_args(line))
            }
            Choice::New(asked) => make((store, data), &asked, line),
            Choice::Delete(name) => store.to_trash(&name).map_err(Refusal::from).map(|place| {
                list.news = Some(format!(
                    "{name} is now in {}. To restore it, move its files back.",
                    place.display()
                ));
                ExitCode::SUCCESS
            }),
            Choice::Leave | Choice::Gone => Ok(ExitCode::SUCCESS),
        };
        list.problem = match done {
            Ok(code) if code == ExitCode::SUCCESS => None,
            // A signal or a closed window ended the view: leave the browser too.
            Ok(code) => return Ok(code),
            Err(refusal) => Some(refusal.to_string()),
        };
    }
}

/// Run options with these screen options.
fn run_args(line: &Line) -> How {
    let mut how = How::default();
    how.line = line.clone();
    how
}

/// Creates the session described by the form and runs it.
fn make(
    (store, data): (&Store, Option<&Path>),
    asked: &Asked,
    line: &Line,
) -> Result<ExitCode, Refusal> {
    let images = asked
        .images
        .as_deref()
        .map(|path| PathBuf::from(home(path)));
    let (plan, data) =
        Plan::asked(asked, store)?.settled(store, "run", images.as_deref().or(data))?;
    run::run(store, data, &plan, &run_args(line))
}

/// Runs the browser: the user's choice, or the exit code of the signal that ended it.
fn choose(
    look: &Look<'_>,
    data: Option<&Path>,
    list: &mut List,
) -> Result<Result<Choice, u8>, Refusal> {
    let store = look.store;
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let asks = Asks {
            rows: Box::new(rows(store)),
            pilot: Arc::new(pilot::asked(store, data)),
            weigh: Arc::new(contents(store)),
            act: Arc::new(deed::act(store)),
            pace: Arc::new(foresee::pace),
            presets: foresee::presets(store, look.data),
        };
        let chosen = browse(asks, &look.options, list);
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
        Self {
            name: entry.name,
            standing: entry.standing,
            done: entry.done,
            total: entry.total,
            headline: entry.headline,
            updated: entry.updated,
            pid: entry.pid,
        }
    }
}
