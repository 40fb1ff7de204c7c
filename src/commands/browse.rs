//! `noisescope` alone: the sessions to choose from, listed where there is no screen to draw on; the
//! quickstart where there is none yet.

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

/// The browser on a terminal, the list without one; without a session the quickstart preset.
pub fn run(store: &Store, data: Option<&Path>, line: &Line) -> Result<ExitCode, Refusal> {
    if let Some(path) = data.filter(|path| own::is_images(path)) {
        return Err(Refusal::Usage(format!(
            "--data {0} are images of your own; they belong to a session with a name: noisescope run NAME --data {0}",
            path.display()
        )));
    }
    let any = !store.names()?.is_empty();
    if any && !can_draw() {
        // Whoever reads the output has not asked for a run.
        return ls::run(store, false);
    }
    if !any {
        return run::run(store, data, &Plan::named("quickstart", None), &drawn(line));
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
            Choice::Resume(name) => run::run(store, data, &Plan::named(&name, None), &drawn(line)),
            Choice::New(asked) => make((store, data), &asked, line),
            Choice::Delete(name) => store.to_trash(&name).map_err(Refusal::from).map(|place| {
                list.news = Some(format!(
                    "{name} lies in {}. To bring it back, move its files to where they were.",
                    place.display()
                ));
                ExitCode::SUCCESS
            }),
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

/// A run that is drawn so.
fn drawn(line: &Line) -> How {
    let mut how = How::default();
    how.line = line.clone();
    how
}

/// Makes the session that the form asks for, and runs it.
fn make(
    (store, data): (&Store, Option<&Path>),
    asked: &Asked,
    line: &Line,
) -> Result<ExitCode, Refusal> {
    let images = asked.images.as_deref().map(|it| PathBuf::from(home(it)));
    let (plan, data) =
        Plan::asked(asked, store)?.settled(store, "run", images.as_deref().or(data))?;
    run::run(store, data, &plan, &drawn(line))
}

/// What the person chooses, or the exit code of the signal that ended it.
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
