//! A launch of the kernels through the C++ harness.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use noisescope::data::Images;
use noisescope::session::config::{Gaussian, Grain, Noise};
use noisescope::stimulus::{BlockSeed, KERNEL_INPUT, NoiseSource, ziggurat};

/// The compiled harness; `None` if these tests are skipped.
static HARNESS: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut words = compiler.split_whitespace();
    let program = words.next().unwrap_or("c++");
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!(
            "there is no C++ compiler ({program}), so the kernels cannot be tested; name one in CXX, or set \
             NOISESCOPE_WITHOUT_CXX to skip these tests"
        );
        assert!(
            std::env::var_os("NOISESCOPE_WITHOUT_CXX").is_some(),
            "no C++ compiler"
        );
        return None;
    }
    // Built under a temporary name, since another test run may be using the existing one.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let harness = folder.join("noise_kernel");
    let new = folder.join(format!("noise_kernel_{}", std::process::id()));
    let compiled = Command::new(program)
        .args(words)
        .args(["-std=c++17", "-O2", "-ffp-contract=off"])
        .args(["-DNOISESCOPE_HOST", "-o"])
        .arg(&new)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/noise_kernel/harness.cpp"))
        .output()
        .expect("the compiler starts");
    let log = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{log}");
    std::fs::rename(&new, &harness).expect("the harness can be renamed");
    Some(harness)
});

/// 64-bit words per thread block of the Gaussian kernels.
pub const CHUNK: usize = 960;

/// A launch of B blocks of T trials.
#[derive(Clone)]
pub struct Launch {
    pub noise: Noise,
    pub trials: usize,
    /// Points of a trial's noise, p.
    pub points: usize,
    /// Numbers of a trial's stimulus, P.
    pub numbers: usize,
    /// \[B,HEAD\]
    pub heads: Vec<u32>,
    pub cells: Option<Vec<usize>>,
    pub bytes: Vec<u8>,
    /// \[B·T\]
    pub image: Vec<usize>,
    pub edges: Vec<f64>,
    pub density: Vec<f64>,
    /// Channels, rows and columns of a trial's noise.
    pub grid: [usize; 3],
    /// Normal numbers for a trial's noise.
    pub normals: usize,
    /// First pixels of patches, \[B·T·C\]; empty for other noise.
    pub places: Vec<u32>,
    /// Principal components of PCA noise; 0 for other noise.
    pub components: usize,
    /// The kernel's constants for Gabor and PCA noise; empty for other noise.
    pub constants: Vec<u32>,
    /// Thread blocks per block of trials.
    pub parts: usize,
}

/// The kernels' result: points \[B·T,p\] and stimuli \[B·T,P\].
pub struct KernelOutput {
    pub failed: bool,
    pub points: Vec<u16>,
    pub stimuli: Vec<f32>,
}

impl Launch {
    /// A launch of noise without images, so far without blocks.
    pub fn new(noise: Noise, grain: Grain, images: &Images, trials: usize) -> Self {
        let source = NoiseSource::with_grain(noise, grain, images);
        let count = trials * source.points();
        let normals = trials * source.normals();
        let chunks = |words: usize| (words + 15).div_ceil(2048);
        Self {
            noise,
            trials,
            points: source.points(),
            numbers: images.shape().iter().product(),
            heads: Vec::new(),
            cells: grain.cells(images.shape()),
            bytes: Vec::new(),
            image: Vec::new(),
            edges: ziggurat::EDGES.to_vec(),
            density: ziggurat::DENSITY.to_vec(),
            grid: source.grid(),
            normals: source.normals(),
            places: Vec::new(),
            components: source.components(),
            constants: source.kernel_constants().unwrap_or_default(),
            parts: match noise {
                Noise::Uniform => chunks(count.div_ceil(2)),
                Noise::Binary => chunks(count.div_ceil(32)),
                Noise::Pca => trials.div_ceil(8),
                _ => (normals + normals.div_ceil(32) + 256).div_ceil(CHUNK),
            },
        }
    }

    /// Adds a block: its head, and the positions of its patches, which the host draws.
    pub fn add_block(&mut self, source: &NoiseSource, seed: BlockSeed, head: [u32; KERNEL_INPUT]) {
        let mut rng = seed.generator();
        rng.set_word_pos((u64::from(head[9]) << 32 | u64::from(head[8])).into());
        let places = source.draw_patch_places(&mut rng, self.trials);
        self.places.extend(places.unwrap_or_default());
        self.heads.extend(head);
    }

    /// Runs the kernels; if `backwards`, with thread blocks, and threads in every phase, in reverse order.
    pub fn run(&self, backwards: bool) -> Option<KernelOutput> {
        let harness = HARNESS.as_ref()?;
        let folder = tempfile::tempdir().unwrap();
        let paths = ["request", "result"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], self.request(backwards)).unwrap();
        let status = Command::new(harness).args(&paths).status().unwrap();
        assert!(status.success());
        let result = std::fs::read(&paths[1]).unwrap();
        let (failed, rest) = result.split_at(4);
        let count = self.heads.len() / KERNEL_INPUT * self.trials;
        let (points, stimuli) = rest.split_at(2 * count * self.points);
        assert_eq!(stimuli.len(), 4 * count * self.numbers);
        Some(KernelOutput {
            failed: failed != [0; 4],
            points: points
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| (i32::from(i16::from_ne_bytes(bytes)) + 32768) as u16)
                .collect(),
            stimuli: stimuli
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| f32::from_ne_bytes(bytes))
                .collect(),
        })
    }

    fn request(&self, backwards: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let images = self.bytes.len() / self.numbers;
        let kind = match self.noise {
            Noise::Uniform => 0,
            Noise::Binary => 1,
            Noise::Gaussian(_) => 2,
            Noise::Patch => 3,
            Noise::Gabor => 4,
            Noise::Pca => 5,
        };
        for number in [
            kind,
            self.heads.len() / KERNEL_INPUT,
            self.trials,
            self.points,
            self.numbers,
            self.parts,
            self.numbers.div_ceil(512),
            usize::from(self.cells.is_some()),
            images,
            self.grid[0],
            self.grid[2],
            self.normals,
            self.components,
            usize::from(backwards),
        ] {
            out.extend((number as u32).to_ne_bytes());
        }
        let grid = self.noise.grid();
        out.extend((grid.step as f32).to_ne_bytes());
        out.extend((grid.offset as f32).to_ne_bytes());
        let (centre, scale) = gaussian(self.noise);
        out.extend(centre.to_ne_bytes());
        out.extend(scale.to_ne_bytes());
        out.extend(self.heads.iter().flat_map(|word| word.to_ne_bytes()));
        let index = |&index: &usize| (index as i32).to_ne_bytes();
        out.extend(self.cells.iter().flatten().flat_map(index));
        out.extend(&self.bytes);
        if images > 0 {
            out.extend(self.image.iter().flat_map(index));
        }
        let tables = self.edges.iter().chain(&self.density);
        out.extend(tables.flat_map(|value| value.to_ne_bytes()));
        let words = self.places.iter().chain(&self.constants);
        out.extend(words.flat_map(|word| word.to_ne_bytes()));
        out
    }
}

/// The grid point of 0.5, and the number of grid points per standard deviation.
pub fn gaussian(noise: Noise) -> (f64, f64) {
    let grid = noise.grid();
    match noise {
        Noise::Gaussian(Gaussian { sigma }) => {
            (((0.5 - grid.offset) / grid.step).round(), sigma / grid.step)
        }
        _ => (0.0, 0.0),
    }
}
