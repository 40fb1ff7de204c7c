//! A synthetic session of two classes, whose maps are coarse or of any other size, at many γ.

use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{self, Analysis as Plan, Config};
use noisescope::session::record::{
    self, Analysis, BlockSums, FedBack, GammaTrials, TrialKind, TrialRows,
};
use noisescope::session::{Form, Session};

use super::synthetic;

/// Number of γ, each 0.05 above the one before.
pub const GAMMAS: usize = 16;

/// Rows and columns of a map.
const SIDE: usize = 4;

/// The γ at an index.
pub fn gamma(index: usize) -> Gamma {
    Gamma(index as f64 / 20.0)
}

/// Adds one block of maps of so many rows and columns: most trials are called their true class, the left or the
/// right half.
fn add(trials: &mut GammaTrials, (height, width): (usize, usize)) {
    let pixels = height * width;
    let rows = TrialRows::new(2, &trials.listed);
    let mut sums = BlockSums {
        block: BlockIndex(trials.blocks),
        counts: vec![0; 4],
        ..Default::default()
    };
    let mut noise = vec![vec![0_i64; pixels]; rows.count()];
    let mut image = vec![vec![0_i64; pixels]; 2];
    for truth in ClassId::all(2) {
        for (called, count) in [(truth, 300_u32), (ClassId(1 - truth.0), 70)] {
            sums.trials += u64::from(count);
            sums.counts[truth.0 * 2 + called.0] += u64::from(count);
            for pixel in 0..pixels {
                let left = pixel % width < width / 2;
                let signal = if left == (called.0 == 0) { 2600 } else { -2600 };
                let wobble = (pixel as i64 * 31 + trials.blocks as i64 * 17) % 101;
                let sum = i64::from(count) * (32_768 + signal + wobble);
                rows.for_trial(truth, called)
                    .for_each(|row| noise[row][pixel] += sum);
                image[called][pixel] += i64::from(count) * 90;
            }
        }
    }
    sums.noise = noise.into_iter().enumerate().collect();
    sums.image = image.into_iter().enumerate().collect();
    trials.add(&sums);
    trials.fed_back = ClassId::all(2)
        .map(|class| {
            Some(FedBack {
                class,
                confidence: 0.98,
            })
        })
        .collect();
}

/// A finished session of two classes of these names.
pub fn session(names: [&str; 2]) -> Session {
    sized(names, (SIDE, SIDE))
}

/// The same with maps of so many rows and columns.
pub fn sized(names: [&str; 2], (height, width): (usize, usize)) -> Session {
    let shape = [1, height, width];
    let plan = config::ClassificationImages {
        gammas: (0..GAMMAS).map(gamma).collect(),
        ..Default::default()
    };
    let config = Config {
        analyses: vec![Plan::ClassificationImages(plan.clone())],
        ..Config::default()
    };
    let mut session = Session::new("coarse", config);
    session.record.form = Some(Form {
        classes: names.map(String::from).to_vec(),
        ..Form::numbered(shape, 0)
    });
    session.record.training = Some(synthetic::training(15, 0, true));
    let mut images = record::ClassificationImages::with_trials(&plan, &TrialKind::plain(2, shape));
    for trials in &mut images.gammas {
        (0..4).for_each(|_| add(trials, (height, width)));
    }
    session.record.analyses = vec![Analysis::ClassificationImages(images)];
    session.record.state = record::SavedState::Finished;
    session
}
