//! Tests of what is advised to write instead of a value that was refused.

use super::*;

#[test]
fn only_a_bare_text_is_advised_to_have_quotation_marks() {
    let advice = |value: &str| bare_text("dataset.source", value);
    let quoted = "write 'dataset.source=Folder(\"a b\")'";
    assert!(advice("Folder(a b)").unwrap().ends_with(quoted));
    for value in [
        "Folder()",
        "Folder( )",
        "Folder(\"a\")",
        "Folder([a])",
        "Mnist",
    ] {
        assert_eq!(advice(value), None, "{value}");
    }
}

#[test]
fn layers_of_a_modulation_are_advised_to_have_their_strength() {
    for (value, layer) in [
        ("analyses=[Modulation((images: 9, layers: [\"7\"]))]", "7"),
        ("analyses=[Modulation((layers: [(layer: \"fc1\")]))]", "fc1"),
        ("analyses=[Modulation((layers: [(\"fc1\", 0.1)]))]", "fc1"),
        ("analyses=[Modulation((layers: conv1))]", "conv2"),
    ] {
        let message = refused(value);
        let advice = format!("write layers: [(layer: \"{layer}\", alpha: 1.0)]");
        assert!(message.contains(&advice), "{message}");
    }
    let config = set(&Config::default(), "analyses=[Modulation(())]").unwrap();
    let error = set(&config, "analyses[0].layers=[\"7\"]").unwrap_err();
    assert!(error.to_string().contains("(layer: \"7\", alpha: 1.0)"));
    // Those of averages are names.
    let other = refused("analyses=[SpikeTriggered((layers: [7]))]");
    assert!(!other.contains("alpha"), "{other}");
    let other = refused("analyses=[Modulation((layers: [], images: x))]");
    assert!(!other.contains("alpha"), "{other}");
}

#[test]
fn an_experiment_without_parentheses_is_named() {
    let needed = "the experiment Predictions needs parentheses; write Predictions(())";
    for value in [
        "analyses=[Predictions]",
        "analyses=[ClassificationImages((gammas: [0.3], trials: 9)), Predictions]",
        "analyses[0]=Predictions",
    ] {
        let message = refused(value);
        assert!(message.contains(needed), "{message}");
    }
    let other = refused("analyses=[Nothing]");
    assert!(!other.contains("parentheses"), "{other}");
}

#[test]
fn experiments_lack_parentheses_only_where_a_list_of_them_or_one_of_them_is_set() {
    let hint = |path, value| bare_experiment(path, value).is_some();
    assert!(hint("analyses", "[Predictions]") && hint("analyses[0]", "Predictions"));
    for path in ["name", "network.kind", "analyses[0].gammas"] {
        assert!(!hint(path, "[Predictions]"), "{path}");
        let single = hints::single_parentheses(path, "Predictions(a: 1)");
        assert_eq!(single, None, "{path}");
    }
    // Names inside the parentheses of an experiment belong to its settings, however deep they are.
    for (value, expected) in [
        ("[Predictions((a: Attack))]", false),
        ("[Predictions((a: (1, 2), b: (Attack)))]", false),
        ("[Predictions((a: (1), Attack, b: 2))]", false),
        ("[Predictions((a: (1))), Attack]", true),
        ("[Predictions(())]", false),
        ("[]", false),
    ] {
        assert_eq!(hint("analyses", value), expected, "{value}");
    }
}

#[test]
fn settings_of_an_experiment_in_single_parentheses_are_said_to_need_two() {
    let needed = "double parentheses; write ClassificationImages((…))";
    for value in [
        "analyses=[ClassificationImages(gammas: [0.0, 0.3])]",
        "analyses=[Predictions(()), ClassificationImages( trials: 9 )]",
        "analyses[0]=ClassificationImages(noise: Gaussian((sigma: 0.2)))",
    ] {
        let message = refused(value);
        assert!(message.contains(needed), "{message}");
    }
    for value in [
        "analyses=[ClassificationImages((trails: 1))]",
        "analyses=[Nothing(a: 1)]",
    ] {
        let message = refused(value);
        assert!(!message.contains("double"), "{message}");
    }
}

#[test]
fn a_name_with_the_wrong_parentheses_is_shown_with_the_right_ones() {
    for (value, needed) in [
        (
            "analyses[0].noise=Gaussian",
            "Gaussian needs parentheses; write Gaussian(());",
        ),
        ("analyses[0].noise=Gaussian()", "write Gaussian(());"),
        (
            "analyses[0].noise=Gaussian(sigma: 0.2)",
            "Gaussian needs double parentheses; write Gaussian((sigma: 0.2));",
        ),
        (
            "analyses[0].noise=Pca(())",
            "Pca takes no parentheses; write Pca;",
        ),
        ("analyses[0].noise=Binary((p: 0.2))", "write Binary;"),
        ("network.weights=Train", "write Train(());"),
        (
            "network.weights=Train(epochs: 3)",
            "write Train((epochs: 3));",
        ),
        ("network.kind=Cnn()", "write Cnn;"),
    ] {
        let message = refused(value);
        assert!(message.contains(needed), "{message}");
        let written = needed
            .rsplit_once("write ")
            .unwrap()
            .1
            .trim_end_matches(';');
        let (path, _) = value.split_once('=').unwrap();
        made(&format!("{path}={written}"));
    }
    for value in [
        "analyses[0].noise=Noise",
        "analyses[0].noise=Gaussian((sd: 0.2))",
        "analyses[0].trials=many",
        "network.kind=Nothing(())",
    ] {
        let message = refused(value);
        assert!(!message.contains("write"), "{message}");
    }
}

#[test]
fn a_data_set_given_by_its_name_or_source_alone_is_shown_in_parentheses() {
    for (value, needed) in [
        ("FashionMnist", "(name: FashionMnist)"),
        ("Own(\"mine\")", "(name: Own(\"mine\"))"),
        ("Embedded", "(source: Embedded)"),
        ("Folder(\"/data/a\")", "(source: Folder(\"/data/a\"))"),
    ] {
        let message = refused(&format!("dataset={value}"));
        let advice = format!("write 'dataset={needed}';");
        assert!(message.contains(&advice), "{message}");
        made(&format!("dataset={needed}"));
    }
    // A set that does not exist is not taken for the one that is there.
    let message = refused("dataset=Fashion");
    assert!(
        message.contains("for example (name: FashionMnist)"),
        "{message}"
    );
    let other = refused("dataset.name=Fashion");
    assert!(!other.contains("parentheses"), "{other}");
}
