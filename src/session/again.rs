//! Another session like this one: its name, and the plan as the options of a command line.

use super::Session;
use super::config::{Config, Network, NetworkKind, WeightSource};

/// Most bytes of the old name in the new one.
const MOST: usize = 60;

impl Session {
    /// A name for another session like this one: `mine-again`.
    pub fn name_again(&self) -> String {
        let letters = self.name.char_indices();
        let ends = letters.map(|(at, letter)| at + letter.len_utf8());
        let end = ends.take_while(|&end| end <= MOST).last().unwrap_or(0);
        format!("{}-again", &self.name[..end])
    }
}

/// Seed, images and network of a plan as `--set` takes them: each field and its value in RON.
///
/// # Errors
/// If one cannot be written.
pub fn fields(config: &Config) -> Result<[(&'static str, String); 3], ron::Error> {
    // As a plan spells it: without `Some`.
    let dataset = match &config.dataset {
        Some(dataset) => ron::to_string(dataset)?,
        None => "None".to_owned(),
    };
    Ok([
        ("seed", ron::to_string(&config.seed)?),
        ("dataset", dataset),
        ("network", ron::to_string(&config.network)?),
    ])
}

/// The options, each with its value, that give a new session the seed, images and network of a plan: those that
/// differ from the defaults.
///
/// # Errors
/// As [`fields`].
pub fn options(config: &Config) -> Result<Vec<[String; 2]>, ron::Error> {
    let given = fields(config)?.into_iter();
    let changed = given.zip(fields(&Config::default())?);
    let changed = changed.filter(|(given, default)| given != default);
    let network = named(&config.network);
    let options = changed.map(|((field, value), _)| match &network {
        Some(name) if field == "network" => ["--network".to_owned(), name.clone()],
        _ => ["--set".to_owned(), format!("{field}={value}")],
    });
    Ok(options.collect())
}

/// The network as `--network` takes it, if that says everything about it.
fn named(network: &Network) -> Option<String> {
    let file = match (&network.weights, network.kind) {
        (WeightSource::File(path), NetworkKind::Onnx) => path.to_str(),
        _ => None,
    };
    let file = file.filter(|path| path.ends_with(".onnx"));
    let all_defaults = Network {
        kind: network.kind,
        ..Network::default()
    };
    let known = match file {
        Some(path) => Network {
            weights: WeightSource::File(path.into()),
            ..all_defaults
        },
        None => all_defaults,
    };
    let name = file.unwrap_or(network.kind.label());
    (known == *network).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{Dataset, DatasetSource, TrainingConfig};
    use crate::session::setting;
    use crate::session::store::check_name;

    /// A plan as the options make it of the defaults.
    fn made(options: &[[String; 2]]) -> Config {
        let options = options.iter();
        options.fold(Config::default(), |config, [name, value]| {
            assert_eq!(name, "--set");
            setting::set(&config, value).unwrap()
        })
    }

    #[test]
    fn the_options_make_the_seed_images_and_network_of_the_plan() {
        assert_eq!(
            options(&Config::default()).unwrap(),
            Vec::<[String; 2]>::new()
        );
        let mut config = Config {
            seed: 77,
            dataset: Some(Dataset {
                source: DatasetSource::Folder("/my pictures/it's".into()),
                ..Dataset::default()
            }),
            ..Config::default()
        };
        config.network.weights = WeightSource::Train(TrainingConfig {
            epochs: 2,
            ..TrainingConfig::default()
        });
        assert_eq!(made(&options(&config).unwrap()), config);
        config.dataset = None;
        config.network.weights = WeightSource::File("/a.pt".into());
        assert_eq!(made(&options(&config).unwrap()), config);
    }

    #[test]
    fn a_network_that_has_a_name_is_given_by_it() {
        let mut config = Config::default();
        let network = |config: &Config| options(config).unwrap().concat();
        config.network.kind = NetworkKind::Mlp;
        assert_eq!(network(&config), ["--network", "mlp"]);
        config.network.kind = NetworkKind::Onnx;
        config.network.weights = WeightSource::File("/nets/a.onnx".into());
        assert_eq!(network(&config), ["--network", "/nets/a.onnx"]);
        // Other options stay what they are beside it.
        config.seed = 77;
        assert!(network(&config).contains(&"seed=77".to_owned()));
        config.seed = Config::default().seed;
        // What its name does not say is not lost.
        config.network.output = Some("logits".into());
        assert_eq!(made(&options(&config).unwrap()), config);
    }

    #[test]
    fn the_name_of_another_session_is_valid_however_long_the_old_one_is() {
        let again = |name: &str| Session::new(name, Config::default()).name_again();
        assert_eq!(again("mine"), "mine-again");
        for letter in ["a", "ß", "縞", "𠀀"] {
            let name = letter.repeat(100 / letter.len());
            check_name(&name).unwrap();
            check_name(&again(&name)).unwrap();
        }
    }
}
