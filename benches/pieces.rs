//! Benchmarks of the parts of a trial on device `cpu`, each alone on one core: noise of every kind, blending, the
//! logits of every built-in kind of network, a block with decisions only and with evidence, activations,
//! perturbations, and a training batch.
//!
//! `cargo bench --bench pieces [-- noise|logits|block|layers|training]`; rates are images per second.

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput};
use noisescope::analysis::{DeviceData, Job, Lab, build};
use noisescope::data::{Dataset, DatasetRequest, load};
use noisescope::ids::{BlockIndex, Gamma, SiteId};
use noisescope::nets::plan::triggered::TriggeredSums;
use noisescope::nets::train::Trainer;
use noisescope::nets::{NetworkShape, Subject, launch};
use noisescope::session::Config;
use noisescope::session::config::{
    Analysis, ClassificationImages, Gaussian, NetworkKind, Noise, Response, TrainingConfig,
};
use noisescope::stimulus::{BlockSeed, NoiseSource, Pool, blend};

/// Images per batch.
const IMAGES: usize = 256;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    launch::set_by_plan(true);
    let images = embedded()?;
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    noise(&mut criterion, &images);
    logits(&mut criterion)?;
    blocks(&mut criterion, &images)?;
    layers(&mut criterion)?;
    training(&mut criterion, &images)?;
    criterion.final_summary();
    Ok(())
}

/// The embedded subset of MNIST.
fn embedded() -> Result<Dataset, Box<dyn Error>> {
    let request = DatasetRequest {
        config: &noisescope::session::config::Dataset::default(),
        seed: 1,
        data: Path::new("unused"),
        cache: None,
    };
    Ok(load(&request, &mut |_, _| ControlFlow::Continue(()))?)
}

fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    images: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(images as u64));
    group
}

fn subject(kind: NetworkKind) -> Result<Subject, Box<dyn Error>> {
    let ports = NetworkShape {
        image: [1, 28, 28],
        classes: 10,
    };
    Ok(Subject::untrained(kind, ports, 1, &Device::flex())?)
}

/// Images of uniform noise.
fn pixels(images: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..images * 784).map(|_| next()).collect()
}

fn noise(criterion: &mut Criterion, images: &Dataset) {
    let mut group = group(criterion, "noise", IMAGES);
    let pool = Pool::new(&images.train);
    let seed = BlockSeed {
        session: 1,
        analysis: 0,
        stream: 0,
        block: BlockIndex(0),
    };
    let kinds = [
        ("uniform", Noise::Uniform),
        ("gaussian", Noise::Gaussian(Gaussian::default())),
        ("binary", Noise::Binary),
        ("patch", Noise::Patch),
        ("gabor", Noise::Gabor),
        ("pca", Noise::Pca),
    ];
    for (name, noise) in kinds {
        let source = NoiseSource::new(noise, &images.train);
        group.bench_function(name, |bench| {
            bench.iter(|| black_box(source.draw(&mut seed.generator(), IMAGES)));
        });
    }
    let source = NoiseSource::new(Noise::Uniform, &images.train);
    let points = source.draw(&mut seed.generator(), IMAGES);
    let shown: Vec<usize> = (0..IMAGES).collect();
    for gamma in [Gamma::NOISE, Gamma(0.3)] {
        group.bench_function(format!("blend {gamma}"), |bench| {
            bench.iter(|| black_box(blend(&points, &source, &shown, gamma, &pool)));
        });
    }
}

fn logits(criterion: &mut Criterion) -> Done {
    let mut group = group(criterion, "logits", IMAGES);
    let pixels = pixels(IMAGES);
    for kind in NetworkKind::ALL {
        if kind == NetworkKind::Onnx {
            continue;
        }
        let subject = subject(kind)?;
        let plan = subject.plan().map_err(|unplanned| unplanned.to_string())?;
        group.bench_function(kind.label(), |bench| {
            bench.iter(|| black_box(plan.logits(&pixels)));
        });
    }
    Ok(())
}

/// Whole blocks: noise, logits and sums.
fn blocks(criterion: &mut Criterion, images: &Dataset) -> Done {
    let mut group = group(criterion, "block", IMAGES);
    for kind in [NetworkKind::Cnn, NetworkKind::Mlp, NetworkKind::Logistic] {
        let lab = Lab {
            network: subject(kind)?,
            kind,
            form: Arc::new(images.form().clone()),
            device: Device::flex(),
            pool: Pool::new(&images.train),
            dataset: Arc::new(images.clone()),
            resident: DeviceData::default(),
        };
        let ways = [
            ("decisions", vec![Response::Decision]),
            ("evidence", vec![Response::Decision, Response::Evidence]),
        ];
        for (name, responses) in ways {
            let plan = ClassificationImages {
                gammas: vec![Gamma::NOISE],
                block: IMAGES,
                responses,
                ..ClassificationImages::default()
            };
            let config = Config {
                analyses: vec![Analysis::ClassificationImages(plan)],
                ..Config::default()
            };
            let analysis = build(&config, 0, &lab);
            group.bench_function(format!("{} {name}", kind.label()), |bench| {
                let mut block = BlockIndex(0);
                bench.iter(|| {
                    block = block + 1;
                    black_box(analysis.step(&lab, Job::single_block(0, block)).is_ok())
                });
            });
        }
    }
    Ok(())
}

/// Individual layers of `cnn`: spike-triggered sums of all receptive fields, and one layer perturbed at 21 strengths.
fn layers(criterion: &mut Criterion) -> Done {
    let mut group = group(criterion, "layers", IMAGES);
    let subject = subject(NetworkKind::Cnn)?;
    let pixels = pixels(IMAGES);
    let all: Vec<SiteId> = (0..subject.sites().len()).map(SiteId).collect();
    let sums = || -> Vec<TriggeredSums> {
        let sites = subject.sites().iter();
        sites
            .map(|site| TriggeredSums::new(site.units, site.field_pixels()))
            .collect()
    };
    group.bench_function("spike-triggered sums", |bench| {
        bench.iter_batched(
            sums,
            |mut sums| black_box(subject.add_triggered(&pixels, &all, &mut sums)),
            BatchSize::SmallInput,
        );
    });
    group.throughput(Throughput::Elements(21 * IMAGES as u64));
    for name in ["conv1", "conv2", "fc1"] {
        let site = subject.sites().iter().find(|site| site.name == name);
        let units = site.map_or(0, |site| site.units);
        let deltas: Vec<Vec<f32>> = (-10..=10).map(|by| vec![by as f32 * 0.01; units]).collect();
        let together = subject.with_each_push(name, &deltas)?;
        group.bench_function(format!("{name} pushed together"), |bench| {
            bench.iter(|| black_box(together.logits(pixels.clone(), subject.device())));
        });
        let apart = subject.pushed(name, &deltas[0])?;
        group.bench_function(format!("{name} pushed apart"), |bench| {
            bench.iter(|| {
                for _ in &deltas {
                    black_box(apart.logits(pixels.clone(), subject.device()));
                }
            });
        });
    }
    Ok(())
}

fn training(criterion: &mut Criterion, images: &Dataset) -> Done {
    for batch in [64, 256] {
        let mut group = group(criterion, &format!("training {batch}"), batch);
        for kind in [NetworkKind::Cnn, NetworkKind::Mlp, NetworkKind::Logistic] {
            let plan = TrainingConfig {
                batch,
                epochs: 1000,
                ..TrainingConfig::default()
            };
            let mut record = noisescope::session::record::TrainingRecord::default();
            let device = Device::flex();
            let mut trainer = Trainer::new(kind, &plan, 1, &images.train, &device, &mut record)?;
            group.bench_function(kind.label(), |bench| {
                bench.iter(|| black_box(trainer.step(&mut record, &mut || {}).is_ok()));
            });
        }
    }
    Ok(())
}
