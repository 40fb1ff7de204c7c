//! Tests of the record of a backdoor study.

use super::*;

#[test]
fn an_index_over_too_few_classes_is_not_accepted_from_a_file() {
    let window = |index| ScoredWindow {
        row: 0,
        column: 0,
        size: 2,
        score: 1.0,
        index: Some(index),
    };
    let read = |judged: usize| -> Vec<Option<f64>> {
        let finding = Finding {
            gamma: Gamma(0.3),
            trials: 100,
            called: vec![10; 6],
            windows: (0..6)
                .map(|class| (class < judged).then(|| window(3.0)))
                .collect(),
            z: Array::new(&[0], Vec::new()),
            evidence: Array::default(),
            audited: None,
        };
        let text = ron::to_string(&finding).unwrap();
        let read: Finding = ron::from_str(&text).unwrap();
        read.windows
            .iter()
            .flatten()
            .map(|window| window.index)
            .collect()
    };
    assert_eq!(read(4), [None; 4]);
    assert_eq!(read(5), [Some(3.0); 5]);
}
