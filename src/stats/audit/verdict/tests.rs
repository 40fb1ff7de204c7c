//! Tests of verdicts.

use super::*;

/// A network whose classes have these scores and energies.
fn scored(classes: &[(f64, f64)]) -> AuditScores {
    let class = |(row, &(score, energy)): (usize, &(f64, f64))| {
        Some(ClassScore {
            score,
            window: (row, 0, 2),
            energy,
        })
    };
    AuditScores {
        classes: classes.iter().enumerate().map(class).collect(),
    }
}

/// Five classes, of which the second scores most and the third has this energy; the median score is 3, that of the
/// other classes 2½, and the median energy 1.
fn five(most: f64, energy: f64) -> AuditScores {
    scored(&[
        (1.0, 1.0),
        (most, 1.0),
        (3.0, energy),
        (2.0, 1.0),
        (4.0, 1.0),
    ])
}

/// A network whose classes have these scores and equal energies.
fn of_scores(scores: &[f64]) -> AuditScores {
    let classes: Vec<(f64, f64)> = scores.iter().map(|&score| (score, 1.0)).collect();
    scored(&classes)
}

/// What was found: a window, the class of an energy.
fn found(verdict: &AuditVerdict) -> (bool, Option<ClassId>) {
    (verdict.has_window(), verdict.energy_class())
}

#[test]
fn a_verdict_is_a_finding_only_above_its_ratios() {
    let references = [five(10.0, 2.0), five(5.0, 1.0)];
    let verdict = |most, energy| {
        audit_verdict(&five(most, energy), &references, Baseline::References).unwrap()
    };
    let first = verdict(13.0, 2.0);
    assert_eq!((first.class, first.top.window), (ClassId(1), (1, 0, 2)));
    let expected = rank(13.0, &[10.0, 5.0]).unwrap();
    assert_eq!((expected.rank, expected.total), (1, 3));
    assert_eq!((first.ranking, first.ratio), (expected, Some(13.0 / 3.0)));
    let expected = rank(2.0, &[2.0, 1.0]).unwrap();
    assert_eq!(first.energy, Some((ClassId(2), 2.0, expected)));
    assert_eq!(
        (first.rest, first.bound()),
        (rank(2.5, &[2.5; 2]), Some(13.0))
    );
    assert!(!first.is_unlike_references() && first.is_conclusive() && first.scored == 5);
    for (most, energy, expected) in [
        (13.0, 2.6, (false, None)),
        (13.1, 2.6, (true, None)),
        (5.0, 2.7, (false, Some(ClassId(2)))),
    ] {
        let verdict = verdict(most, energy);
        assert_eq!(found(&verdict), expected);
        assert_eq!(verdict.has_finding(), expected != (false, None));
    }
    for (score, null) in [(1.0, 0.0), (-3.0, -1.0)] {
        assert!(!rank(score, &[null]).unwrap().is_outlier());
    }
    let suspect = five(9.0, 1.0);
    let references = Baseline::References;
    assert_eq!(audit_verdict(&suspect, &[], references), None);
    assert_eq!(
        audit_verdict(&AuditScores::default(), &[suspect], references),
        None
    );
}

/// How unequal the classes of a clean network are depends on the images, so that the references tell it.
#[test]
fn a_class_that_exceeds_the_others_no_more_than_one_of_a_reference_is_no_finding() {
    let verdict = |most, energy, references: &[AuditScores]| {
        audit_verdict(&five(most, energy), references, Baseline::OwnClasses).unwrap()
    };
    let equal = [five(4.0, 1.0), five(4.0, 1.0)];
    for (most, energy, expected) in [
        (6.0, 1.5, (false, None)),
        (6.1, 1.5, (true, None)),
        (6.0, 1.6, (false, Some(ClassId(2)))),
    ] {
        let verdict = verdict(most, energy, &equal);
        assert_eq!(found(&verdict), expected);
        assert!(verdict.ratio_bound == OWN_CLASSES_RATIO && verdict.is_conclusive());
    }
    // A reference whose largest score is twice its median class's, and its largest energy as well.
    let unequal = [five(6.0, 2.0), five(4.0, 1.0)];
    for (most, energy, expected) in [
        (7.7, 2.5, (false, None)),
        (7.9, 2.5, (true, None)),
        (7.7, 2.7, (false, Some(ClassId(2)))),
    ] {
        let verdict = verdict(most, energy, &unequal);
        assert_eq!(found(&verdict), expected);
        let bound = verdict.bound().unwrap();
        assert!((bound - 7.8).abs() < 1e-9, "{bound}");
    }
}

/// Clean networks of three classes on images of 9×7, trained longer or less than their references, scored like these.
#[test]
fn a_network_whose_classes_are_all_far_from_the_references_is_not_accused() {
    let references = [
        of_scores(&[1.4, 2.9, 0.8]),
        of_scores(&[0.6, 2.7, 2.3]),
        of_scores(&[2.0, 0.7, 2.9]),
    ];
    let verdict = |scores: &[f64]| {
        audit_verdict(&of_scores(scores), &references, Baseline::References).unwrap()
    };
    let undecided = |verdict: &AuditVerdict| (verdict.has_finding(), verdict.undecided());
    // All classes are half again as far: nothing can be said.
    let other = verdict(&[3.0, 4.4, 2.6]);
    assert_eq!(undecided(&other), (false, Some(Undecided::OtherTraining)));
    assert!(other.is_unlike_references() && !other.is_conclusive());
    assert!(other.bound().unwrap() > other.top.score);
    // One class is as far, and the others are as those of the references: a finding.
    let patched = verdict(&[1.3, 4.4, 1.1]);
    assert_eq!(undecided(&patched), (true, None));
    assert_eq!(patched.bound(), Some(1.3 * 2.9));
    // All are farther, but one stands out from the others as in no reference.
    let both = verdict(&[3.0, 9.9, 2.0]);
    assert!(both.is_unlike_references() && both.has_window());
    assert!(both.top.score > both.bound().unwrap());
    // All are farther, but none is beyond the references' largest: nothing found.
    let near = verdict(&[2.2, 3.6, 1.9]);
    assert_eq!(undecided(&near), (false, None));
    assert!(near.is_unlike_references() && near.is_conclusive());
}

#[test]
fn nothing_is_found_only_in_reliable_images_and_if_pasting_does_not_work() {
    let references = [
        of_scores(&[1.4, 2.9, 0.8]),
        of_scores(&[0.6, 2.7, 2.3]),
        of_scores(&[2.0, 0.7, 2.9]),
    ];
    let verdict = |scores: &[f64], reliability: Option<f64>, pasting_works: bool| AuditVerdict {
        reliability,
        pasting_works,
        ..audit_verdict(&of_scores(scores), &references, Baseline::References).unwrap()
    };
    let (usual, patched) = ([1.3, 2.8, 1.1], [1.3, 4.4, 1.1]);
    for (reliability, pasting_works, expected) in [
        (None, false, None),
        (Some(0.5), false, None),
        (Some(0.49), false, Some(Undecided::Noise)),
        (Some(-0.1), true, Some(Undecided::Noise)),
        (Some(0.5), true, Some(Undecided::Pasting)),
        (None, true, Some(Undecided::Pasting)),
    ] {
        let clean = verdict(&usual, reliability, pasting_works);
        assert_eq!(clean.undecided(), expected, "{reliability:?}");
        // What stands out is found in any case.
        let found = verdict(&patched, reliability, pasting_works);
        assert!(found.has_finding() && found.is_conclusive());
    }
}

/// Energies of clean networks of three classes that were trained less than their references are as unequal as this.
#[test]
fn a_class_that_deviates_as_a_whole_is_no_finding_if_the_others_do_as_well() {
    let of_energies = |energies: [f64; 3]| scored(&energies.map(|energy| (1.0, energy)));
    let references = [
        of_energies([1.0, 1.3, 0.9]),
        of_energies([0.8, 1.2, 1.1]),
        of_energies([1.0, 0.7, 1.4]),
    ];
    let verdict = |energies: [f64; 3]| {
        audit_verdict(&of_energies(energies), &references, Baseline::References).unwrap()
    };
    let undecided = |verdict: &AuditVerdict| (verdict.energy_class(), verdict.undecided());
    // The largest is 2.3 times the median, and at most 1.4 times in a reference.
    let other = verdict([2.0, 5.0, 2.2]);
    assert_eq!(undecided(&other), (None, Some(Undecided::OtherTraining)));
    assert!(!other.is_conclusive() && !other.ranking.is_outlier());
    let blended = verdict([0.8, 2.3, 1.0]);
    assert_eq!(undecided(&blended), (Some(ClassId(1)), None));
    // All are farther, but equally.
    assert_eq!(undecided(&verdict([2.0, 2.4, 2.2])), (None, None));
}

/// However large the score of one of two classes, it is less than twice their median, unless the other is negative;
/// and the energy of one may be nearly twice the median. Neither says which of the two is unusual.
#[test]
fn of_two_classes_none_stands_out_from_the_other() {
    let references = [of_scores(&[5.0, 3.0]), of_scores(&[4.0, 2.5])];
    let verdict = |scores: &[(f64, f64)], baseline: Baseline| {
        audit_verdict(&scored(scores), &references, baseline).unwrap()
    };
    let few = Some(Undecided::FewClasses);
    for most in [3.5, 50.0, 1e9] {
        let two = verdict(&[(most, 1.0), (3.0, 1.0)], Baseline::OwnClasses);
        assert!(!two.has_finding(), "{most}");
        assert_eq!((two.undecided(), two.bound()), (few, None));
        // References of its own kind are compared with it, unless both classes are far from them.
        let two = verdict(&[(most, 1.0), (3.0, 1.0)], Baseline::References);
        assert_eq!((two.has_window(), two.undecided()), (most > 6.5, None));
        let far = verdict(&[(most, 1.0), (3.1, 1.0)], Baseline::References);
        assert!(!far.has_window() && far.bound().is_none());
        assert_eq!(far.is_conclusive(), most <= 6.5);
        let apart = verdict(&[(most, 1.0), (-3.0, 9.0)], Baseline::OwnClasses);
        assert!(apart.energy.is_some_and(|energy| energy.1 > 1.5));
        assert!(apart.ratio.is_some_and(|ratio| ratio > 2.0));
        assert_eq!((apart.has_finding(), apart.undecided()), (false, few));
        let three = verdict(&[(most, 1.0), (3.0, 1.0), (4.0, 1.0)], Baseline::OwnClasses);
        assert!(three.is_conclusive());
        assert_eq!(three.has_window(), most > 8.0, "{most}");
    }
    // The only class is compared with nothing else.
    let one = verdict(&[(9.0, 1.0)], Baseline::References);
    assert_eq!((one.rest, one.has_window()), (None, true));
}

#[test]
fn among_scores_of_zero_no_class_can_stand_out_and_there_is_no_bound() {
    let zero = of_scores(&[0.0; 5]);
    let some = of_scores(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    let below = of_scores(&[-1.0, -2.0, 0.0, -3.0, -4.0]);
    for baseline in [Baseline::References, Baseline::OwnClasses] {
        for suspect in [&zero, &below] {
            let verdict = audit_verdict(suspect, std::slice::from_ref(&zero), baseline).unwrap();
            assert_eq!((verdict.bound(), verdict.has_window()), (None, false));
        }
    }
    let verdict = audit_verdict(&some, &[zero], Baseline::References).unwrap();
    assert_eq!((verdict.bound(), verdict.has_window()), (None, false));
}
