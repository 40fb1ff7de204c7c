//! `noisescope` without a command: the session browser; a plain list if the output is not a terminal; the
//! quickstart if there are no sessions yet.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::listing::{SessionEntry, contents, rows};
use super::look::{AttachView, ScreenArgs};
use super::machine::MachineArgs;
use super::network_file::expand_home;
use super::run::RunArgs;
use super::signals::{HUNG_UP, Signals, runtime};
use super::{
    CommandError, SessionArgs, attach, compare, data_arg, ls, pilot, preset_info, run,
    session_actions,
};
use crate::data;
use crate::session::store::Store;
use crate::tui::browser::{
    BrowserCallbacks, BrowserChoice, ListState, SessionRequest, SessionRow, browse,
};
use crate::tui::theme::can_draw;

/// Opens the browser on a terminal or prints the list without one; runs the quickstart preset if there are no sessions.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    line: &ScreenArgs,
) -> Result<ExitCode, CommandError> {
    if let Some(path) = data.filter(|path| data_arg::has_images(path)) {
        return Err(CommandError::Usage(format!(
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
            &SessionArgs::named("quickstart", None),
            &run_args(line),
        );
    }
    let folder = data::data_dir(data).map_err(CommandError::failed)?;
    let machine = MachineArgs::default();
    let look = AttachView {
        store,
        data: &folder,
        machine: &machine,
        options: line.options()?,
    };
    let mut list = ListState::default();
    loop {
        let chosen = match choose(&look, data, &mut list)? {
            Err(code) => return Ok(ExitCode::from(code)),
            Ok(BrowserChoice::Gone) => return Ok(ExitCode::from(HUNG_UP)),
            Ok(BrowserChoice::Leave) => return Ok(ExitCode::SUCCESS),
            Ok(choice) => choice,
        };
        let requested = match &chosen {
            BrowserChoice::New(asked) => Some(asked.name.clone()),
            _ => None,
        };
        let unused = requested.filter(|name| !store.exists(name));
        let done =
            match chosen {
                BrowserChoice::Open(name) => {
                    attach::run(&look, &name, false, &attach::StartArgs::default())
                }
                BrowserChoice::Extend(name) => attach::extend(&look, &name),
                BrowserChoice::Compare(name) => compare::compare_with_chosen(&look, &name),
                BrowserChoice::Resume(name) => run::run(
                    store,
                    data,
                    &SessionArgs::named(&name, None),
                    &run_args(line),
                ),
                BrowserChoice::New(asked) => make((store, data), &asked, line),
                BrowserChoice::Delete(name) => store
                    .to_trash(&name)
                    .map_err(CommandError::from)
                    .map(|place| {
                        list.notice = Some(format!(
                            "{name} is now in {}. To restore it, move its files back",
                            place.display()
                        ));
                        ExitCode::SUCCESS
                    }),
                BrowserChoice::Leave | BrowserChoice::Gone => Ok(ExitCode::SUCCESS),
            };
        list.problem = match done {
            Ok(code) if code == ExitCode::SUCCESS => None,
            // A signal or a closed window ended the view: leave the browser too.
            Ok(code) => return Ok(code),
            Err(refusal) => {
                // A session that was created is in the list, with what became of it.
                if unused.is_some_and(|name| store.exists(&name)) {
                    list.close_form();
                }
                Some(refusal.to_string())
            }
        };
    }
}

/// Run options with these screen options.
fn run_args(line: &ScreenArgs) -> RunArgs {
    let mut how = RunArgs::default();
    how.screen = line.clone();
    how
}

/// Creates the session described by the form and runs it.
fn make(
    (store, data): (&Store, Option<&Path>),
    asked: &SessionRequest,
    line: &ScreenArgs,
) -> Result<ExitCode, CommandError> {
    let images = asked
        .images
        .as_deref()
        .map(|path| PathBuf::from(expand_home(path)));
    let (plan, data) =
        SessionArgs::from_form(asked, store)?.resolve(store, "run", images.as_deref().or(data))?;
    run::run(store, data, &plan, &run_args(line))
}

/// Runs the browser: the user's choice, or the exit code of the signal that ended it.
fn choose(
    look: &AttachView<'_>,
    data: Option<&Path>,
    list: &mut ListState,
) -> Result<Result<BrowserChoice, u8>, CommandError> {
    let store = look.store;
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let asks = BrowserCallbacks {
            rows: Box::new(rows(store)),
            pilot: Arc::new(pilot::pilot_for_form(store, data)),
            weigh: Arc::new(contents(store)),
            act: Arc::new(session_actions::session_action(store)),
            pace: Arc::new(preset_info::measure_speed),
            presets: preset_info::presets(store, look.data),
        };
        let chosen = browse(asks, &look.options, list);
        tokio::pin!(chosen);
        tokio::select! {
            biased;
            code = signals.next() => Ok(Err(code)),
            chosen = &mut chosen => chosen.map(Ok).map_err(CommandError::failed),
        }
    })
}

impl From<SessionEntry> for SessionRow {
    fn from(entry: SessionEntry) -> Self {
        Self {
            name: entry.name,
            standing: entry.standing,
            done: entry.done,
            total: entry.total,
            headline: entry.headline,
            open: entry.open,
            problem: entry.problem,
            updated: entry.updated,
            pid: entry.pid,
        }
    }
}
