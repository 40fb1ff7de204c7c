//! An inspection as text.

use std::fmt::Write;

use super::Inspection;
use super::architecture::{Architecture, SiteSummary};
use super::confusion::ClassPermutation;
use super::presentations::ImageTransform;
use super::scaling::{ScalingResult, ScalingResults};
use crate::format::{
    bytes, clean, coarse, count, minimum_duration, percent, reliability, thousands,
};
use crate::ids::ClassId;
use crate::nets::import::onnx::ModelSummary;
use crate::session::form::Form;
use crate::stats::grain::GrainForecast;

/// Most characters in a line of names, and in a name in the table of sites.
const LINE: usize = 84;
const NAME: usize = 40;

/// Most permuted classes that are listed individually.
const PAIRS: usize = 12;

/// Number of digits shown of a SHA-256.
const DIGITS: usize = 12;

/// The whole inspection, one paragraph per part; ends with a newline.
pub fn full_text(found: &Inspection) -> String {
    let mut text = format!("{}  {}\n", clean(&found.file), bytes(found.bytes));
    if let Some(survey) = &found.onnx {
        head(&mut text, survey, &found.sha256);
    }
    if let Some(kind) = found.kind {
        line(&mut text, "weights of", kind);
    }
    if let Some(network) = &found.network {
        architecture(&mut text, network, found.onnx.is_none());
    }
    if let Some(trials) = &found.scaling {
        scaling(&mut text, trials, found.network.as_ref());
    }
    text.push_str(&pilot_table(&found.pilot, found.workers));
    for (title, lines) in [("Notes", &found.notes), ("Problems", &found.problems)] {
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        for words in lines {
            let _ = writeln!(text, "  {}", clean_lines(words));
        }
    }
    if let Some(next) = &found.next {
        let _ = writeln!(text, "\nNext\n  {next}");
    }
    text
}

/// A table of how many trials reliable maps take at each grain, and how long they take.
pub fn pilot_table(all: &[GrainForecast], workers: usize) -> String {
    let mut text = String::new();
    if all.is_empty() {
        return text;
    }
    let _ = writeln!(
        text,
        "\nEvidence images from {} trials of noise at each grain",
        thousands(all.iter().map(|grain| grain.trials).max().unwrap_or(0))
    );
    let _ = writeln!(
        text,
        "  {:<5} {:>7}  {:>5}  {:>16}  {:>9}",
        "cell", "numbers", "R now", "trials to R 0.95", "time"
    );
    for grain in all {
        let trials = grain.needed.unwrap_or(grain.least);
        let seconds = trials as f64 / (grain.per_second * workers.max(1) as f64);
        let (bound, time) = match grain.needed {
            Some(_) => ("", coarse(seconds)),
            None => ("over ", minimum_duration(seconds)),
        };
        let _ = writeln!(
            text,
            "  {:<5} {:>7}  {:>5}  {:>16}  {time:>9}",
            grain.cell,
            grain.points,
            reliability(grain.reliability),
            format!("{bound}{}", count(trials as f64)),
        );
    }
    text
}

fn line(text: &mut String, label: &str, words: &str) {
    let _ = writeln!(text, "  {label:<11}{words}");
}

/// Text of several lines, cleaned of control characters.
fn clean_lines(words: &str) -> String {
    let lines: Vec<String> = words.lines().map(clean).collect();
    lines.join("\n  ")
}

fn head(text: &mut String, survey: &ModelSummary, sha256: &str) {
    line(text, "ONNX", &clean(&survey.origin()));
    line(
        text,
        "SHA-256",
        &format!("{}…", &sha256[..DIGITS.min(sha256.len())]),
    );
    line(text, "takes", &clean(&survey.inputs.join(", ")));
    line(text, "gives", &clean(&survey.outputs.join(", ")));
    let operators = survey.operators.iter().map(|operator| {
        let missing = if operator.known { "" } else { " (MISSING)" };
        format!("{} {}{missing}", operator.times, clean(&operator.name))
    });
    lines(text, "operators", operators);
}

/// A list of short items, wrapped to [`LINE`] characters.
fn lines(text: &mut String, label: &str, items: impl Iterator<Item = String>) {
    let mut row = String::new();
    let mut label = label;
    for item in items {
        if !row.is_empty() && row.chars().count() + item.chars().count() + 2 > LINE {
            line(text, label, &format!("{row},"));
            label = "";
            row.clear();
        }
        if !row.is_empty() {
            row.push_str(", ");
        }
        row.push_str(&item);
    }
    line(text, label, &row);
}

fn architecture(text: &mut String, network: &Architecture, with_operators: bool) {
    text.push_str("\nNetwork\n");
    let form = Form::numbered(network.image, network.classes.len());
    line(text, "images", &form.size_in_words());
    let count = network.classes.len();
    match network.named {
        true => lines(
            text,
            "classes",
            [format!("{count}: {}", clean(&network.classes[0]))]
                .into_iter()
                .chain(network.classes[1..].iter().map(|name| clean(name))),
        ),
        false => line(text, "classes", &format!("{count}, without names")),
    }
    line(text, "parameters", &thousands(network.parameters as u64));
    if with_operators {
        let each = network.operators.iter();
        lines(
            text,
            "operators",
            each.map(|(name, times)| format!("{times} {name}")),
        );
    }
    line(text, "on cpu", &clean(&network.planned));
    sites(text, &network.sites);
}

fn sites(text: &mut String, sites: &[SiteSummary]) {
    let names: Vec<String> = sites.iter().map(|site| shortened(&site.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or_default().max("layer".len());
    let title = format!("\nLayers that can be studied ({})", sites.len());
    let _ = writeln!(
        text,
        "{title}\n  {:<width$}  {:>7}  {:>9}  {:<16}  can be pushed",
        "layer", "units", "positions", "a position sees"
    );
    for (site, name) in sites.iter().zip(names) {
        let (rows, columns) = site.positions;
        let [channels, height, wide] = site.field;
        let sees = match site.whole_image {
            true => "the whole image".to_owned(),
            false => format!("{channels}×{height}×{wide}"),
        };
        let _ = writeln!(
            text,
            "  {name:<width$}  {:>7}  {:>9}  {sees:<16}  {}",
            thousands(site.units as u64),
            format!("{rows}×{columns}"),
            if site.pushed { "yes" } else { "no" }
        );
    }
}

/// A name from a file. If it is too long, its end is kept, which is where layer names differ.
fn shortened(name: &str) -> String {
    let name = clean(name);
    let count = name.chars().count();
    match count > NAME {
        true => format!(
            "…{}",
            name.chars().skip(count - NAME + 1).collect::<String>()
        ),
        false => name,
    }
}

fn scaling(text: &mut String, trials: &ScalingResults, network: Option<&Architecture>) {
    let shown = thousands(trials.images as u64);
    let images = match trials.images == trials.of {
        true => format!("all {shown} test images"),
        false => format!("{shown} of {} test images", thousands(trials.of as u64)),
    };
    let _ = writeln!(text, "\nCorrect on {images} (95 % interval), shown as");
    let width = trials
        .trials
        .iter()
        .map(|trial| trial.words.chars().count())
        .max();
    let width = width.unwrap_or_default();
    let better = trials.better();
    for trial in &trials.trials {
        let (low, high) = trial.between;
        let mark = match better == Some(trial) {
            true => "  ← significantly better",
            false => "",
        };
        let between = format!("({:.1} to {:.1})", 100.0 * low, 100.0 * high);
        let _ = writeln!(
            text,
            "  {:<width$}  {:>7}  {between}{mark}",
            trial.words,
            percent(trial.accuracy)
        );
    }
    let chance = percent(trials.chance);
    let _ = writeln!(
        text,
        "  always choosing the most frequent class gives {chance}"
    );
    if let Some(exchanged) = &trials.exchanged {
        let _ = writeln!(text, "  {}", reordering(exchanged, network));
        return;
    }
    if let Some(advice) = advice(trials, better) {
        let _ = writeln!(text, "  {advice}");
    }
    if let Some(taken) = trials.taken() {
        alternatives(text, taken, &trials.indistinct_from(taken));
    }
}

/// The scalings that the images do not tell apart from the one that is taken, with their options.
fn alternatives(text: &mut String, taken: &ScalingResult, others: &[&ScalingResult]) {
    if others.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  CANNOT BE TOLD APART by these images: \"{}\", which is taken, and the following; if the network was made for one \
         of them, add its option",
        taken.words
    );
    let widths = others.iter().map(|trial| trial.words.chars().count());
    let width = widths.max().unwrap_or_default();
    for trial in others {
        let _ = writeln!(
            text,
            "    {:<width$}  --set 'network.input={}'",
            trial.words,
            trial.input.in_plan()
        );
    }
}

/// How the classes are permuted, and the remedy.
fn reordering(exchanged: &ClassPermutation, network: Option<&Architecture>) -> String {
    let names = network.filter(|network| network.named);
    let name = |class: ClassId| {
        let given = names.and_then(|network| network.classes.get(class.0));
        given.map_or_else(|| class.to_string(), |name| clean(name))
    };
    let pairs = ClassId::all(exchanged.outputs.len()).zip(&exchanged.outputs);
    let pairs = pairs.filter(|(class, output)| class != *output);
    let mut pairs: Vec<String> = pairs
        .map(|(class, output)| format!("{} is its output {output}", name(class)))
        .collect();
    if pairs.len() > PAIRS {
        pairs.truncate(PAIRS);
        pairs.push("…".to_owned());
    }
    format!(
        "THE CLASSES ARE IN ANOTHER ORDER: class {}. Reordered, its accuracy would be {}. If the images are in a folder per \
         class, list the classes in the order of the network's outputs in a file classes.txt beside these folders, one name \
         per line; otherwise renumber the labels, or export the network with its outputs in the order of the classes. Then \
         inspect it again",
        pairs.join(", "),
        percent(exchanged.accuracy)
    )
}

fn advice(trials: &ScalingResults, better: Option<&ScalingResult>) -> Option<String> {
    Some(match better.map(|trial| (trial, trial.turned)) {
        Some((trial, ImageTransform::No)) => format!(
            "The network expects images scaled differently: add --set 'network.input={}'",
            trial.input.in_plan()
        ),
        Some((_, ImageTransform::Transposed)) => {
            "The images are transposed: add --set dataset.transpose=true".to_owned()
        }
        Some((_, ImageTransform::Inverted)) => {
            "The images are inverted relative to those that the network was made for: invert their files"
                .to_owned()
        }
        None if trials.is_at_chance() => {
            "NO BETTER THAN CHANCE, however the images are shown. The usual causes: the network was made for other \
             images; or it uses another non-linearity or pooling, which a weight file does not record"
                .to_owned()
        }
        None => return None,
    })
}
