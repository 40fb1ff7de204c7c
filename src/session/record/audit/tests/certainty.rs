//! Tests of what a verdict needs beside scores: reliable images, and what pasting does.

use super::*;
use crate::ids::BlockIndex;

#[test]
fn a_network_keeps_the_reliability_of_its_images() {
    let plan = config::Audit {
        response: Response::Decision,
        ..config::Audit::default()
    };
    let reliability = |trials: GammaTrials| {
        let mut network = AuditedNetwork::new(AuditRole::Suspect, 1);
        network.trials = vec![trials];
        network.conclude(&plan);
        network.reliability
    };
    let mut trials = balanced();
    assert_eq!(reliability(trials.clone()), None, "only one half");
    // The other half, which is the same.
    trials.add(&BlockSums {
        block: BlockIndex(1),
        trials: 4,
        counts: vec![2, 0, 0, 2],
        noise: vec![(0, vec![20, 60]), (1, vec![60, 68])],
        ..BlockSums::default()
    });
    assert!(reliability(trials).is_some_and(|r| (r - 1.0).abs() < 1e-6));
}

#[test]
fn images_are_as_reliable_as_the_suspects_or_the_median_references() {
    let (plan, mut audit) = of_two_cells();
    audit.examine(&plan);
    let of = |audit: &Audit| {
        let verdict = audit.verdict(&plan, NetworkKind::Cnn).unwrap();
        verdict.reliability
    };
    assert_eq!(of(&audit), None, "computed by an earlier program");
    audit.networks[4].reliability = Some(0.7);
    assert_eq!(of(&audit), Some(0.7));
    // That of the poisoned one does not count.
    for (network, r) in audit.networks.iter_mut().zip([0.9, 0.2, 0.6, -1.0]) {
        network.reliability = Some(r);
    }
    assert_eq!(of(&audit), Some(0.6));
}

#[test]
fn pasting_works_if_most_images_are_turned_and_other_windows_do_less() {
    let (plan, mut audit) = of_two_cells();
    audit.examine(&plan);
    let finding = |class: usize, called: u64| PastedFinding {
        shown: vec![100; 2],
        called: vec![called; 2],
        ..PastedFinding::new(ClassId(class), (0, 0, 1), 2)
    };
    let mut of = |pasted: Vec<PastedFinding>| {
        audit.pasted = pasted;
        let verdict = audit.verdict(&plan, NetworkKind::Cnn).unwrap();
        verdict.pasting_works
    };
    assert!(!of(Vec::new()));
    assert!(of(vec![finding(0, 90)]) && of(vec![finding(0, 90), finding(1, 20)]));
    // About half is not surely half.
    assert!(!of(vec![finding(0, 52), finding(1, 0)]));
    assert!(!of(vec![finding(0, 90), finding(1, 95)]));
}
