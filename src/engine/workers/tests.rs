//! Devices that fail, simulated; and workers at several seats.

use super::*;
use crate::analysis::{Part, classification_images::ClassificationImages, testing};
use crate::engine::device::Kind;
use crate::session::config;
use crate::session::record::{self, BlockSums, Record};

/// The noise loop on a device that has memory for few blocks at once, and dies at one of them.
struct Frail {
    real: ClassificationImages,
    order: Order,
    room: usize,
    dies_at: Option<u64>,
    /// So many parts that follow upon each other are computed together.
    together: usize,
}

impl Analysis for Frail {
    fn together(&self, part: usize) -> usize {
        self.together - part % self.together
    }
    fn parts(&self) -> Vec<Part> {
        let order = self.order;
        let parts = Analysis::parts(&self.real).into_iter();
        parts.map(|part| Part { order, ..part }).collect()
    }
    fn done(&self, record: &record::Analysis) -> Vec<u64> {
        Analysis::done(&self.real, record)
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
        Analysis::step(&self.real, lab, job)
    }
    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<Sums>, AnalysisError> {
        assert!(
            jobs.len() <= self.room,
            "Torch(\"CUDA out of memory. Tried to allocate 2.00 GiB\\nException\")"
        );
        let dies = |job: &Job| Some(job.block) == self.dies_at;
        assert!(
            !jobs.iter().any(dies),
            "Torch(\"CUDA error: unspecified launch failure\\nCompile with\")"
        );
        Analysis::steps(&self.real, lab, jobs)
    }
    fn merge(&self, _: &mut record::Analysis, _: Job, _: Sums) {}
    fn is_enough(&self, _: &record::Analysis, _: usize) -> bool {
        false
    }
    fn refresh(&self, _: &Lab, _: &mut record::Analysis) {}
}

const BLOCKS: u64 = 24;

const PLACE: crate::analysis::Place = crate::analysis::Place {
    seed: 9,
    index: 0,
    images: None,
    gammas: 0,
    evidence: false,
};

/// What blocks measured in order, the notes, and the fault that ended it.
type Outcome = (Vec<BlockSums>, Vec<String>, Option<Fault>);

/// Computes all blocks.
fn compute(room: usize, dies_at: Option<u64>, seats: usize, at_once: usize) -> Outcome {
    compute_in(Order::Free, room, dies_at, seats, at_once)
}

fn seat(lab: &Lab, at_once: usize) -> Seat {
    Seat {
        device: lab.device.clone(),
        name: "cuda:0".into(),
        kind: Kind::Flex,
        blocks: at_once,
        images: usize::MAX,
    }
}

fn compute_in(
    order: Order,
    room: usize,
    dies_at: Option<u64>,
    seats: usize,
    at_once: usize,
) -> Outcome {
    let lab = testing::template_lab();
    let plan = config::ClassificationImages {
        gammas: vec![0.3],
        trials: BLOCKS * 10,
        block: 10,
        ..Default::default()
    };
    let analysis: Arc<dyn Analysis> = Arc::new(Frail {
        real: ClassificationImages::new(plan, PLACE, &lab),
        order,
        room,
        dies_at,
        together: 1,
    });
    let seat = seat(&lab, at_once);
    let workers = Workers::start(&vec![seat; seats], &analysis, &lab).unwrap();
    let (mut dealt, mut notes) = (0, Vec::new());
    let mut sums: Vec<BlockSums> = Vec::new();
    while sums.len() < BLOCKS as usize {
        while dealt < BLOCKS
            && workers.offer(Job {
                part: 0,
                block: dealt,
            })
        {
            dealt += 1;
        }
        match workers.answer(Duration::from_secs(10)) {
            Answer::Done(_, done) => sums.push(*done.downcast().unwrap()),
            Answer::Note(note) => notes.push(note),
            Answer::Failed(fault) => return (sums, notes, Some(fault)),
            other => panic!("{other:?}"),
        }
    }
    sums.sort_by_key(|sums| sums.block);
    (sums, notes, None)
}

#[test]
fn a_device_that_runs_out_of_memory_goes_on_with_less_and_loses_no_trial() {
    let (plain, ..) = compute(usize::MAX, None, 1, 1);
    let (frail, notes, fault) = compute(3, None, 2, 16);
    assert!(fault.is_none(), "{fault:?}");
    assert_eq!(frail, plain);
    assert!(!notes.is_empty());
    assert!(notes[0].contains("no memory for"), "{}", notes[0]);
}

/// Computed twice, it would take its network further twice.
#[test]
fn a_chained_block_is_computed_alone_and_not_tried_again() {
    let (plain, ..) = compute(usize::MAX, None, 1, 1);
    let (alone, notes, fault) = compute_in(Order::Chained, 1, None, 2, 16);
    assert!(fault.is_none() && notes.is_empty(), "{fault:?} {notes:?}");
    assert_eq!(alone, plain);
    let (done, notes, fault) = compute_in(Order::Chained, 0, None, 1, 16);
    assert!(done.is_empty() && notes.is_empty(), "{notes:?}");
    assert!(matches!(fault, Some(Fault::Memory { .. })), "{fault:?}");
}

#[test]
fn one_block_without_room_says_what_to_do() {
    let (done, _, fault) = compute(0, None, 1, 8);
    assert!(done.is_empty());
    let words = fault.unwrap().to_string();
    assert!(words.contains("`cuda:0` has too little memory"), "{words}");
    assert!(words.contains("Tried to allocate 2.00 GiB. "), "{words}");
    assert!(words.contains("--device flex"), "{words}");
}

#[test]
fn a_device_that_is_lost_says_what_happened() {
    let (_, _, fault) = compute(8, Some(20), 1, 2);
    let words = fault.unwrap().to_string();
    assert!(words.contains("unspecified launch failure. "), "{words}");
    assert!(words.contains("does not answer any more"), "{words}");
    assert!(!words.contains("Compile with"), "{words}");
}

#[test]
fn many_seats_and_launches_of_any_size_measure_the_same() {
    let (alone, ..) = compute(usize::MAX, None, 1, 1);
    for (seats, at_once) in [(3, 1), (2, 5), (1, 24)] {
        let (together, ..) = compute(usize::MAX, None, seats, at_once);
        assert_eq!(together, alone, "{seats} seats, {at_once} blocks at once");
    }
}

/// Parts in threes share work: a worker takes those of a block that wait, and leaves what does not go with
/// them to the next one.
#[test]
fn blocks_that_a_plan_computes_together_are_taken_together() {
    let lab = testing::template_lab();
    let plan = config::ClassificationImages::default();
    let analysis = Arc::new(Frail {
        real: ClassificationImages::new(plan, PLACE, &lab),
        order: Order::Free,
        room: usize::MAX,
        dies_at: None,
        together: 3,
    });
    let taken = |by_plan: bool, waiting: &[(usize, u64)]| -> Vec<Vec<(usize, u64)>> {
        let (jobs, queue) = sync_channel(waiting.len());
        for &(part, block) in waiting {
            jobs.send(Job { part, block }).unwrap();
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
            seat: seat(&lab, 1),
        };
        launch::compute_by_plan(by_plan);
        let all = std::iter::from_fn(|| worker.take(1));
        let all = all
            .map(|own| own.iter().map(|job| (job.part, job.block)).collect())
            .collect();
        launch::compute_by_plan(false);
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
    assert!(taken(false, &waiting).iter().all(|own| own.len() == 1));
}
