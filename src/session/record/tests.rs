//! Tests of the record: how far its experiments are, and whether anything has been done.

use super::*;

fn progress(done: u64, total: u64) -> BlockProgress {
    BlockProgress {
        blocks: Vec::new(),
        done,
        total,
    }
}

fn predictions(done: u64, total: u64) -> Analysis {
    Analysis::Predictions(Predictions {
        progress: progress(done, total),
        ..Predictions::default()
    })
}

#[test]
fn work_that_was_done_is_counted_up_to_the_largest_number() {
    let mut counted = progress(3, 9);
    counted.add_work(4);
    assert_eq!(counted, progress(7, 9));
    counted.add_work(u64::MAX);
    assert_eq!(counted, progress(u64::MAX, 9));
}

#[test]
fn an_experiment_is_as_far_as_its_record_says() {
    let progress = progress(3, 4);
    let attack = Attack {
        progress: progress.clone(),
        ..Attack::default()
    };
    let spikes = SpikeTriggered {
        progress: progress.clone(),
        ..SpikeTriggered::default()
    };
    let modulation = Modulation {
        progress: progress.clone(),
        ..Modulation::default()
    };
    let backdoor = Backdoor {
        progress: progress.clone(),
        ..Backdoor::default()
    };
    let audit = Audit {
        progress,
        ..Audit::default()
    };
    let experiments = [
        (
            Analysis::Attack(attack),
            config::Analysis::Attack(config::Attack::default()),
        ),
        (
            Analysis::SpikeTriggered(spikes),
            config::Analysis::SpikeTriggered(config::SpikeTriggered::default()),
        ),
        (
            Analysis::Modulation(modulation),
            config::Analysis::Modulation(config::Modulation::default()),
        ),
        (
            Analysis::Backdoor(backdoor),
            config::Analysis::Backdoor(config::Backdoor::default()),
        ),
        (
            Analysis::Audit(audit),
            config::Analysis::Audit(config::Audit::default()),
        ),
    ];
    for (record, plan) in &experiments {
        assert_eq!(record.progress(plan), (3, 4), "{}", plan.label());
    }
    let ((attack, _), (_, other)) = (&experiments[0], &experiments[1]);
    assert_eq!(attack.progress(other), (0, 0), "the record of another plan");
}

#[test]
fn an_experiment_is_finished_once_all_of_its_work_is_done() {
    let plan = config::Analysis::Predictions(config::Predictions::default());
    let finished = |done, total| predictions(done, total).is_finished(&plan);
    assert!(!finished(0, 0), "it has not begun");
    assert!(!finished(1, 2));
    assert!(finished(2, 2) && finished(3, 2));
}

#[test]
fn a_record_has_begun_with_its_training_or_with_its_first_measurement() {
    let config = Config {
        analyses: vec![config::Analysis::Predictions(config::Predictions::default())],
        ..Config::default()
    };
    let mut record = Record::new(&config);
    assert!(!record.has_begun(&config));
    record.training = Some(TrainingRecord::default());
    assert!(record.has_begun(&config));
    record.training = None;
    record.analyses = vec![predictions(1, 9)];
    assert!(record.has_begun(&config));
}

#[test]
fn a_record_is_untouched_until_something_is_done_or_it_is_divided() {
    let config = Config {
        analyses: vec![config::Analysis::Predictions(config::Predictions::default())],
        ..Config::default()
    };
    let untouched = |change: &dyn Fn(&mut Record)| {
        let mut record = Record::new(&config);
        change(&mut record);
        record.is_untouched()
    };
    let blocks = |blocks: &[u64]| {
        Analysis::Predictions(Predictions {
            progress: BlockProgress {
                blocks: blocks.to_vec(),
                ..progress(0, 9)
            },
            ..Predictions::default()
        })
    };
    assert!(untouched(&|_| {}));
    assert!(untouched(&|record| record.analyses = vec![blocks(&[0])]));
    assert!(!untouched(&|record| record.analyses = vec![blocks(&[0, 1])]));
    assert!(!untouched(
        &|record| record.training = Some(TrainingRecord::default())
    ));
    assert!(!untouched(&|record| {
        record.sharding = Some(shard::Sharding {
            count: 2,
            program: String::new(),
            from: Vec::new(),
            jobs: Vec::new(),
        });
    }));
    assert!(!untouched(&|record| {
        record.shard = Some(shard::Shard {
            index: 1,
            count: 2,
            from: Vec::new(),
            node: String::new(),
            job: None,
            per_second: None,
            eta_s: None,
            checkpoint_s: 1.0,
            portions: Vec::new(),
        });
    }));
}
