//! Tests of workers: simulated device failures, and several seats.

use super::*;
use crate::analysis::{
    AnalysisError, BlockOrder, BlockSequence, Launches, OptionalLaunches, Sums,
    classification_images::ClassificationImages, testing,
};
use crate::engine::device::DeviceKind;
use crate::ids::Gamma;
use crate::session::config;
use crate::session::record::{self, BlockSums, GammaTrials, Record, TrialKind};

/// The noise loop on a device that has memory for only `room` blocks at once, and dies at one of them.
struct FailingAnalysis {
    real: ClassificationImages,
    order: BlockOrder,
    room: usize,
    dies_at: Option<BlockIndex>,
    /// Number of successive parts that are computed together.
    together: usize,
}

impl DynExperiment for FailingAnalysis {
    fn batchable_parts(&self, part: usize) -> usize {
        self.together - part % self.together
    }
    fn milestone(&self, part: usize, block: BlockIndex) -> BlockIndex {
        DynExperiment::milestone(&self.real, part, block)
    }
    fn trials_of_block(&self) -> usize {
        DynExperiment::trials_of_block(&self.real)
    }
    fn sequences(&self) -> Vec<BlockSequence> {
        let order = self.order;
        let parts = DynExperiment::sequences(&self.real).into_iter();
        parts.map(|part| BlockSequence { order, ..part }).collect()
    }
    fn done(&self, record: &record::Analysis) -> Vec<u64> {
        DynExperiment::done(&self.real, record)
    }
    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        DynExperiment::check(&self.real, lab)
    }
    fn begin(
        &mut self,
        _: usize,
        _: &Lab,
        _: &Record,
        _: &mut record::Analysis,
    ) -> Result<(), AnalysisError> {
        Ok(())
    }
    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError> {
        self.fail_if_due(1, job);
        DynExperiment::step(&self.real, lab, job)
    }
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Sums>, AnalysisError> {
        DynExperiment::steps(&self.real, lab, jobs)
    }
    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a> {
        let launches = DynExperiment::launches(&self.real, lab, part, blocks)?;
        Some(Box::new(FailingLaunches {
            analysis: self,
            real: launches,
            blocks,
        }))
    }
    fn merge(&self, _: &mut record::Analysis, _: Job, _: Sums) {}
    fn is_complete(&self, _: &record::Analysis, _: usize) -> bool {
        false
    }
    fn refresh(&self, _: &Lab, _: &mut record::Analysis) {}
}

impl FailingAnalysis {
    fn fail_if_due(&self, at_once: usize, job: Job) {
        assert!(
            at_once <= self.room,
            "Torch(\"CUDA out of memory. Tried to allocate 2.00 GiB\\nException\")"
        );
        let dies = self.dies_at;
        assert!(
            !dies.is_some_and(|block| (job.block..job.end()).contains(&block)),
            "Torch(\"CUDA error: unspecified launch failure\\nCompile with\")"
        );
    }
}

/// Its launches, which fail likewise.
struct FailingLaunches<'a> {
    analysis: &'a FailingAnalysis,
    real: Box<dyn Launches + 'a>,
    blocks: usize,
}

impl Launches for FailingLaunches<'_> {
    fn launch(&mut self, job: Job) {
        self.analysis.fail_if_due(self.blocks, job);
        self.real.launch(job);
    }
    fn read(&mut self) -> Option<Sums> {
        self.real.read()
    }
}

const BLOCKS: u64 = 24;

const PLACE: crate::analysis::AnalysisPlace = crate::analysis::AnalysisPlace {
    seed: 9,
    index: 0,
    images: None,
    gammas: 0,
    evidence: false,
};

/// The results of the blocks, the notes, and the fault that ended the run.
type Outcome = (GammaTrials, Vec<String>, Option<ComputeFault>);

/// Computes all blocks of a free part.
fn compute(room: usize, dies_at: Option<BlockIndex>, seats: usize, at_once: usize) -> Outcome {
    compute_in(BlockOrder::Parallel, room, dies_at, seats, at_once)
}

fn seat(lab: &Lab, at_once: usize) -> Seat {
    Seat {
        device: lab.device.clone(),
        name: "cuda:0".into(),
        kind: DeviceKind::Flex,
        blocks: at_once,
        threads: 1,
        max_images: usize::MAX,
    }
}

fn compute_in(
    order: BlockOrder,
    room: usize,
    dies_at: Option<BlockIndex>,
    seats: usize,
    at_once: usize,
) -> Outcome {
    let lab = testing::template_lab();
    let plan = config::ClassificationImages {
        gammas: vec![Gamma(0.3)],
        trials: BLOCKS * 10,
        block: 10,
        ..Default::default()
    };
    let analysis: Arc<dyn DynExperiment> = Arc::new(FailingAnalysis {
        real: ClassificationImages::new(plan, PLACE, &lab),
        order,
        room,
        dies_at,
        together: 1,
    });
    let seat = seat(&lab, at_once);
    let workers = Workers::start(&vec![seat; seats], &analysis, &lab).unwrap();
    // Jobs of two launches.
    let each = match at_once {
        1 => 1,
        _ if order == BlockOrder::Sequential => 1,
        _ => 2 * at_once as u64,
    };
    let (mut dealt, mut notes) = (BlockIndex(0), Vec::new());
    let mut trials = GammaTrials::new(Gamma(0.3), 1, &TrialKind::plain(10, [1, 28, 28]));
    while trials.blocks < BLOCKS {
        dealt = workers.offer_blocks(0, dealt, BlockIndex(BLOCKS), each);
        match workers.poll(Duration::from_secs(10)) {
            WorkerAnswer::Done(_, done, _) => {
                let sums: Vec<BlockSums> = *done.downcast().unwrap();
                sums.iter().for_each(|sums| trials.add(sums));
            }
            WorkerAnswer::Note(note) => notes.push(note),
            WorkerAnswer::FewerBlocks { device, blocks } => {
                notes.push(format!("{device} {blocks}"))
            }
            WorkerAnswer::Failed(fault) => return (trials, notes, Some(fault)),
            other => panic!("{other:?}"),
        }
    }
    (trials, notes, None)
}

#[test]
fn a_device_that_runs_out_of_memory_continues_with_fewer_blocks_and_loses_no_trial() {
    let (plain, ..) = compute(usize::MAX, None, 1, 1);
    let (frail, notes, fault) = compute(5, None, 2, 16);
    assert!(fault.is_none(), "{fault:?}");
    assert!(frail == plain);
    assert!(!notes.is_empty());
    // From sixteen to four, since there is room for five.
    assert!(notes.iter().any(|note| note == "cuda:0 4"), "{notes:?}");
}

/// A chained block computed twice would advance its network twice.
#[test]
fn a_chained_block_is_computed_alone_and_not_retried() {
    let (plain, ..) = compute(usize::MAX, None, 1, 1);
    let (alone, notes, fault) = compute_in(BlockOrder::Sequential, 1, None, 2, 16);
    assert!(fault.is_none() && notes.is_empty(), "{fault:?} {notes:?}");
    assert!(alone == plain);
    let (done, notes, fault) = compute_in(BlockOrder::Sequential, 0, None, 1, 16);
    assert!(done.blocks == 0 && notes.is_empty(), "{notes:?}");
    assert!(
        matches!(fault, Some(ComputeFault::Memory { .. })),
        "{fault:?}"
    );
}

#[test]
fn a_single_block_that_does_not_fit_names_the_remedy() {
    let (done, _, fault) = compute(0, None, 1, 8);
    assert_eq!(done.blocks, 0);
    let words = fault.unwrap().to_string();
    assert!(words.contains("`cuda:0` has too little memory"), "{words}");
    assert!(words.contains("Tried to allocate 2.00 GiB. "), "{words}");
    assert!(words.contains("--device cpu"), "{words}");
}

#[test]
fn a_lost_device_is_reported_with_the_cause() {
    let (_, _, fault) = compute(8, Some(BlockIndex(20)), 1, 2);
    let words = fault.unwrap().to_string();
    assert!(words.contains("unspecified launch failure. "), "{words}");
    assert!(words.contains("no longer responds"), "{words}");
    assert!(!words.contains("Compile with"), "{words}");
}

/// Results that cannot be summed on a device are computed block by block.
#[test]
fn infinite_outputs_are_summed_by_the_host() {
    let network = testing::unbounded(&burn::tensor::Device::flex());
    let lab = testing::lab(
        network,
        crate::session::config::NetworkKind::Logistic,
        50,
        10,
    );
    let plan = config::ClassificationImages {
        gammas: vec![Gamma(0.3)],
        trials: 80,
        block: 10,
        ..Default::default()
    };
    let mut analysis = ClassificationImages::new(plan, PLACE, &lab);
    let mut begun = record::ClassificationImages::default();
    let nothing = Record::new(&config::Config::default());
    crate::analysis::Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut begun).unwrap();
    let analysis: Arc<dyn DynExperiment> = Arc::new(analysis);
    let both = [1, 4].map(|at_once| {
        let mut trials = begun.gammas[0].clone();
        let workers = Workers::start(&[seat(&lab, at_once)], &analysis, &lab).unwrap();
        let each = if at_once == 1 { 1 } else { 8 };
        let end = BlockIndex(8);
        assert_eq!(workers.offer_blocks(0, BlockIndex(0), end, each), end);
        while trials.blocks < 8 {
            match workers.poll(Duration::from_secs(10)) {
                WorkerAnswer::Done(_, done, _) => {
                    let sums: Vec<BlockSums> = *done.downcast().unwrap();
                    sums.iter().for_each(|sums| trials.add(sums));
                }
                other => panic!("{other:?}"),
            }
        }
        trials
    });
    assert!(both[0].evidence.as_ref().unwrap().clipped > 0);
    assert!(both[0] == both[1]);
}

#[test]
fn many_seats_and_launches_of_any_size_measure_the_same() {
    let (alone, ..) = compute(usize::MAX, None, 1, 1);
    for (seats, at_once) in [(3, 1), (2, 5), (2, 6), (1, 24)] {
        let (together, ..) = compute(usize::MAX, None, seats, at_once);
        assert!(together == alone, "{seats} seats, {at_once} blocks at once");
    }
}

#[test]
fn held_workers_begin_no_block_until_they_are_let_go() {
    let lab = testing::template_lab();
    let plan = config::ClassificationImages {
        gammas: vec![Gamma(0.3)],
        trials: 80,
        block: 10,
        ..Default::default()
    };
    let analysis: Arc<dyn DynExperiment> = Arc::new(FailingAnalysis {
        real: ClassificationImages::new(plan, PLACE, &lab),
        order: BlockOrder::Parallel,
        room: usize::MAX,
        dies_at: None,
        together: 1,
    });
    let patience = Duration::from_secs(10);
    for at_once in [1, 2] {
        let mut workers = Workers::start(&[seat(&lab, at_once)], &analysis, &lab).unwrap();
        workers.hold(true);
        let end = BlockIndex(4);
        let next = workers.offer_blocks(0, BlockIndex(0), end, at_once as u64);
        assert!(next > BlockIndex(0));
        let meanwhile = workers.poll(Duration::from_millis(50));
        assert!(matches!(meanwhile, WorkerAnswer::NotYet), "{meanwhile:?}");
        workers.hold(false);
        let after = workers.poll(patience);
        assert!(matches!(after, WorkerAnswer::Done(..)), "{after:?}");
        // Those that are held end as the others do.
        workers.hold(true);
        workers.recall();
        let is_other = |answer: &WorkerAnswer| !matches!(answer, WorkerAnswer::Done(..));
        let ended = std::iter::repeat_with(|| workers.poll(patience)).find(is_other);
        assert!(matches!(ended, Some(WorkerAnswer::Idle)), "{ended:?}");
    }
}

/// Parts in groups of three share work: a worker takes the queued ones of a block, and leaves a job that does not
/// belong to them for the next worker.
#[test]
fn blocks_that_a_plan_computes_together_are_dealt_together() {
    let lab = testing::template_lab();
    let plan = config::ClassificationImages::default();
    let analysis = Arc::new(FailingAnalysis {
        real: ClassificationImages::new(plan, PLACE, &lab),
        order: BlockOrder::Parallel,
        room: usize::MAX,
        dies_at: None,
        together: 3,
    });
    let taken = |by_plan: bool, waiting: &[(usize, u64)]| -> Vec<Vec<(usize, u64)>> {
        let (jobs, queue) = sync_channel(waiting.len());
        for &(part, block) in waiting {
            jobs.send(Job::single_block(part, BlockIndex(block)))
                .unwrap();
        }
        drop(jobs);
        let worker = Worker {
            analysis: analysis.clone(),
            queue: Arc::new(Mutex::new(Queue {
                jobs: queue,
                next: None,
            })),
            answer: channel().0,
            recalled: Arc::default(),
            gate: Arc::default(),
            seat: seat(&lab, 1),
        };
        launch::set_by_plan(by_plan);
        let all = std::iter::from_fn(|| worker.take());
        let all = all
            .map(|jobs| {
                let jobs = jobs.iter();
                jobs.map(|job| (job.sequence, job.block.0)).collect()
            })
            .collect();
        launch::set_by_plan(false);
        all
    };
    let waiting = [
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 0),
        (5, 0),
        (0, 1),
        (2, 1),
        (3, 1),
        (4, 2),
    ];
    let expected: [&[(usize, u64)]; 6] = [
        &[(1, 0), (2, 0)],
        &[(3, 0), (4, 0), (5, 0)],
        &[(0, 1)],
        &[(2, 1)],
        &[(3, 1)],
        &[(4, 2)],
    ];
    assert_eq!(taken(true, &waiting), expected);
    assert!(taken(false, &waiting).iter().all(|jobs| jobs.len() == 1));
}
