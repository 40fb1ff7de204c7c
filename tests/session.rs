//! Session files: every session is read back bit for bit, and damage is detected.

use std::path::Path;

use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{
    self, Analysis, DatasetName, DatasetSource, NetworkKind, Response,
};
use noisescope::session::record::{
    self, BlockSums, ClassificationImages, Epoch, FedBack, NetworkWeights, TrainingRecord,
    TrialKind,
};
use noisescope::session::store::{Store, VERSION, from_text, to_text};
use noisescope::session::{Array, Config, Form, SavedState, Session};
use proptest::prelude::*;

fn configs() -> impl Strategy<Value = Config> {
    (
        any::<u64>(),
        prop::sample::select(vec![
            DatasetSource::Auto,
            DatasetSource::Embedded,
            DatasetSource::Full,
            DatasetSource::Folder("/a b/\"quoted\"".into()),
        ]),
        prop::sample::select(NetworkKind::ALL.to_vec()),
        prop::collection::btree_set(0..=1000_u32, 1..4),
        20..10_000_000_u64,
        Just(1_usize),
    )
        .prop_map(|(seed, source, kind, gammas, trials, block)| Config {
            seed,
            dataset: Some(config::Dataset {
                name: DatasetName::FashionMnist,
                source,
                transpose: false,
            }),
            network: config::Network {
                kind,
                ..Default::default()
            },
            analyses: vec![Analysis::ClassificationImages(
                config::ClassificationImages {
                    gammas: gammas
                        .iter()
                        .map(|&g| Gamma(f64::from(g) / 1000.0))
                        .collect(),
                    trials,
                    block,
                    ..Default::default()
                },
            )],
            checkpoint_s: 12.5,
        })
}

fn epochs() -> impl Strategy<Value = Vec<Epoch>> {
    let epoch = (1..99_usize, any::<[f64; 5]>()).prop_filter_map("finite", |(epoch, v)| {
        v.iter().all(|v| v.is_finite()).then(|| Epoch {
            epoch,
            train_loss: v[0],
            train_accuracy: v[1],
            valid_loss: v[2],
            valid_accuracy: v[3],
            lr: v[4],
        })
    });
    prop::collection::vec(epoch, 0..5)
}

fn sessions() -> impl Strategy<Value = Session> {
    (
        configs(),
        epochs(),
        prop::collection::vec(any::<u32>(), 0..40),
        prop::collection::vec((0..100_usize, any::<u16>()), 0..20),
        ".{0,20}",
    )
        .prop_map(|(config, epochs, bits, cells, reason)| {
            let mut session = Session::new("any", config);
            let weights: Vec<f32> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
            session.record.state = SavedState::Failed(reason);
            session.record.training = Some(TrainingRecord {
                epochs,
                test_accuracy: Some(0.1 + 0.2),
                best: NetworkWeights {
                    tensors: vec![("a.weight".into(), Array::new(&[weights.len()], weights))],
                },
                ..Default::default()
            });
            let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0]
            else {
                unreachable!()
            };
            let form = Form::numbered([1, 28, 28], 10);
            let Analysis::ClassificationImages(plan) = &mut session.config.analyses[0] else {
                unreachable!()
            };
            let kind = TrialKind {
                noise: plan.noise,
                ..TrialKind::plain(form.class_count(), form.shape())
            };
            plan.responses = vec![Response::Decision];
            *images = ClassificationImages::with_trials(plan, &kind);
            session.record.form = Some(form);
            let trials = &mut images.gammas[0];
            trials.fed_back[3] = Some(FedBack {
                class: ClassId(8),
                confidence: 1.0 / 3.0,
            });
            for (index, (cell, value)) in cells.into_iter().enumerate() {
                let mut counts = vec![0; 100];
                counts[cell] = 1;
                trials.add(&BlockSums {
                    block: BlockIndex(index as u64),
                    trials: 1,
                    counts,
                    noise: vec![(cell % 30, vec![i64::from(value); 784])],
                    image: vec![(cell % 10, vec![7; 784])],
                    ..Default::default()
                });
            }
            session
        })
}

/// The bits of all weights, since equal floats may differ in their bits.
fn bits(session: &Session) -> Vec<u32> {
    let training = session.record.training.as_ref().unwrap();
    let tensors = training.best.tensors.iter();
    tensors
        .flat_map(|(_, values)| values.values().iter().map(|v| v.to_bits()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_session_is_read_back_from_its_text(session in sessions()) {
        let back = from_text(&to_text(&session).unwrap(), Path::new("any.ron"), "any").unwrap();
        prop_assert_eq!(bits(&back), bits(&session));
        prop_assert_eq!(&back.config, &session.config);
        prop_assert!(back.record.analyses == session.record.analyses);
        let epochs = |session: &Session| session.record.training.as_ref().unwrap().epochs.clone();
        prop_assert_eq!(epochs(&back), epochs(&session));
        prop_assert_eq!(back.record.state, session.record.state);
    }

    #[test]
    fn a_text_cut_anywhere_is_an_error_and_never_a_panic(cut in 0.0..1.0_f64) {
        let text = to_text(&Session::new("any", Config::default())).unwrap();
        let mut end = (text.len() as f64 * cut) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        prop_assert!(from_text(&text[..end], Path::new("any.ron"), "any").is_err());
    }
}

/// The text with the digit at `position` changed; `None` if there is no digit.
fn flipped(text: &str, position: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let byte = bytes.get_mut(position)?;
    *byte = match *byte {
        b'9' => b'0',
        digit @ b'0'..=b'8' => digit + 1,
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

/// The byte range of the record and the arrays, which the user may not edit.
fn recorded(text: &str) -> std::ops::Range<usize> {
    text.find("\n  record:").unwrap()..text.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_changed_digit_in_a_record_goes_unnoticed(session in sessions(), step in 1..40_usize) {
        let text = to_text(&session).unwrap();
        let changed = recorded(&text).step_by(step).filter_map(|position| flipped(&text, position));
        for text in changed.take(64) {
            let read = from_text(&text, Path::new("any.ron"), "any");
            // The last letter of base64 may have unused bits.
            let same = read.is_ok_and(|read| to_text(&read).unwrap() == to_text(&session).unwrap());
            let error = from_text(&text, Path::new("any.ron"), "any").err();
            prop_assert!(same || error.is_some(), "a change went unnoticed");
        }
    }
}

#[test]
fn every_digit_of_a_small_record_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("small", Config::default());
    session.record.elapsed_s = 1234.5;
    session.record.updated = 1_795_687_190;
    store.save(&session).unwrap();
    let path = store.path("small");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut flips = 0;
    for position in recorded(&text) {
        let Some(changed) = flipped(&text, position) else {
            continue;
        };
        let error = from_text(&changed, &path, "small").unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
        flips += 1;
    }
    assert!(flips > 15, "{flips}");
    // The version is protected too; the plan may be edited while there are no results.
    let older = text.replacen(&format!("version: {VERSION}"), "version: 1", 1);
    assert!(from_text(&older, &path, "small").is_err());
    let planned = text.replacen("seed: 1", "seed: 2", 1);
    assert_eq!(from_text(&planned, &path, "small").unwrap().config.seed, 2);
    // A file without a checksum, written by an older program, opens.
    let begin = text.find("\n  checksum:").unwrap();
    let end = begin + 1 + text[begin + 1..].find('\n').unwrap();
    let without = format!("{}{}", &text[..begin], &text[end..]);
    assert_eq!(from_text(&without, &path, "small").unwrap(), session);
}

#[test]
fn readable_parts_come_first_and_arrays_last() {
    let text = to_text(&Session::new("any", Config::default())).unwrap();
    let longest_before = text
        .lines()
        .take_while(|line| !line.trim_start().starts_with("arrays:"))
        .map(str::len)
        .max();
    assert!(
        longest_before.unwrap() < 1000,
        "a person can read it: {longest_before:?}"
    );
    let order: Vec<_> = ["version:", "config:", "record:", "arrays:"]
        .iter()
        .map(|part| text.find(part).unwrap())
        .collect();
    assert!(order.is_sorted());
}

#[test]
fn saving_keeps_the_previous_generation_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", Config::default());
    store.save(&session).unwrap();
    session.record.elapsed_s = 5.0;
    store.save(&session).unwrap();
    assert_eq!(store.load("mine").unwrap().record.elapsed_s, 5.0);
    let previous = std::fs::read_to_string(store.backup_path("mine")).unwrap();
    let previous = from_text(&previous, Path::new("x"), "mine").unwrap();
    assert_eq!(previous.record.elapsed_s, 0.0);
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["mine.ron", "mine.ron.bak"]);
}
