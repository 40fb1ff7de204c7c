//! `noisescope show`: displays one figure on the terminal at full resolution.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::look::ScreenArgs;
use super::{CommandError, output};
use crate::drawing::Sheet;
use crate::figure::{self, Figure, choice};
use crate::files::quoted;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Form;
use crate::session::record::{ClassificationImages, SpikeTriggered};
use crate::session::store::Store;
use crate::tui::picture::{self, PictureError, Protocol, TerminalDisplay};
use crate::tui::theme::can_draw;

/// Which figure to show, and how.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The session
    name: String,
    #[command(flatten)]
    which: FigureChoice,
    /// The signal strength of the map (default: the one that shows the class best)
    #[arg(long, value_name = "G", conflicts_with_all = OTHER_FIGURES)]
    gamma: Option<Gamma>,
    /// The response that the map is made by (default: evidence if recorded)
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with_all = OTHER_FIGURES)]
    response: Option<ResponseArg>,
    /// Which of the plan's classification images, if it has several; from 1 (default: 1)
    #[arg(long, value_name = "N", conflicts_with_all = OTHER_FIGURES, value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// Which of the plan's experiments of the figure's kind, if it has several; from 1 (default: the first that has the
    /// figure)
    #[arg(long, value_name = "N", conflicts_with_all = ["map", "training"], value_parser = clap::value_parser!(u64).range(1..))]
    experiment: Option<u64>,
    /// How the picture is sent to the terminal
    #[arg(long, value_enum, default_value = "auto")]
    protocol: Protocol,
    /// Width in columns (default: as large as fits)
    #[arg(long, value_name = "COLS", value_parser = clap::value_parser!(u16).range(1..))]
    width: Option<u16>,
}

/// The response that a map is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResponseArg {
    /// The network's decisions: the classification image
    Decision,
    /// Its outputs for the class: the evidence image
    Evidence,
}

impl From<ResponseArg> for Response {
    fn from(by: ResponseArg) -> Self {
        match by {
            ResponseArg::Decision => Self::Decision,
            ResponseArg::Evidence => Self::Evidence,
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct FigureChoice {
    /// The evidence image or classification image of a class, by number or name
    #[arg(long, value_name = "CLASS")]
    map: Option<String>,
    /// What the units of a layer respond to
    #[arg(long, value_name = "LAYER")]
    filters: Option<String>,
    /// Any figure by the name that `export` uses: maps, modulation, confusion, …
    #[arg(long, value_name = "F")]
    figure: Option<String>,
    /// Success of the attack against the pattern's weight
    #[arg(long)]
    attack: bool,
    /// Loss and accuracy by epoch
    #[arg(long)]
    training: bool,
}

/// The options for figures other than the map of a class, whose γ, response and images cannot be chosen beside them.
const OTHER_FIGURES: [&str; 4] = ["filters", "figure", "attack", "training"];

/// Most names of figures in a sentence.
const NAMES: usize = 6;

impl ShowArgs {
    /// The figures that the options name, of which the first is shown.
    ///
    /// # Errors
    /// If there is no such class, figure, experiment or set of images; lists those that exist.
    fn figures(&self, session: &Session) -> Result<Vec<Figure>, String> {
        let which = &self.which;
        let number = || self.experiment.map(|number| number as usize - 1);
        let figures = match (&which.figure, &which.map, &which.filters) {
            (Some(name), ..) => {
                figure::find(session, name, &[]).map_err(|error| error.to_string())?
            }
            (_, Some(typed), _) => vec![Figure::Map {
                response: self.response.map(Response::from),
                images: self.place(session)?,
                class: parse_class(session, typed)?,
                gamma: self.gamma,
            }],
            (.., Some(layer)) => vec![Figure::Filters {
                nth: number().unwrap_or_else(|| first_with_layer(session, layer)),
                layer: layer.clone(),
            }],
            _ if which.attack => vec![Figure::Attack {
                nth: number().unwrap_or(0),
            }],
            _ => vec![Figure::Training],
        };
        self.of_experiment(session, figures)
    }

    /// Those of the chosen experiment; all of them if none was chosen.
    fn of_experiment(
        &self,
        session: &Session,
        figures: Vec<Figure>,
    ) -> Result<Vec<Figure>, String> {
        let Some(number) = self.experiment else {
            return Ok(figures);
        };
        let counts = figures
            .iter()
            .filter_map(|figure| figure.experiments(session));
        let Some(count) = counts.max() else {
            return Err(
                "--experiment does not apply, since this figure is not of one experiment alone; leave it out".to_owned(),
            );
        };
        // The first may be absent too, which the figure says.
        if number > count.max(1) as u64 {
            return Err(format!(
                "there is no experiment {number} of this kind; the plan has {count}"
            ));
        }
        let mut figures = figures;
        figures.retain(|figure| figure.nth() as u64 + 1 == number);
        match figures.is_empty() {
            true => Err(format!(
                "experiment {number} of this kind has no such figure"
            )),
            false => Ok(figures),
        }
    }

    /// Which figure is shown, if the options could have named others: a sentence on how to name those.
    fn others(&self, session: &Session, figure: &Figure, others: &[Figure]) -> Option<String> {
        let name = &self.name;
        if let (Some(query), false) = (&self.which.figure, others.is_empty()) {
            let names: Vec<String> = others.iter().take(NAMES).map(Figure::name).collect();
            let more = match others.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return Some(format!(
                "{name}: this is {}; --figure {} also names {}{more}",
                figure.name(),
                quoted(query),
                names.join(", ")
            ));
        }
        let count = figure.experiments(session)?;
        let option = match self.which.map {
            Some(_) => "--images",
            None => "--experiment",
        };
        (count > 1).then(|| {
            format!(
                "{name}: this is of experiment {} of {count} of its kind in the plan; for another: {option} N",
                figure.nth() + 1
            )
        })
    }

    /// The index of the chosen images among the plan's classification images.
    fn place(&self, session: &Session) -> Result<usize, String> {
        let available = session.record.all::<ClassificationImages>().count();
        match self.images.unwrap_or(1) {
            // The first may be absent too, which the figure says.
            1 => Ok(0),
            chosen if chosen <= available as u64 => Ok(chosen as usize - 1),
            chosen => Err(format!(
                "there is no set {chosen} of classification images; the plan has {available}"
            )),
        }
    }
}

/// The number, from 0, of the first spike-triggered experiment that has measured a layer; the first of all if none has.
fn first_with_layer(session: &Session, layer: &str) -> usize {
    let mut all = session.record.all::<SpikeTriggered>();
    let first = all.position(|(_, spikes)| spikes.layers.iter().any(|known| known.name == layer));
    first.unwrap_or(0)
}

/// Whether the classes are known: of images that have been read, or of a known set.
pub fn knows_classes(session: &Session) -> bool {
    let dataset = session.config.dataset.as_ref();
    let of_set = dataset.and_then(|dataset| dataset.name.known_classes());
    session.record.form.is_some() || of_set.is_some()
}

/// Parses a class by number or name. Before the images have been read, uses the names of a known set.
pub fn parse_class(session: &Session, typed: &str) -> Result<ClassId, String> {
    if let Some(form) = &session.record.form {
        return form.find(typed);
    }
    let dataset = session.config.dataset.as_ref();
    match dataset.and_then(|dataset| dataset.name.known_classes()) {
        Some(names) => {
            let mut form = Form::numbered([1, 1, 1], 0);
            form.classes = names.iter().map(|&name| name.to_owned()).collect();
            form.find(typed)
        }
        None => typed.trim().parse().map(ClassId).map_err(|_| {
            format!(
                "`{typed}` is not a number, and class names are unknown until the session has run"
            )
        }),
    }
}

/// The name by which `export` writes the figure; a map has one at each signal strength and by each response.
fn exported_name(session: &Session, figure: &Figure) -> Option<String> {
    let exported = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => {
            let (_, record) = session.record.all::<ClassificationImages>().nth(*images)?;
            let response = response.unwrap_or_else(|| choice::best_response(record));
            let place = choice::best_gamma_index(record, response, *class, None);
            let gamma = gamma.or(record.gammas.get(place).map(|trials| trials.gamma));
            Figure::Map {
                response: Some(response),
                images: *images,
                class: *class,
                gamma,
            }
        }
        figure => figure.clone(),
    };
    figure::has(session, &exported).then(|| exported.name())
}

/// Reads the session and shows the figure.
pub fn run(store: &Store, show: &ShowArgs, line: &ScreenArgs) -> Result<ExitCode, CommandError> {
    let name = &show.name;
    if !picture::AVAILABLE {
        return Err(CommandError::Usage(PictureError::Absent.to_string()));
    }
    let session = store.load_whole(name)?;
    let refused = |problem: String| CommandError::Usage(format!("{name}: {problem}"));
    let figures = show.figures(&session).map_err(refused)?;
    let Some((figure, others)) = figures.split_first() else {
        return Err(refused("there is no such figure".to_owned()));
    };
    if !can_draw() {
        // What a terminal would refuse is refused here for the same reason.
        figure::draw(&session, figure, Sheet::DOUBLE)
            .map_err(|error| refused(error.to_string()))?;
        let option = exported_name(&session, figure).map_or_else(String::new, |figure| {
            format!(" --figure {}", quoted(figure))
        });
        return Err(CommandError::Usage(format!(
            "standard output is not a terminal that can draw; to get a file: noisescope export {name} --format png{option}"
        )));
    }
    let screen = TerminalDisplay::find(show.protocol, &line.options()?.theme());
    match picture::show(&session, figure, &screen, show.width) {
        Ok(()) => {
            if let Some(words) = show.others(&session, figure, others) {
                output::tell(words);
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(PictureError::Figure(error)) => Err(refused(error.to_string())),
        Err(error) => Err(CommandError::failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::session::Config;
    use crate::session::config::Analysis;
    use crate::session::record::{self, LayerResponses};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        show: ShowArgs,
    }

    fn show(words: &[&str]) -> ShowArgs {
        Line::parse_from([&["show", "mine"], words].concat()).show
    }

    fn planned(analyses: Vec<Analysis>) -> Session {
        let config = Config {
            analyses,
            ..Config::default()
        };
        Session::new("mine", config)
    }

    #[test]
    fn a_map_of_any_of_the_plans_images_is_shown_and_no_other() {
        let images = Analysis::ClassificationImages(Default::default());
        let session = planned(vec![images.clone(), images]);
        let place = |words: &[&str]| -> Result<usize, String> {
            let show = show(&[&["--map", "3"], words].concat());
            let figures = show.figures(&session)?;
            assert!(matches!(&figures[..], [Figure::Map { .. }]));
            Ok(figures[0].nth())
        };
        assert_eq!(place(&[]), Ok(0));
        assert_eq!(place(&["--images", "2"]), Ok(1));
        let words = "there is no set 3 of classification images; the plan has 2";
        assert_eq!(place(&["--images", "3"]), Err(words.to_owned()));
    }

    #[test]
    fn any_attack_of_the_plan_can_be_chosen_and_the_others_are_mentioned() {
        let attack = Analysis::Attack(Default::default());
        let session = planned(vec![attack.clone(), attack.clone()]);
        let shown = |words: &[&str]| show(&[&["--attack"], words].concat()).figures(&session);
        assert_eq!(shown(&[]), Ok(vec![Figure::Attack { nth: 0 }]));
        let second = Figure::Attack { nth: 1 };
        assert_eq!(shown(&["--experiment", "2"]), Ok(vec![second.clone()]));
        assert!(shown(&["--experiment", "3"]).is_err());
        let others = |session: &Session| {
            show(&["--attack"]).others(session, &Figure::Attack { nth: 0 }, &[])
        };
        let words = others(&session).unwrap();
        assert!(words.contains("1 of 2") && words.contains("--experiment N"));
        assert_eq!(others(&planned(vec![attack])), None);
        // By the name of the kind, the others have names.
        let words =
            show(&["--figure", "attack"]).others(&session, &Figure::Attack { nth: 0 }, &[second]);
        assert!(words.unwrap().ends_with("also names attack2"));
    }

    #[test]
    fn no_experiment_is_chosen_for_a_figure_that_is_not_of_one() {
        let spikes = Analysis::SpikeTriggered(Default::default());
        let session = planned(vec![spikes.clone(), spikes]);
        let of_both = Figure::Covariance {
            layer: "fc1".to_owned(),
        };
        let chosen = show(&["--figure", "covariance", "--experiment", "2"]);
        let refusal = chosen.of_experiment(&session, vec![of_both]).unwrap_err();
        assert!(refusal.contains("leave it out"), "{refusal}");
    }

    #[test]
    fn a_layer_is_found_in_whichever_experiment_has_measured_it() {
        let spikes = Analysis::SpikeTriggered(Default::default());
        let mut session = planned(vec![spikes.clone(), spikes]);
        session.record.analyses[1] = record::Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![LayerResponses::new("fc1", 3, [1, 2, 2], false, None)],
            ..SpikeTriggered::default()
        });
        let shown = show(&["--filters", "fc1"]).figures(&session).unwrap();
        assert_eq!(shown[0].nth(), 1);
        let shown = show(&["--filters", "fc1", "--experiment", "1"]).figures(&session);
        assert_eq!(shown.unwrap()[0].nth(), 0);
    }
}
