//! The chapter that describes the plan in sentences.

use maud::{Markup, html};

use own_networks::{audit, backdoor};

use super::words::{capital, counted, gammas, list};
use crate::format::{self, clean, learning_rate, percent, short, thousands};
use crate::report::status;
use crate::session::Session;
use crate::session::config::{
    Analysis, Attack, ClassificationImages, EvidenceMeasure, Grain, Modulation, Noise, Predictions,
    Response, SpikeTriggered, Templates, TrainingConfig, WeightSource, Weighting,
};
use crate::session::record;

mod own_networks;

/// The chapter.
pub(super) fn chapter(session: &Session) -> Markup {
    let analyses = session.config.analyses.iter();
    html! {
        p { (images(session)) " " (network(session)) }
        @if !session.config.analyses.is_empty() {
            ol.asked {
                @for (index, plan) in analyses.enumerate() {
                    li { (labelled(&describe(session, index, plan))) }
                }
            }
        }
    }
}

/// A sentence whose first words, up to a colon, are shown as a label.
fn labelled(sentence: &str) -> Markup {
    match sentence.split_once(": ") {
        Some((label, rest)) => html! { b { (label) "." } " " (capital(rest)) },
        None => html! { (sentence) },
    }
}

fn images(session: &Session) -> String {
    let config = &session.config;
    if config.dataset.is_none() {
        return "There are no images: the network is shown noise alone.".into();
    }
    let name = clean(config.dataset_label());
    let from =
        status::images(session).map_or_else(String::new, |from| format!(" ({})", clean(from)));
    let Some(form) = &session.record.form else {
        return format!("The images are {name}{from}.");
    };
    let sizes = session.record.inputs.last().map(|inputs| {
        format!(
            ": {} for training and {} for testing,",
            thousands(inputs.train.images),
            thousands(inputs.test.images)
        )
    });
    let classes = clean(&form.classes_in_words().replacen("there are ", "", 1));
    format!(
        "The images are {name}{from}{} {}, of {}: {classes}.",
        sizes.unwrap_or_else(|| ",".into()),
        form.size_in_words(),
        counted(form.class_count() as u64, "class", "classes")
    )
}

fn network(session: &Session) -> String {
    let network = &session.config.network;
    let label = clean(&network.label());
    let size = status::parameters(session);
    let size = size.map_or_else(String::new, |size| {
        format!(" of {} parameters", thousands(size as u64))
    });
    match &network.weights {
        WeightSource::Train(plan) => format!(
            "The network, {label}{size}, is trained on them {}.",
            training(plan)
        ),
        WeightSource::File(path) => {
            let file = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy();
            format!(
                "The network, {label}{size}, is used unmodified, with the weights of {}.",
                clean(&file)
            )
        }
    }
}

/// How a network is trained: `by Adam for at most 5 epochs …`.
fn training(plan: &TrainingConfig) -> String {
    let decay = match plan.weight_decay {
        0.0 => String::new(),
        decay => format!(", weight decay {}", short(decay)),
    };
    format!(
        "by Adam for at most {} in batches of {} images, at rates from {} down to {}{decay}; {} of the training \
         images are held out, and training stops after {} without better accuracy on those",
        counted(plan.epochs as u64, "epoch", "epochs"),
        thousands(plan.batch as u64),
        learning_rate(plan.lr_max),
        learning_rate(plan.lr_min),
        percent(plan.validation),
        counted(plan.patience as u64, "epoch", "epochs"),
    )
}

fn describe(session: &Session, index: usize, plan: &Analysis) -> String {
    match plan {
        Analysis::ClassificationImages(plan) => classification_images(plan),
        Analysis::Templates(plan) => templates(plan),
        Analysis::Attack(plan) => attack(session, index, plan),
        Analysis::SpikeTriggered(plan) => spikes(plan),
        Analysis::Modulation(plan) => modulation(session, index, plan),
        Analysis::Backdoor(plan) => backdoor(session, plan),
        Analysis::Audit(plan) => audit(session, index, plan),
        Analysis::Predictions(plan) => predictions(plan),
    }
}

/// `gaussian noise of σ 0.25 in cells of 2×2, the same in all channels`.
fn noise(noise: Noise, grain: Grain) -> String {
    let mut words = format!("{} noise", noise.label());
    if let Noise::Gaussian(gaussian) = noise {
        words += &format!(" of σ {}", short(gaussian.sigma));
    }
    if grain.cell > 1 {
        words += &format!(" in cells of {0}×{0} pixels", grain.cell);
    }
    if grain.grey {
        words += ", the same in all channels";
    }
    words
}

fn classification_images(plan: &ClassificationImages) -> String {
    let planned: Vec<u64> = plan
        .gammas
        .iter()
        .map(|&gamma| plan.trials_at(gamma))
        .collect();
    let all_equal = planned.windows(2).all(|pair| pair[0] == pair[1]);
    let trials = match (&planned[..], all_equal) {
        ([all], _) => format!("{} stimuli at {}", thousands(*all), gammas(&plan.gammas)),
        ([all, ..], true) => format!(
            "{} stimuli at each of {}",
            thousands(*all),
            gammas(&plan.gammas)
        ),
        _ => {
            let each = plan.gammas.iter().zip(&planned);
            let each =
                each.map(|(&gamma, &all)| format!("{} at {}", thousands(all), gammas(&[gamma])));
            format!("stimuli, {},", list(&each.collect::<Vec<_>>()))
        }
    };
    let mut words = format!(
        "Classification images: {trials} are shown to the network, each (1−γ)·noise + γ·image with {}, and the noise \
         is averaged by {}.",
        noise(plan.noise, plan.grain()),
        averaged(plan)
    );
    match plan.weighting {
        Weighting::Equal => {}
        Weighting::Confidence => words += " A trial is weighted by the network's confidence.",
        Weighting::Threshold(least) => {
            words += &format!(
                " Trials with a confidence below {} are not counted.",
                short(least)
            );
        }
    }
    if let Some(target) = plan.target {
        words += &format!(
            " A γ ends early once every class has reached a reliability of {}.",
            short(target)
        );
    }
    if !plan.classes.is_empty() {
        let named: Vec<String> = plan.classes.iter().map(|name| clean(name)).collect();
        words += &format!(" Maps are computed for {} only.", list(&named));
    }
    if let Some(smoothing) = plan.noise.smoothing() {
        words += &format!(
            " Maps are {smoothing}: they show the regions that the network uses, not its weights."
        );
    }
    words
}

/// The quantity that the noise is averaged by.
fn averaged(plan: &ClassificationImages) -> String {
    let evidence = match plan.evidence {
        EvidenceMeasure::Logit => "its logit minus the mean of all logits",
        EvidenceMeasure::LogProbability => "the logarithm of its probability",
        EvidenceMeasure::Probability => "its probability",
        EvidenceMeasure::LogOdds => "the logarithm of its odds",
    };
    match plan.has(Response::Evidence) {
        false => "its decision".into(),
        true => format!("its decision, and by its outputs' evidence for each class ({evidence})"),
    }
}

fn templates(plan: &Templates) -> String {
    format!(
        "Templates: at most {} classified by these maps alone, without the network.",
        counted(plan.images as u64, "test image is", "test images are")
    )
}

fn attack(session: &Session, index: usize, plan: &Attack) -> String {
    let weights: Vec<String> = plan.weights.iter().map(|&w| short(w)).collect();
    let shown = plan.images as u64;
    let images = match plan.noise_images {
        0 => counted(shown, "test image is", "test images are"),
        count => format!(
            "{} and {} are",
            counted(shown, "test image", "test images"),
            counted(count as u64, "noise image", "noise images")
        ),
    };
    let evidence = session
        .config
        .images_of(index)
        .is_some_and(|images| images.has(Response::Evidence));
    let patterns = match evidence {
        true => "the classification image, the evidence image and the mean image of a target class",
        false => "the classification image and the mean image of a target class",
    };
    format!(
        "Attack: at most {images} blended with {patterns}, and with random noise as a control, at weights w {}: \
         (1−w)·image + w·pattern.",
        list(&weights)
    )
}

fn spikes(plan: &SpikeTriggered) -> String {
    let layers = match plan.layers.is_empty() {
        true => "of the layers".into(),
        false => {
            let named: Vec<String> = plan.layers.iter().map(|name| format::layer(name)).collect();
            format!("of {}", list(&named))
        }
    };
    let images = match plan.images {
        0 => String::new(),
        count => format!(
            ", and of at most {}",
            counted(count as u64, "training image", "training images")
        ),
    };
    format!(
        "Spike-triggered averages: for every unit {layers}, the mean of {} of {}{images}, weighted by the unit's \
         response.",
        counted(plan.trials, "trial", "trials"),
        noise(plan.noise, Grain::default())
    )
}

fn modulation(session: &Session, index: usize, plan: &Modulation) -> String {
    let measured = session.record.analyses.get(index);
    let measured = match measured {
        Some(record::Analysis::Modulation(record)) => &record.layers[..],
        _ => &[],
    };
    let layers: Vec<String> = match measured.is_empty() {
        true => plan
            .layers
            .iter()
            .map(|layer| format::layer(&layer.layer))
            .collect(),
        false => measured
            .iter()
            .map(|layer| format::layer(&layer.name))
            .collect(),
    };
    let layers = match layers.is_empty() {
        true => "of selected layers".into(),
        false => format!("of {}", list(&layers)),
    };
    let strengths = plan.strengths();
    let most = strengths
        .iter()
        .map(|strength| strength.unsigned_abs())
        .max();
    format!(
        "Modulation: the biases {layers} are pushed along the mean activation for a class, at {} strengths from −{1} \
         to +{1}, while at most {2} shown at {3}.",
        strengths.len(),
        most.unwrap_or(0),
        counted(plan.images as u64, "test image is", "test images are"),
        gammas(&plan.signal_strengths())
    )
}

fn predictions(plan: &Predictions) -> String {
    let splits: Vec<String> = plan
        .splits
        .iter()
        .map(|split| split.label().to_owned())
        .collect();
    format!(
        "Predictions: all images of the {} set are counted by true class and by the network's decision.",
        list(&splits)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, planned};
    use crate::session::Config;
    use crate::session::config::{Audit, Backdoor};

    #[test]
    fn a_plan_is_described_before_it_begins_and_in_more_detail_after() {
        let session = planned();
        let text = chapter(&session).into_string();
        assert!(text.contains("The images are MNIST."), "{text}");
        assert!(
            text.contains("480 stimuli at each of γ 0.0 and 0.5"),
            "{text}"
        );
        let text = chapter(&measured()).into_string();
        assert!(
            text.contains("MNIST (embedded), 28×28 grey, of 10 classes: 0 to 9."),
            "{text}"
        );
        assert!(text.contains("mlp of 795,010 parameters"), "{text}");
    }

    #[test]
    fn every_experiment_has_a_sentence() {
        let config = Config {
            analyses: vec![
                Analysis::ClassificationImages(ClassificationImages::default()),
                Analysis::Templates(Templates::default()),
                Analysis::Attack(Attack::default()),
                Analysis::SpikeTriggered(SpikeTriggered::default()),
                Analysis::Modulation(Modulation::default()),
                Analysis::Backdoor(Backdoor::default()),
                Analysis::Audit(Audit::default()),
                Analysis::Predictions(Predictions::default()),
            ],
            ..Config::default()
        };
        let session = Session::new("mine", config);
        for (index, plan) in session.config.analyses.iter().enumerate() {
            let text = describe(&session, index, plan);
            assert!(text.ends_with(['.']) && text.contains(": "), "{text}");
            assert!(!text.contains("  "), "{text}");
        }
        let one = templates(&Templates {
            images: 1,
            block: 1,
        });
        assert!(one.contains("at most 1 test image is classified"), "{one}");
        let numbered = spikes(&SpikeTriggered {
            layers: vec!["0".into(), "conv1".into()],
            ..SpikeTriggered::default()
        });
        assert!(numbered.contains("of layer 0 and conv1,"), "{numbered}");
    }
}
