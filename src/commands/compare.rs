//! `noisescope compare`: the maps of two sessions side by side, and how often their networks agree.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::look::{AttachView, ScreenArgs};
use super::machine::MachineArgs;
use super::output::{complain, print_report};
use super::show::ResponseArg;
use super::signals::{HUNG_UP, Signals, runtime};
use super::{CommandError, listing};
use crate::comparison::{
    ComparisonError, ComparisonRequest, MapComparison, SessionPair, SharedTrialDecisions,
};
use crate::data;
use crate::engine::agreement_run::{self, ReplaySetup};
use crate::engine::device::DeviceChoice;
use crate::export;
use crate::export::comparison::{ComparisonExport, ComparisonFormat};
use crate::ids::{ClassId, Gamma};
use crate::link::client::EngineAnswer;
use crate::link::{Connection, Link, client};
use crate::report::comparison::comparison;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Form;
use crate::session::store::Store;
use crate::tui::browser::{BrowserCallbacks, BrowserChoice as Chosen, ListState};
use crate::tui::theme::can_draw;
use crate::tui::{self, compare as screen};

/// How long an engine may take to send its session: it may be writing a checkpoint.
const PATIENCE: Duration = Duration::from_secs(3);

/// Default number of trials shown to both networks.
const TRIALS: u64 = 10_000;

/// Which sessions to compare, and how.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The first session
    a: String,
    /// The second session
    b: String,
    /// Maps by the network's decisions, or by its outputs (default: evidence if both have it)
    #[arg(long, value_enum, value_name = "WHAT")]
    response: Option<ResponseArg>,
    /// The signal strength (default: the one that shows most; in files, all)
    #[arg(long, value_name = "G")]
    gamma: Option<Gamma>,
    /// The noise, if both plans have several: uniform, gaussian, …
    #[arg(long, value_name = "KIND")]
    noise: Option<String>,
    /// Only this class in figures, by number or name
    #[arg(long, value_name = "CLASS", visible_alias = "class")]
    map: Option<String>,
    /// Show both networks the same N trials, at --gamma or where decisions vary most, and count how often
    /// they agree (default: 10,000, but none for the screen and for figures; 0: skip)
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// Print text instead of drawing
    #[arg(long, conflicts_with_all = ["json", "format"])]
    plain: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Write files: json, npz (the maps), csv (tables), or svg, pdf, png (figures)
    #[arg(long, value_enum)]
    format: Option<ComparisonFormat>,
    /// Output path (default: standard output for json, A-vs-B.npz, the folders A-vs-B-tables and A-vs-B-figures)
    #[arg(
        long,
        value_name = "PATH",
        requires = "format",
        conflicts_with = "plain"
    )]
    out: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
    /// Screen options, which every command takes.
    #[arg(skip)]
    pub screen: ScreenArgs,
}

impl CompareArgs {
    fn wish(&self) -> ComparisonRequest {
        ComparisonRequest {
            noise: self.noise.clone(),
            gamma: self.gamma,
            response: self.response.map(Response::from),
        }
    }
}

impl From<ComparisonError> for CommandError {
    /// Sessions without maps yet may be comparable later, so that is a failure and not a usage error.
    fn from(misfit: ComparisonError) -> Self {
        match misfit {
            ComparisonError::NoMaps { .. } => Self::Failed(misfit.to_string()),
            _ => Self::Usage(misfit.to_string()),
        }
    }
}

/// Compares two sessions.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    compare: &CompareArgs,
) -> Result<ExitCode, CommandError> {
    compare.machine.check()?;
    compare.machine.tell_unused()?;
    if let Some(format) = &compare.format {
        super::export::check_ending(compare.out.as_deref(), format)?;
    }
    let folder = data::data_dir(data).map_err(CommandError::failed)?;
    let as_text = compare.plain || compare.json || compare.format.is_some();
    if !as_text && can_draw() {
        compare.refuse_map()?;
        return compare.draw(store, &folder);
    }
    let runtime = runtime()?;
    let a = runtime.block_on(newest(store, &compare.a))?;
    let b = runtime.block_on(newest(store, &compare.b))?;
    compare.write(store, &folder, [&a, &b])
}

impl CompareArgs {
    /// Draws the comparison on the terminal, live if engines are running.
    fn draw(&self, store: &Store, data: &Path) -> Result<ExitCode, CommandError> {
        runtime()?.block_on(async {
            let mut signals = Signals::listen()?;
            let alike = self.trials.filter(|trials| *trials > 0);
            let alike = alike.map(|trials| self.measure(store, data, trials));
            let view = SideBySide {
                store,
                wish: self.wish(),
                options: self.screen.options()?,
            };
            let code = view.draw([&self.a, &self.b], alike, &mut signals).await?;
            Ok(code.map_or(ExitCode::SUCCESS, ExitCode::from))
        })
    }

    /// Writes the comparison as text or as files.
    fn write(
        &self,
        store: &Store,
        data: &Path,
        [a, b]: [&Session; 2],
    ) -> Result<ExitCode, CommandError> {
        let wish = self.wish();
        let pair = SessionPair::new(a, b, &wish)?;
        let class = self.class(&pair)?;
        let response = wish.response.unwrap_or(pair.responses[0]);
        let chosen = wish.gamma.and_then(|gamma| pair.gamma_index(gamma));
        let place = chosen.unwrap_or_else(|| pair.best_gamma_index(response));
        let format = match self.json {
            true => Some(ComparisonFormat::Json),
            false => self.format,
        };
        let is_drawn = format.is_some_and(|format| format.figure_format().is_some());
        if !is_drawn {
            self.refuse_map()?;
        } else if self.trials.is_some_and(|trials| trials > 0) {
            complain(
                "--trials has no effect: figures do not show how often the networks agree; text, json, npz and csv do",
            );
        }
        let alike = match self.trials.unwrap_or(TRIALS) {
            0 => None,
            _ if is_drawn => None,
            trials => Some(self.same_trials().run(store, data, trials)),
        };
        let alike = alike
            .as_ref()
            .map(|shown| shown.as_ref().map_err(String::as_str));
        let Some(format) = format else {
            let compared = MapComparison::new(&pair, place, response);
            print_report(&comparison(&pair, &compared, alike));
            return Ok(ExitCode::SUCCESS);
        };
        let all = || (0..pair.gammas.len()).collect();
        let what = ComparisonExport {
            places: chosen.map_or_else(all, |place| vec![place]),
            responses: wish
                .response
                .map_or_else(|| pair.responses.clone(), |response| vec![response]),
            pair: &pair,
            class,
            agreement: alike,
        };
        export::comparison::write(&what, format, self.out.as_deref())
            .map_err(super::export::failure)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Compares a session with another that the user chooses from the list of sessions.
pub fn compare_with_chosen(look: &AttachView<'_>, name: &str) -> Result<ExitCode, CommandError> {
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let code = with_another(look, name, &mut signals).await?;
        Ok(code.map_or(ExitCode::SUCCESS, ExitCode::from))
    })
}

/// Lets the user choose the other session and shows both; returns the exit code of a signal that ended
/// the program. If two sessions cannot be compared, the list shows why.
pub async fn with_another(
    look: &AttachView<'_>,
    name: &str,
    signals: &mut Signals,
) -> Result<Option<u8>, CommandError> {
    let mut list = ListState::against(name);
    loop {
        let chosen = tokio::select! {
            biased;
            code = signals.next() => return Ok(Some(code)),
            // Only existing sessions are chosen, so the pilot and its network are not needed.
            chosen = tui::browse(browser_callbacks(look.store), &look.options, &mut list) => {
                chosen.map_err(CommandError::failed)?
            }
        };
        let other = match chosen {
            Chosen::Open(other) => other,
            Chosen::Gone => return Ok(Some(HUNG_UP)),
            _ => return Ok(None),
        };
        let view = SideBySide {
            store: look.store,
            wish: ComparisonRequest::default(),
            options: look.options,
        };
        match view.draw([name, &other], None, signals).await {
            Ok(code) => return Ok(code),
            Err(refusal) => list.problem = Some(refusal.to_string()),
        }
    }
}

/// Browser callbacks for choosing the other session: creating sessions and acting on them are disabled.
fn browser_callbacks(store: &Store) -> BrowserCallbacks {
    BrowserCallbacks {
        rows: Box::new(listing::rows(store)),
        pilot: Arc::new(|_, _| Err(String::new())),
        weigh: Arc::new(listing::contents(store)),
        act: Arc::new(|_| Err(String::new())),
        pace: Arc::new(|_| Err(String::new())),
        presets: Vec::new(),
    }
}

/// Draws two sessions side by side.
struct SideBySide<'a> {
    store: &'a Store,
    wish: ComparisonRequest,
    options: tui::DisplayOptions,
}

impl SideBySide<'_> {
    /// Draws them until the user goes back; returns the exit code of a signal that ended it.
    async fn draw(
        self,
        names: [&str; 2],
        alike: Option<screen::PendingAgreement>,
        signals: &mut Signals,
    ) -> Result<Option<u8>, CommandError> {
        let a = newest(self.store, names[0]).await?;
        let b = newest(self.store, names[1]).await?;
        SessionPair::new(&a, &b, &self.wish)?;
        let links = [a, b].map(|session| self.follow(session));
        let drawn = screen::compare(links, self.wish, alike, self.options);
        tokio::select! {
            biased;
            code = signals.next() => Ok(Some(code)),
            end = drawn => match end.map_err(CommandError::failed)? {
                screen::ComparisonExit::Back => Ok(None),
                screen::ComparisonExit::Gone => Ok(Some(HUNG_UP)),
            },
        }
    }

    /// A link that follows a session.
    fn follow(&self, session: Session) -> Link {
        let expected = match self.store.engine(&session.name) {
            Some(_) => Connection::Connecting,
            None => Connection::ReadOnly,
        };
        client::follow(self.store.clone(), session, expected)
    }
}

/// The newest state of a session: its engine's if one runs, else its file's.
async fn newest(store: &Store, name: &str) -> Result<Session, CommandError> {
    let live = match store.engine(name) {
        Some(_) => match client::query(store, name, PATIENCE).await {
            EngineAnswer::Session(session) => Some(*session),
            EngineAnswer::NoAnswer | EngineAnswer::Unreachable => None,
        },
        None => None,
    };
    match live {
        Some(session) => Ok(session),
        None => Ok(store.load_whole(name)?),
    }
}

impl CompareArgs {
    /// Refuses `--map` where no figure is written.
    fn refuse_map(&self) -> Result<(), CommandError> {
        match self.map {
            None => Ok(()),
            Some(_) => Err(CommandError::Usage(
                "--map applies only to figures: use it with --format svg, pdf or png".into(),
            )),
        }
    }

    /// The class given by `--map`.
    fn class(&self, pair: &SessionPair<'_>) -> Result<Option<ClassId>, CommandError> {
        let Some(typed) = &self.map else {
            return Ok(None);
        };
        let numbered = || Form::numbered([1, 1, 1], pair.gammas[0].trials[0].classes());
        let form = pair.form().cloned().unwrap_or_else(numbered);
        let found = form.find(typed);
        let class = found.map_err(|problem| CommandError::Usage(format!("--map: {problem}")))?;
        Ok(Some(class))
    }

    /// The request to show both networks the same trials.
    fn same_trials(&self) -> SameTrials {
        SameTrials {
            names: [self.a.clone(), self.b.clone()],
            wish: self.wish(),
            machine: self.machine.clone(),
        }
    }

    /// Shows both networks the same trials on a separate thread, which ends once they are done.
    fn measure(&self, store: &Store, data: &Path, trials: u64) -> screen::PendingAgreement {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (store, data, request) = (store.clone(), data.to_owned(), self.same_trials());
        std::thread::spawn(move || {
            // The receiver is gone if the user has left the view.
            let _ = sender.send(request.run(&store, &data, trials));
        });
        receiver
    }
}

/// Two sessions whose networks are to be shown the same trials.
struct SameTrials {
    names: [String; 2],
    wish: ComparisonRequest,
    machine: MachineArgs,
}

impl SameTrials {
    /// Shows both networks the same trials; an error says why that is impossible. Engines do not send weights, so
    /// the sessions are read from their files.
    fn run(&self, store: &Store, data: &Path, trials: u64) -> Result<SharedTrialDecisions, String> {
        let load = |name: &String| store.load_whole(name).map_err(|error| error.to_string());
        let [a, b] = [load(&self.names[0])?, load(&self.names[1])?];
        let pair = SessionPair::new(&a, &b, &self.wish).map_err(|error| error.to_string())?;
        let chosen = self.wish.gamma.and_then(|gamma| pair.gamma_index(gamma));
        let place = chosen.unwrap_or_else(|| pair.most_varied_gamma_index());
        let device =
            DeviceChoice::from_str(&self.machine.device).map_err(|error| error.to_string())?;
        let bench = ReplaySetup {
            store,
            data,
            device: &device,
            workers: self.machine.workers,
            convolutions: self.machine.exact.map(Into::into),
        };
        let shown = agreement_run::count_joint_decisions([&a, &b], &pair, place, trials, bench);
        shown.map_err(|error| error.to_string())
    }
}
