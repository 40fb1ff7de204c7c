//! Audits of networks from ONNX files, with references from files of the same graph.

use std::fs;
use std::path::PathBuf;

use prost::Message;
use tempfile::TempDir;

use super::*;
use crate::nets::import::onnx::Bundle;
use crate::nets::import::onnx::messages::{ModelProto, NodeProto, TensorProto};
use crate::nets::onnx_network::OnnxNetwork;
use crate::session::SavedState;
use crate::session::array::Array;
use crate::session::record::{Model, ReferenceArchitecture};
use crate::stats::audit::Baseline;

/// Seed of the sessions whose network is under study.
const SEED: u64 = 2;

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// The ONNX file of logistic regression with these weights, with a rectifier behind it or not.
fn logistic(weights: &NetworkWeights, is_rectified: bool) -> Vec<u8> {
    let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx/cnn-7.onnx");
    let mut model = ModelProto::decode(&*fs::read(plain).unwrap()).unwrap();
    let graph = &mut model.graph;
    let (images, logits) = (graph.input[0].name.clone(), graph.output[0].name.clone());
    // The file names its weights among the inputs.
    graph.input.truncate(1);
    let last = if is_rectified {
        "sums"
    } else {
        logits.as_str()
    };
    graph.node = vec![
        node("Flatten", &[&images], "flat"),
        node("Gemm", &["flat", "logits.weight", "logits.bias"], last),
    ];
    if is_rectified {
        graph.node.push(node("Relu", &["sums"], &logits));
    }
    let array = |(name, values): &(String, Array<f32>)| TensorProto {
        name: name.clone(),
        dims: values.shape().iter().map(|&n| n as i64).collect(),
        data_type: 1,
        float_data: values.values().to_vec(),
        ..TensorProto::default()
    };
    graph.initializer = weights.tensors.iter().map(array).collect();
    model.encode_to_vec()
}

/// A folder with networks in ONNX files, and with sessions of them.
struct Files {
    folder: TempDir,
    trials: u64,
}

impl Files {
    fn new(trials: u64) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            trials,
        }
    }

    fn file(&self, name: &str, weights: &NetworkWeights, is_rectified: bool) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.onnx"));
        fs::write(&path, logistic(weights, is_rectified)).unwrap();
        path
    }

    /// The network of a file in another one, with other names.
    fn renamed(&self, name: &str, file: &Path) -> PathBuf {
        let mut model = ModelProto::decode(&*fs::read(file).unwrap()).unwrap();
        let graph = &mut model.graph;
        for weight in &mut graph.initializer {
            weight.name.push_str(".renamed");
        }
        for name in &mut graph.node[1].input[1..] {
            name.push_str(".renamed");
        }
        let path = self.folder.path().join(format!("{name}.onnx"));
        fs::write(&path, model.encode_to_vec()).unwrap();
        path
    }

    /// A lab around the network of a file.
    fn lab(&self, file: &Path) -> Lab {
        let bundle = Bundle::open(file).unwrap();
        let graph = OnnxNetwork::open(&bundle, None, None).unwrap().graph;
        let network = Subject::new(graph, &Device::flex()).unwrap();
        lab_with(network, NetworkKind::Onnx, bars(420, 1), bars(140, 2))
    }

    fn config(&self, file: &Path, seed: u64, analysis: Analysis) -> Config {
        Config {
            seed,
            network: config::Network {
                kind: NetworkKind::Onnx,
                weights: config::WeightSource::File(file.to_path_buf()),
                ..config::Network::default()
            },
            analyses: vec![analysis],
            ..Config::default()
        }
    }

    /// A finished session with images of the network of a file, which it stores.
    fn session(&self, file: &Path, seed: u64) -> PathBuf {
        let images = config::ClassificationImages {
            gammas: vec![Gamma::NOISE],
            trials: self.trials,
            ..config::ClassificationImages::default()
        };
        let config = self.config(file, seed, Analysis::ClassificationImages(images));
        let lab = self.lab(file);
        let name = format!("{}-{seed}", file.file_stem().unwrap().display());
        let mut done = Session::new(&name, config);
        done.record = run(&done.config, &lab);
        done.record.state = SavedState::Finished;
        done.record.form = Some(Form::clone(&lab.form));
        done.record.training = Some(TrainingRecord::default());
        let bytes = fs::read(file).unwrap();
        done.record.model = Some(Model {
            path: file.display().to_string(),
            sha256: Bundle::open(file).unwrap().sha256().to_owned(),
            file: Array::new(&[bytes.len()], bytes),
        });
        let path = self.folder.path().join(format!("{name}.ron"));
        fs::write(&path, to_text(&done).unwrap()).unwrap();
        path
    }

    fn plan(&self, sessions: &[&PathBuf]) -> config::Audit {
        config::Audit {
            references: 0,
            power: 0,
            sessions: sessions.iter().map(|&path| path.clone()).collect(),
            trials: self.trials,
            ..plan()
        }
    }

    /// The record of an audit of the network of a file that has begun.
    fn begun(&self, file: &Path, plan: &config::Audit) -> Result<record::Audit, String> {
        let config = self.config(file, SEED, Analysis::Audit(plan.clone()));
        let lab = self.lab(file);
        let place = AnalysisPlace::for_analysis(&config, 0);
        let mut study = Audit::new(plan.clone(), place, &lab);
        let mut record = record::Audit::default();
        let whole = Record::new(&config);
        // Whatever the beginning refuses has been refused before anything is measured.
        let checked = Experiment::check(&study, &lab).map_err(|error| error.to_string());
        let begun = Experiment::begin(&mut study, 0, &lab, &whole, &mut record);
        assert_eq!(begun.map_err(|error| error.to_string()), checked);
        checked?;
        Ok(record)
    }
}

#[test]
fn a_backdoor_in_a_file_is_found_beside_clean_files_of_the_same_graph() {
    let files = Files::new(4_000);
    let clean = bars(420, 1);
    let references: Vec<PathBuf> = (11..15)
        .map(|seed| {
            let file = files.file(&format!("clean{seed}"), &trained(&clean, seed), false);
            let session = files.session(&file, seed);
            // The session stores the network.
            fs::remove_file(file).unwrap();
            session
        })
        .collect();
    let poisoned = trained(&backdoor().poisoned_training(&clean).unwrap(), 99);
    let suspect = files.file("suspect", &poisoned, false);
    let plan = files.plan(&references.iter().collect::<Vec<_>>());
    let config = files.config(&suspect, SEED, Analysis::Audit(plan.clone()));
    let record = run(&config, &files.lab(&suspect));
    let results = audit(&record);
    let verdict = results.verdict(&plan, NetworkKind::Onnx).unwrap();
    assert_eq!(verdict.baseline, Baseline::References);
    assert!(
        verdict.has_window() && verdict.class == ClassId(4),
        "{verdict:?}"
    );
    assert_eq!((verdict.ranking.rank, verdict.ranking.total), (1, 5));
    let label = results.reference_label(&plan, NetworkKind::Onnx);
    assert_eq!(label, "same-architecture");
}

#[test]
fn references_of_another_graph_are_recorded_as_such() {
    let files = Files::new(300);
    let network = |name: &str, seed: u64, is_rectified: bool| {
        files.file(name, &trained(&bars(60, seed), seed), is_rectified)
    };
    let suspect = network("suspect", 99, false);
    let alike = [("a", 11), ("b", 12)].map(|(name, seed)| {
        let file = network(name, seed, false);
        files.session(&file, seed)
    });
    let other = files.session(&network("c", 13, true), 13);
    let plan = files.plan(&[&alike[0], &other, &alike[1]]);
    let record = files.begun(&suspect, &plan).unwrap();
    let found: Vec<ReferenceArchitecture> = record
        .references()
        .map(|network| network.architecture)
        .collect();
    use ReferenceArchitecture::{Other, Suspect};
    assert_eq!(found, [Suspect, Other, Suspect]);
    let baseline = record.baseline(&plan, NetworkKind::Onnx);
    assert_eq!(baseline, Baseline::OwnClasses);
    // References of a kind that the plan names are of that kind.
    let named = config::Audit {
        kind: ReferenceKind::Mlp,
        ..plan
    };
    let error = files.begun(&suspect, &named).unwrap_err();
    assert!(error.contains("neither an audit with mlp"), "{error}");
}

/// A reference that is the suspect hides what is unusual about it, and one that counts twice makes every other network
/// stand out.
#[test]
fn a_network_is_no_reference_for_itself_and_only_one_for_others() {
    let files = Files::new(300);
    let network = |name: &str, seed: u64| files.file(name, &trained(&bars(60, seed), seed), false);
    let suspect = network("suspect", 99);
    let [a, b] = [network("a", 11), network("b", 12)];
    let [first, second] = [files.session(&a, 11), files.session(&b, 12)];
    let own = files.session(&suspect, 13);
    let again = files.session(&a, 14);
    let own_renamed = files.session(&files.renamed("own", &suspect), 15);
    let again_renamed = files.session(&files.renamed("again", &a), 16);
    for (third, problem) in [
        (own, "is the one under study"),
        (own_renamed, "is the one under study"),
        (again, "its network is that of"),
        (again_renamed, "its network is that of"),
    ] {
        let plan = files.plan(&[&first, &second, &third]);
        let error = files.begun(&suspect, &plan).unwrap_err();
        assert!(error.starts_with("analyses[0].sessions[2]: "), "{error}");
        assert!(error.contains(problem), "{error}");
    }
}

/// What needs three classes is to stand out from one's own other classes.
#[test]
fn a_file_of_two_classes_can_be_audited_beside_files_of_the_same_graph() {
    let plan = config::Audit {
        references: 0,
        sessions: vec!["other.ron".into()],
        ..plan()
    };
    let mut lab = laboratory(&bars(420, 1));
    lab.kind = NetworkKind::Onnx;
    lab.form = Arc::new(Form::numbered([1, 28, 28], 2));
    let checked = |references: usize, architecture: ReferenceArchitecture| {
        let plan = config::Audit {
            references,
            ..plan.clone()
        };
        let reference = AuditedNetwork {
            architecture,
            ..AuditedNetwork::new(AuditRole::Reference, 1)
        };
        let place = AnalysisPlace::for_analysis(&session(plan.clone()), 0);
        let checked = Audit::new(plan, place, &lab).check_classes(&lab, &vec![reference; 3]);
        checked.map_err(|error| error.to_string())
    };
    use ReferenceArchitecture::{Other, Planned, Suspect};
    assert_eq!(checked(0, Suspect), Ok(()));
    for (references, architecture, label) in [
        (0, Planned, "mlp"),
        (0, Other, "other-architecture"),
        (1, Suspect, "mixed"),
    ] {
        let error = checked(references, architecture).unwrap_err();
        assert!(error.contains(&format!("({label})")), "{error}");
    }
}
