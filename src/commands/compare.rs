//! `noisescope compare`: the maps of two sessions side by side, and how alike they decide.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;

use super::machine::Machine;
use super::show::By;
use super::signals::runtime;
use super::{Refusal, attach};
use crate::comparison::{Compared, Misfit, Pair, Shown, Wish};
use crate::data;
use crate::engine::device::Choice;
use crate::engine::side_by_side::{self, Bench};
use crate::export::comparison::What;
use crate::export::{self, Format};
use crate::link::client;
use crate::report::comparison::comparison;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Form;
use crate::session::store::Store;

/// Trials that both networks are shown unless another number is asked for.
const TRIALS: u64 = 10_000;

/// Which sessions, and what of them.
#[derive(Debug, Args)]
pub struct Compare {
    /// The first session
    a: String,
    /// The second
    b: String,
    /// Maps by the network's decisions, or by its outputs (default: evidence where both have it)
    #[arg(long, value_enum, value_name = "WHAT")]
    response: Option<By>,
    /// The signal strength (default: the one that shows most; in files, all)
    #[arg(long, value_name = "G")]
    gamma: Option<f64>,
    /// The noise, where both plans have several: uniform, gaussian, …
    #[arg(long, value_name = "KIND")]
    noise: Option<String>,
    /// One class alone in figures, by number or name
    #[arg(long, value_name = "CLASS")]
    map: Option<String>,
    /// Show both networks the same N trials and count how often they decide alike (default: 10,000 where
    /// nothing is drawn; 0: leave it out)
    #[arg(long, value_name = "N")]
    trials: Option<u64>,
    /// Print it instead of drawing it
    #[arg(long, conflicts_with_all = ["json", "format"])]
    plain: bool,
    /// As one JSON object
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// As files: json, npz (the maps), csv (tables) or png (figures)
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where to (default: standard output for json, A-vs-B.npz, the folders A-vs-B-tables and A-vs-B-figures)
    #[arg(long, value_name = "PATH", requires = "format")]
    out: Option<PathBuf>,
    #[command(flatten)]
    machine: Machine,
}

impl Compare {
    fn wish(&self) -> Wish {
        Wish {
            noise: self.noise.clone(),
            gamma: self.gamma,
            response: self.response.map(Response::from),
        }
    }
}

impl From<Misfit> for Refusal {
    /// Sessions that have not run yet may well be compared later.
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::NoMaps { .. } => Self::Failed(misfit.to_string()),
            _ => Self::Usage(misfit.to_string()),
        }
    }
}

/// Compares two sessions.
pub fn run(store: &Store, data: Option<&Path>, compare: &Compare) -> Result<ExitCode, Refusal> {
    compare.machine.check()?;
    let folder = data::data_dir(data).map_err(Refusal::failed)?;
    let [a, b] = [newest(store, &compare.a)?, newest(store, &compare.b)?];
    let wish = compare.wish();
    let pair = Pair::new(&a, &b, &wish)?;
    let classes = compare.classes(&pair)?;
    let response = wish.response.unwrap_or(pair.responses[0]);
    let chosen = wish.gamma.and_then(|gamma| pair.place(gamma));
    let place = chosen.unwrap_or_else(|| pair.best(response));
    let alike = match compare.trials.unwrap_or(TRIALS) {
        0 => None,
        trials => Some(compare.shown(store, &folder, &pair, (place, trials))),
    };
    let alike = alike.as_ref().map(|it| it.as_ref().map_err(String::as_str));
    let format = match compare.json {
        true => Some(Format::Json),
        false => compare.format,
    };
    let Some(format) = format else {
        let compared = Compared::new(&pair, place, response);
        return page(&comparison(&pair, &compared, alike));
    };
    let what = What {
        places: chosen.map_or_else(|| (0..pair.gammas.len()).collect(), |place| vec![place]),
        responses: wish.response.map_or_else(|| pair.responses.clone(), |it| vec![it]),
        pair: &pair,
        classes,
        alike,
    };
    export::comparison::write(&what, format, compare.out.as_deref()).map_err(Refusal::failed)?;
    Ok(ExitCode::SUCCESS)
}

/// A session as its engine has it, where one runs, else as its file does.
fn newest(store: &Store, name: &str) -> Result<Session, Refusal> {
    let live = match store.engine(name) {
        Some(_) => runtime()?.block_on(client::now(store, name, attach::PATIENCE)),
        None => None,
    };
    match live {
        Some(session) => Ok(session),
        None => Ok(store.load(name)?),
    }
}

impl Compare {
    /// The class that is asked for alone.
    fn classes(&self, pair: &Pair<'_>) -> Result<Option<Vec<usize>>, Refusal> {
        let Some(typed) = &self.map else {
            return Ok(None);
        };
        let numbered = || Form::numbered([1, 1, 1], pair.gammas[0].trials[0].classes());
        let form = pair.form().cloned().unwrap_or_else(numbered);
        let found = form.find(typed);
        let class = found.map_err(|problem| Refusal::Usage(format!("--map: {problem}")))?;
        Ok(Some(vec![class]))
    }

    /// Shows both networks the same trials; why not, in words, where they cannot be.
    fn shown(
        &self,
        store: &Store,
        data: &Path,
        pair: &Pair<'_>,
        (place, trials): (usize, u64),
    ) -> Result<Shown, String> {
        // An engine keeps its weights to itself; the files have them.
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let [a, b] = pair.names().map(|name| store.load(name));
        let (a, b) = (a.map_err(|e| words(&e))?, b.map_err(|e| words(&e))?);
        let device = Choice::from_str(&self.machine.device).map_err(|e| words(&e))?;
        let bench = Bench {
            store,
            data,
            device: &device,
            workers: self.machine.workers,
        };
        side_by_side::show([&a, &b], pair, place, trials, bench).map_err(|e| words(&e))
    }
}

fn page(page: &str) -> Result<ExitCode, Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(page.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Refusal::failed(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
