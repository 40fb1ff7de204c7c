//! Study of false alarms: how often `compare` finds a difference where there is none. The network of a finished
//! session is shown noise from two seeds, and the two results are compared like any two sessions.
//!
//! Measured over all maps of a comparison, with 95 % intervals. A logistic regression, 1,000 comparisons of 5,000
//! trials: evidence at γ 0 5.5 % (4.2–7.1), at γ 0.3 5.8 % (4.5–7.4), decisions at γ 0.3 4.9 % (3.7–6.4). An MLP,
//! 200 comparisons of 3,000 trials: evidence 5.5 % (3.1–9.6) and 3.5 % (1.7–7.0), decisions the same. For single
//! maps: 4.8 % of 26,000. The cluster test finds something in 6.7 %, as on simulated noise.
//!
//! ```sh
//! noisescope run one --set 'network=(kind: Logistic, weights: Train((epochs: 2)))' …
//! cargo run --release --example compare_false_alarms -- FOLDER one [COMPARISONS [TRIALS]]
//! ```

use std::error::Error;
use std::sync::Arc;

use noisescope::analysis::classification_images::ClassificationImages;
use noisescope::analysis::{AnalysisPlace, DeviceData, Experiment, Job, Lab};
use noisescope::comparison::{ComparisonRequest, MapComparison, SessionPair};
use noisescope::data::embedded;
use noisescope::engine::originals;
use noisescope::ids::{BlockIndex, Gamma};
use noisescope::nets::Subject;
use noisescope::session::Session;
use noisescope::session::config::{self, Config, DatasetName, Response};
use noisescope::session::record::{self, Record};
use noisescope::session::store::Store;
use noisescope::stats::interval::wilson;
use noisescope::stimulus::Pool;

/// Signal strengths of the study.
const GAMMAS: [Gamma; 2] = [Gamma::NOISE, Gamma(0.3)];

/// Counts of comparisons and maps, and of false alarms among them.
#[derive(Default)]
struct Alarms {
    comparisons: u64,
    /// Comparisons with a pixel beyond the bound for all maps.
    any: u64,
    maps: u64,
    /// Maps with a pixel beyond the bound for one map.
    of_map: u64,
    /// Maps with a significant cluster.
    clusters: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let usage = "usage: compare_false_alarms FOLDER SESSION [COMPARISONS [TRIALS]]";
    let (folder, name) = (words.next().ok_or(usage)?, words.next().ok_or(usage)?);
    let comparisons: u64 = words.next().map_or(Ok(200), |word| word.parse())?;
    let trials: u64 = words.next().map_or(Ok(5_000), |word| word.parse())?;
    let store = Store::new(&folder);
    let session = store.load(&name)?;
    let images = embedded::dataset(DatasetName::Mnist)?;
    let form = images.form();
    let device = burn::tensor::Device::flex();
    let network = Subject::new(originals::graph(&session, &form, store.folder())?, &device)?;
    let lab = Lab {
        network,
        kind: session.config.network.kind,
        pool: Pool::new(&images.train),
        form: Arc::new(form),
        dataset: Arc::new(images),
        resident: DeviceData::default(),
        device,
    };
    let plan = config::ClassificationImages {
        gammas: GAMMAS.to_vec(),
        trials,
        ..Default::default()
    };
    let mut alarms: [[Alarms; 2]; 2] = Default::default();
    for comparison in 0..comparisons {
        let with_seed = |seed| run(&session, &lab, &plan, seed);
        let (a, b) = (
            with_seed(2 * comparison + 1)?,
            with_seed(2 * comparison + 2)?,
        );
        let pair = SessionPair::new(&a, &b, &ComparisonRequest::default())?;
        for (place, alarms) in alarms.iter_mut().enumerate() {
            for (response, alarms) in Response::ALL.into_iter().zip(alarms) {
                alarms.count(&MapComparison::new(&pair, place, response));
            }
        }
    }
    println!(
        "{name}: {comparisons} comparisons of a network with itself, {trials} trials at each γ"
    );
    for (gamma, alarms) in GAMMAS.into_iter().zip(&alarms) {
        for (response, alarms) in Response::ALL.into_iter().zip(alarms) {
            println!("γ {gamma} {:<10} {alarms}", response.label());
        }
    }
    Ok(())
}

impl Alarms {
    fn count(&mut self, compared: &MapComparison) {
        if compared.differences().next().is_none() {
            return;
        }
        self.comparisons += 1;
        self.any += u64::from(compared.totals().beyond > 0);
        for (_, map) in compared.differences() {
            self.maps += 1;
            self.of_map += u64::from(map.significant > 0);
            let clusters = map.clusters.as_ref();
            self.clusters += u64::from(clusters.is_some_and(|clusters| !clusters.is_empty()));
        }
    }
}

impl std::fmt::Display for Alarms {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = |hits, total| {
            wilson(hits, total).map_or_else(String::new, |interval| {
                let percent = |x: f64| 100.0 * x;
                let share = percent(interval.estimate);
                let (low, high) = (percent(interval.low), percent(interval.high));
                format!("{hits} of {total}, {share:.1} % ({low:.1}–{high:.1})")
            })
        };
        write!(
            to,
            "all maps: {}; one map: {}; clusters: {}",
            share(self.any, self.comparisons),
            share(self.of_map, self.maps),
            share(self.clusters, self.maps)
        )
    }
}

/// The session rerun with the same network and noise from another seed.
fn run(
    session: &Session,
    lab: &Lab,
    plan: &config::ClassificationImages,
    seed: u64,
) -> Result<Session, Box<dyn Error>> {
    let place = AnalysisPlace {
        seed,
        index: 0,
        images: None,
        gammas: plan.gammas.len(),
        evidence: true,
    };
    let mut study = ClassificationImages::new(plan.clone(), place, lab);
    let mut measured = record::ClassificationImages::default();
    let empty = Record::new(&Config::default());
    study.begin(0, lab, &empty, &mut measured)?;
    for part in 0..plan.gammas.len() {
        for block in BlockIndex::first(plan.blocks_at(plan.gammas[part])) {
            let job = Job::single_block(part, block);
            let sums = Experiment::step(&study, lab, job)?;
            Experiment::merge(&study, &mut measured, job, sums);
        }
    }
    let config = Config {
        seed,
        analyses: vec![config::Analysis::ClassificationImages(plan.clone())],
        ..session.config.clone()
    };
    let mut copy = Session::new(&session.name, config);
    copy.record.form = session.record.form.clone();
    copy.record.images = session.record.images.clone();
    copy.record.analyses[0] = record::Analysis::ClassificationImages(measured);
    Ok(copy)
}
