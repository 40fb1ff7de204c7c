//! `noisescope trials`: recreates the trials behind a cell of the counts and shows them to the network again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;

use super::export::check_ending;
use super::machine::{self, ConvolutionArg, DeviceOptions};
use super::{CommandError, output};
use crate::data;
use crate::engine::agreement_run::ReplaySetup;
use crate::engine::device::DeviceChoice;
use crate::engine::replay::{self, FoundTrials, TrialSearch};
use crate::export::trials::{MOST_ON_A_SHEET, TrialsFormat, write};
use crate::format::{counted, gamma, thousands};
use crate::ids::Gamma;
use crate::session::Session;
use crate::session::record::{ClassificationImages, GammaTrials};
use crate::session::store::Store;

/// Which trials to find, and how to write them.
#[derive(Debug, Args)]
pub struct TrialsArgs {
    /// The session
    name: String,
    /// Trials that the network called this class, by number or name
    #[arg(long, value_name = "CLASS")]
    called: Option<String>,
    /// Trials of this true class, by number or name
    #[arg(long = "true", value_name = "CLASS")]
    truth: Option<String>,
    /// Trials of any class
    #[arg(long, conflicts_with_all = ["called", "truth"])]
    any: bool,
    /// The signal strength (default: the strongest that has trials)
    #[arg(long, value_name = "G")]
    gamma: Option<Gamma>,
    /// Which of the plan's classification images, if it has several; from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    images: u64,
    /// At most this many trials: the first ones
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// png: the stimuli on one sheet; npz: stimuli, noise and the network's outputs, for numpy.load; json: a list
    #[arg(long, value_enum, default_value = "png")]
    format: TrialsFormat,
    /// Output path (default: standard output for json, else for example
    /// NAME-trials-true-8-called-3-gamma-0.4.png)
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// auto (where the session was computed), cpu, flex, libtorch or cuda:N
    #[arg(long, default_value = "auto")]
    device: String,
    /// Blocks computed at the same time (default: one per core); does not change results
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// On cpu: compute every convolution directly (default: as the session was computed)
    #[arg(long, value_name = "HOW")]
    exact: Option<ConvolutionArg>,
    /// On cuda:N: multiply in TF32, if the session was computed that way
    #[arg(long)]
    tf32: bool,
}

/// Finds the trials and writes them.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    trials: &TrialsArgs,
) -> Result<ExitCode, CommandError> {
    let choice = DeviceChoice::from_str(&trials.device)?;
    choice.check()?;
    trials.check()?;
    let given = DeviceOptions {
        exact: trials.exact == Some(ConvolutionArg::Direct),
        launch: false,
        tf32: trials.tf32,
    };
    given.tell_unused(&choice);
    let session = store.load_whole(&trials.name)?;
    let search = trials.search(&session)?;
    let folder = data::data_dir(data).map_err(CommandError::failed)?;
    let bench = ReplaySetup {
        store,
        data: &folder,
        device: &choice,
        workers: trials.workers,
        convolutions: trials.exact.map(Into::into),
    };
    let found = replay::find_trials(&session, &search, bench).map_err(CommandError::failed)?;
    for note in &found.notes {
        output::complain(format_args!("{}: {note}", session.name));
    }
    let messages = Messages {
        session: &session,
        search: &search,
        found: &found,
    };
    if found.trials.is_empty() && trials.format == TrialsFormat::Png {
        messages.differs();
        return Err(CommandError::Failed(messages.nothing()));
    }
    write(
        &session,
        &search,
        &found,
        trials.format,
        trials.out.as_deref(),
    )
    .map_err(CommandError::failed)?;
    output::tell(messages.found());
    messages.differs();
    Ok(ExitCode::SUCCESS)
}

impl TrialsArgs {
    fn usage(&self, problem: &str) -> CommandError {
        CommandError::Usage(format!("{}: {problem}", self.name))
    }

    /// Checks the options before the session is read.
    fn check(&self) -> Result<(), CommandError> {
        machine::check_workers(self.workers)?;
        if !self.any && self.called.is_none() && self.truth.is_none() {
            return Err(
                self.usage("choose trials: --called CLASS, --true CLASS or both; --any for all")
            );
        }
        if self.format == TrialsFormat::Png && self.count > MOST_ON_A_SHEET as u64 {
            return Err(self.usage(&format!(
                "--count {}: a sheet has room for {MOST_ON_A_SHEET} trials; for more: --format npz",
                self.count
            )));
        }
        check_ending(self.out.as_deref(), &self.format)
    }

    /// The search that the options describe.
    fn search(&self, session: &Session) -> Result<TrialSearch, CommandError> {
        self.refuse_parts(session)?;
        let images = self.images as usize - 1;
        let records = session.record.all::<ClassificationImages>();
        let records: Vec<&ClassificationImages> = records.map(|(_, record)| record).collect();
        let Some(&chosen) = records.get(images) else {
            return Err(self.usage(&match records.len() {
                0 => "its plan has no classification images, so there are no trials; put ClassificationImages(()) into the plan of a new session".to_owned(),
                count => format!("--images {}: its plan has {count}, counted from 1", self.images),
            }));
        };
        let shown = |trials: &GammaTrials| trials.trials > 0;
        let (Some(form), true) = (&session.record.form, chosen.gammas.iter().any(shown)) else {
            return Err(CommandError::Failed(format!(
                "{0} has no trials of classification images yet; run it first: noisescope run {0}",
                self.name
            )));
        };
        let gamma_index = self.place(chosen)?;
        let class = |flag: &str, typed: Option<&str>| {
            let found = typed.map(|typed| form.find(typed)).transpose();
            found.map_err(|problem| self.usage(&format!("{flag}: {problem}")))
        };
        let search = TrialSearch {
            images,
            gamma_index,
            truth: class("--true", self.truth.as_deref())?,
            decision: class("--called", self.called.as_deref())?,
            count: usize::try_from(self.count).unwrap_or(usize::MAX),
        };
        if search.truth.is_some() && chosen.gammas[gamma_index].gamma == Gamma::NOISE {
            let others = strengths(chosen, |trials| trials.gamma > Gamma::NOISE);
            let others = match others.is_empty() {
                true => String::new(),
                false => format!(", or choose another γ: --gamma {}", others.join(" or ")),
            };
            return Err(self.usage(&format!(
                "--true: at γ 0 no image is blended with the noise, so trials have no true class; leave out --true{others}"
            )));
        }
        Ok(search)
    }

    /// Refuses a session whose blocks are spread over several files.
    fn refuse_parts(&self, session: &Session) -> Result<(), CommandError> {
        let (sharding, shard) = (&session.record.sharding, &session.record.shard);
        match (sharding, shard) {
            (None, None) => Ok(()),
            (Some(sharding), _) => Err(self.usage(&format!(
                "it is divided into {}; once they are done, merge them: noisescope merge {}",
                counted(u64::from(sharding.count), "shard", "shards"),
                self.name
            ))),
            (None, Some(_)) => Err(self.usage(
                "it is a shard of a session; use the session itself, once its shards are merged",
            )),
        }
    }

    /// The index of the signal strength.
    fn place(&self, record: &ClassificationImages) -> Result<usize, CommandError> {
        let gammas = record.gammas.iter().enumerate();
        let mut gammas = gammas.filter(|(_, trials)| trials.trials > 0);
        let place = match self.gamma {
            None => gammas.max_by(|(_, a), (_, b)| a.gamma.total_cmp(&b.gamma)),
            Some(asked) => gammas.find(|(_, trials)| (trials.gamma.0 - asked.0).abs() < 1e-9),
        };
        let found = place.map(|(place, _)| place);
        found.ok_or_else(|| {
            let asked = self.gamma.unwrap_or_default();
            let all = strengths(record, |_| true).join(", ");
            self.usage(&format!(
                "--gamma {asked}: there are no trials at that γ, only at {all}"
            ))
        })
    }
}

/// The signal strengths that have trials and satisfy `accept`, as the user types them.
fn strengths(record: &ClassificationImages, accept: impl Fn(&GammaTrials) -> bool) -> Vec<String> {
    let gammas = record.gammas.iter();
    let gammas = gammas.filter(|trials| trials.trials > 0 && accept(trials));
    gammas.map(|trials| trials.gamma.to_string()).collect()
}

/// Messages about the search's result.
struct Messages<'a> {
    session: &'a Session,
    search: &'a TrialSearch,
    found: &'a FoundTrials,
}

impl Messages<'_> {
    /// `trials of class 8 called 3 at γ 0.4`.
    fn words(&self) -> String {
        let record = &self.session.record;
        let truth = self.search.truth.map(|class| record.class_in_words(class));
        let truth = truth.map_or_else(String::new, |class| format!(" of {class}"));
        let called = self.search.decision.map(|class| record.bare_class(class));
        let called = called.map_or_else(String::new, |class| format!(" called {class}"));
        format!("trials{truth}{called} at γ {}", gamma(self.found.gamma))
    }

    /// `mine: 20 of 153 trials of class 8 called 3 at γ 0.4`.
    fn found(&self) -> String {
        format!(
            "{}: {} of {} {}",
            self.session.name,
            thousands(self.found.trials.len() as u64),
            thousands(self.found.recorded),
            self.words()
        )
    }

    fn nothing(&self) -> String {
        format!(
            "{}: there are no {} in the {} completed blocks",
            self.session.name,
            self.words(),
            thousands(self.found.finished_blocks)
        )
    }

    /// Warns if the network now decides differently from what was recorded.
    fn differs(&self) {
        if !self.found.differs() {
            return;
        }
        let then = self.session.record.devices.last();
        let then = then.map_or("an unknown device", String::as_str);
        output::complain(format_args!(
            "{}: the session recorded {} {}, but now the network gives {}: it was computed on {then} and now on {}, and decisions near a tie differ between devices; changed images or another program version may be the cause too",
            self.session.name,
            thousands(self.found.recorded),
            self.words(),
            thousands(self.found.matching),
            self.found.device
        ));
    }
}
