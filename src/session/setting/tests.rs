//! Tests of `--set`: paths, values and the messages of refusals.

mod advice;

use super::super::config::{DatasetSource, NetworkKind, WeightSource};
use super::*;
use crate::ids::Gamma;
use proptest::prelude::*;

fn made(assignment: &str) -> Config {
    set(&Config::default(), assignment).unwrap()
}

fn refused(assignment: &str) -> String {
    set(&Config::default(), assignment).unwrap_err().to_string()
}

#[test]
fn a_setting_changes_its_place_and_no_other() {
    let mut expected = Config::default();
    expected.network.kind = NetworkKind::Mlp;
    assert_eq!(made("network.kind=Mlp"), expected);
    assert_eq!(made(" network.kind = Mlp // the wide one"), expected);
}

#[test]
fn a_whole_number_with_a_unit_or_separators_is_refused_with_its_digits() {
    for (typed, digits) in [
        ("20k", "20000"),
        ("1.5M", "1500000"),
        ("20,000", "20000"),
        ("20 000", "20000"),
    ] {
        let message = refused(&format!("analyses[0].trials={typed}"));
        let remedy = format!("{typed} is not a number here; write {digits}; ");
        assert!(message.contains(&remedy), "{message}");
    }
    // Twelve and a half thousand, or 125 thousand?
    for unclear in ["analyses[0].trials=12,5k", "network.kind=20k"] {
        let message = refused(unclear);
        assert!(!message.contains("not a number here"), "{message}");
    }
}

#[test]
fn a_path_leads_into_the_fields_of_a_variant() {
    let WeightSource::Train(training) = made("network.weights.epochs=3").network.weights else {
        unreachable!()
    };
    assert_eq!((training.epochs, training.patience), (3, 5));
    let config = made("analyses[0].gammas[1]=0.25");
    let Analysis::ClassificationImages(images) = &config.analyses[0] else {
        unreachable!()
    };
    assert_eq!(images.gammas, [0.0, 0.25, 0.3, 0.5].map(Gamma));
}

#[test]
fn a_whole_value_takes_defaults_for_omitted_fields() {
    let config = made("analyses=[ClassificationImages((trials: 1000))]");
    let Analysis::ClassificationImages(images) = &config.analyses[0] else {
        unreachable!()
    };
    assert_eq!((images.trials, images.min_trials), (1000, 30));
    assert!(made("analyses=[]").analyses.is_empty());
    let WeightSource::Train(training) = made("network.weights=Train((epochs: 3))").network.weights
    else {
        unreachable!()
    };
    assert_eq!(training.epochs, 3);
}

#[test]
fn a_value_may_contain_equals_signs_and_brackets() {
    let config = made(r#"dataset.source=Folder("/data/a=b, (c) \"d\"")"#);
    let folder = DatasetSource::Folder(r#"/data/a=b, (c) "d""#.into());
    assert_eq!(config.dataset.clone().unwrap().source, folder);
    assert_eq!(
        set(&config, "seed=9").unwrap().dataset.unwrap().source,
        folder
    );
}

#[test]
fn a_value_cannot_inject_structure() {
    for value in [
        "1), seed: (2",
        "1, checkpoint_s: 2.0",
        "1 2",
        "#![enable(implicit_some)] 1",
        "",
        "1 /* open",
    ] {
        refused(&format!("seed={value}"));
    }
    assert_eq!(made("seed=2 // )").seed, 2);
}

#[test]
fn refusals_list_the_valid_choices() {
    for (assignment, words) in [
        ("seed", "there is no `=`"),
        ("=1", "`` is not a path"),
        ("analyses[-1]=1", "`analyses[-1]` is not a path"),
        (
            "sede=1",
            "the plan has no field `sede`; it has seed, dataset, network, analyses, checkpoint_s",
        ),
        (
            "network.wights.epochs=1",
            "network has no field `wights`; it has kind, weights",
        ),
        (
            "network.weights.epoch=1",
            "network.weights has no field `epoch`; it has epochs, patience,",
        ),
        (
            "network.kind.size=1",
            "network.kind is Cnn, which has no field `size`; set network.kind itself",
        ),
        (
            "analyses.gammas=[]",
            "which has no field `gammas`; set analyses itself",
        ),
        (
            "analyses[1].trials=1",
            "analyses has length 1, so there is no analyses[1]; the last is [0]",
        ),
        ("seed[0]=1", "seed is 1 and not a list; leave out the [0]"),
        (
            "seed=abc",
            "--set seed=abc: expected integer; seed is currently 1",
        ),
        (
            "seed=-1",
            "seed=-1: integer is out of bounds; seed is currently 1",
        ),
        (
            "network.kind=0.5",
            "network.kind=0.5: expected a name, not 0.5; network.kind is currently Cnn",
        ),
        (
            "network.weights.epochs=1.5",
            "epochs=1.5: expected integer; network.weights.epochs is currently 15",
        ),
        (
            "network.image=(1, 28, 28)",
            "expected None or Some(…); network.image is currently None",
        ),
        (
            "dataset.source=Folder(/data/my photos)",
            "write 'dataset.source=Folder(\"/data/my photos\")'",
        ),
        (
            "dataset.name=Own(mine)",
            "write 'dataset.name=Own(\"mine\")'; dataset.name is currently Mnist",
        ),
        (
            "network.weights=File(a.pt)",
            "write 'network.weights=File(\"a.pt\")'",
        ),
        (
            "network.kind=Mpl",
            "`Mpl` in enum `NetworkKind`, expected one of `Cnn`, `Mlp`",
        ),
        ("analyses=[ClassificationImages((trails: 1))]", "`trails`"),
        ("analyses=[", "the closing `]` is missing"),
        (
            "seed=1, checkpoint_s: 2.0",
            "the value ends before `, checkpoint_s: 2.0`; seed is currently 1",
        ),
        (
            "checkpoint_s=fast",
            "expected float; checkpoint_s is currently 30.0",
        ),
    ] {
        let message = refused(assignment);
        assert!(message.contains(words), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn what_has_no_elements_or_fields_is_set_itself() {
    let error = set(&made("analyses=[]"), "analyses[0].trials=1").unwrap_err();
    assert_eq!(
        error.problem.to_string(),
        "analyses has length 0, so there is no analyses[0]; set the list itself"
    );
    let steps = [Step::Field("input"), Step::Field("mean")];
    let problem = find("(input:())", &steps).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "input is (), which has no field `mean`; set input itself"
    );
}

#[test]
fn a_field_of_an_experiment_is_found_by_its_name_alone() {
    for (path, meant) in [
        ("gammas", "analyses[1].gammas"),
        ("analyses.trials", "analyses[1].trials"),
        ("gammas[0]", "analyses[1].gammas[0]"),
    ] {
        let config = made("analyses=[Predictions(()), ClassificationImages(())]");
        let message = set(&config, &format!("{path}=[]")).unwrap_err().to_string();
        let question = format!("; did you mean {meant}?");
        assert!(message.ends_with(&question), "{message}");
    }
    for path in [
        "sede",
        "network.gammas",
        "analyses[1].gamma",
        "analyses[2].gammas",
    ] {
        let message = refused(&format!("{path}=1"));
        assert!(!message.contains("did you mean"), "{message}");
    }
}

#[test]
fn a_long_value_is_shortened_to_48_characters() {
    let most = "é".repeat(48);
    assert_eq!(shortened(&most), most);
    let longer = format!("{most}é");
    assert_eq!(shortened(&longer), format!("{}…", "é".repeat(47)));
}

/// Every place of a configuration, spelled as a path.
fn places(text: &str, span: Range<usize>, path: &str, all: &mut Vec<(String, Range<usize>)>) {
    if !path.is_empty() {
        all.push((path.into(), span.clone()));
    }
    match parts(text, span) {
        Parts::Fields(fields) => fields.into_iter().for_each(|(name, span)| {
            let dot = if path.is_empty() { "" } else { "." };
            places(text, span, &format!("{path}{dot}{name}"), all);
        }),
        Parts::Items(items) => items.into_iter().enumerate().for_each(|(i, span)| {
            places(text, span, &format!("{path}[{i}]"), all);
        }),
        Parts::Nothing => {}
    }
}

fn configs() -> impl Strategy<Value = Config> {
    let gammas = prop::collection::vec(any::<f64>().prop_filter("NaN", |v| !v.is_nan()), 0..4);
    (any::<u64>(), any::<i32>(), gammas, ".*").prop_map(|(seed, lr, gammas, folder)| {
        let mut config = Config::default();
        let Analysis::ClassificationImages(images) = &mut config.analyses[0] else {
            unreachable!()
        };
        images.gammas = gammas.into_iter().map(Gamma).collect();
        let WeightSource::Train(training) = &mut config.network.weights else {
            unreachable!()
        };
        training.lr_max = f64::from(lr) * 1e-7;
        config.seed = seed;
        config.dataset.get_or_insert_default().source = DatasetSource::Folder(folder.into());
        config
    })
}

proptest! {
    #[test]
    fn setting_a_place_to_its_value_changes_nothing(config in configs()) {
        let text = ron::to_string(&config).unwrap();
        let mut all = Vec::new();
        places(&text, 0..text.len(), "", &mut all);
        prop_assert!(all.len() >= 17);
        for (path, span) in all {
            let same = set(&config, &format!("{path}={}", &text[span])).unwrap();
            prop_assert_eq!(&same, &config, "{}", path);
        }
    }

    #[test]
    fn a_value_that_was_set_is_read_back(config in configs(), seed in any::<u64>(), gammas in prop::collection::vec(0.0..1.0, 0..5), folder in ".*") {
        let config = set(&config, &format!("seed={seed}")).unwrap();
        let config = set(&config, &format!("analyses[0].gammas={gammas:?}")).unwrap();
        let folder = DatasetSource::Folder(folder.into());
        let value = ron::to_string(&folder).unwrap();
        let config = set(&config, &format!("dataset.source={value}")).unwrap();
        let Analysis::ClassificationImages(images) = &config.analyses[0] else { unreachable!() };
        prop_assert_eq!(config.seed, seed);
        let found: Vec<f64> = images.gammas.iter().map(|gamma| gamma.0).collect();
        prop_assert_eq!(&found, &gammas);
        prop_assert_eq!(config.dataset.unwrap().source, folder);
    }

    #[test]
    fn no_text_makes_a_setting_panic(text in ".{0,80}", value in "[()\\[\\]{}\"'r#,:/*\\\\ a-c0é.]{0,40}") {
        let config = Config::default();
        let _ = set(&config, &text);
        for path in ["seed", "analyses", "analyses[0].gammas[1]", "dataset.source", value.as_str()] {
            let _ = set(&config, &format!("{path}={value}"));
        }
    }
}
