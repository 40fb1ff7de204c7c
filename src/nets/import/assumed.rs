//! The assumptions made about a network when only its weights are given, and checks of them against a
//! whole module.

use super::{WeightsFault, list};
use crate::session::config::{InputEncoding, NetworkKind};

/// The assumptions made when weights come without their network, as a sentence.
pub fn description(kind: NetworkKind, input: &InputEncoding) -> String {
    let between = match kind {
        NetworkKind::Cnn => {
            "ReLU after every layer but the last, max-pooling 2×2 after the convolutions"
        }
        NetworkKind::Mlp => "ReLU after the hidden layer",
        NetworkKind::Logistic => "nothing between the pixels and the logits",
        NetworkKind::Rnn => "rows from the top as time steps, the last state deciding",
        NetworkKind::Simple | NetworkKind::Complex => {
            "no non-linearity but max-pooling, 2×2 twice after the convolutions"
        }
        NetworkKind::Onnx => "what the file states",
    };
    let images = match (*input == InputEncoding::default(), kind) {
        (false, _) => "images scaled as in network.input",
        (true, NetworkKind::Simple | NetworkKind::Complex) => {
            "images from −1 to 1 (network.input applies before that)"
        }
        (true, _) => "images from 0 to 1 (to change: network.input)",
    };
    format!("weights do not include what happens between layers; assumed: {between}, and {images}")
}

/// Rejects a whole module with parts that the architecture does not have.
///
/// # Errors
/// Names the classes of these parts.
pub fn check(modules: &[String], kind: NetworkKind) -> Result<(), WeightsFault> {
    const ANYWHERE: [&str; 5] = [
        "Softmax",
        "LogSoftmax",
        "Softmax2d",
        "Sigmoid",
        "LogSigmoid",
    ];
    let (applied, instead): (&[&str], _) = match kind {
        NetworkKind::Cnn => (&["ReLU", "MaxPool2d"], "ReLU and max-pooling"),
        NetworkKind::Mlp => (&["ReLU"], "ReLU"),
        NetworkKind::Simple | NetworkKind::Complex => (&["MaxPool2d"], "max-pooling alone"),
        NetworkKind::Logistic | NetworkKind::Rnn | NetworkKind::Onnx => (&[], "neither"),
    };
    let classes = modules.iter().filter_map(|class| {
        let (module, name) = class.rsplit_once('.')?;
        let relevant = ["torch.nn.modules.activation", "torch.nn.modules.pooling"];
        relevant.contains(&module).then_some(name)
    });
    let mut others: Vec<&str> = classes
        .filter(|name| !applied.contains(name) && !ANYWHERE.contains(name))
        .collect();
    others.sort_unstable();
    others.dedup();
    match others.is_empty() {
        true => Ok(()),
        false => Err(WeightsFault::Applies {
            applies: list(others),
            kind: kind.label(),
            instead,
        }),
    }
}
