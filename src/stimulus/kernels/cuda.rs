//! Compiling, loading and launching the kernels.
#![allow(
    deprecated,
    reason = "burn-tch is what this program is asked to run on; see engine/device/libtorch.rs"
)]

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::{Int, Tensor};
use burn_tch::{LibTorch, TchTensor};
use cudarc::driver::{result, sys};
use cudarc::nvrtc::{result as nvrtc, sys as nvrtc_sys};
use tch::{Device, Kind};

use super::{Drawn, Launch, OPTIONS, SOURCE};
use crate::session::config::Noise;
use crate::stimulus::{HEAD, ziggurat};

/// Threads of a block of threads, of every kernel.
const THREADS: u32 = 128;
/// Words of a ChaCha block, and of those that a block of threads computes.
const WORDS: u64 = 16;
const STRETCH: u64 = THREADS as u64 * WORDS;
/// Words of 64 bits of a chunk of normals, and its spare ones, as the source has them.
const CHUNK: u64 = 960;
const SPARE: u64 = 56;
/// Numbers of a stimulus that a block of threads shows.
const SLICE: u64 = 4 * THREADS as u64;

/// The kernels, compiled for one GPU and loaded there.
pub struct Kernels {
    device: Device,
    context: sys::CUcontext,
    functions: HashMap<&'static str, sys::CUfunction>,
    /// The edges and the density of the ziggurat.
    tables: [tch::Tensor; 2],
    /// Not 0 once a normal took more words than a kernel looks at.
    failed: tch::Tensor,
}

// SAFETY: handles of the driver's may be used on any thread on which the context is current, which every launch
// sees to; the tensors are read alone.
unsafe impl Send for Kernels {}
unsafe impl Sync for Kernels {}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kernels on {:?}", self.device)
    }
}

/// The kernels' names.
const NAMES: [&str; 9] = [
    "draw_uniform",
    "draw_binary",
    "draw_patch",
    "pass_chunks",
    "link_chunks",
    "draw_gaussian",
    "draw_normals",
    "draw_gabor",
    "show",
];

impl Kernels {
    /// Those of the GPU of this index, compiled once in a program's life. `libtorch` is the folder of its
    /// libraries, beside which pip puts NVRTC.
    ///
    /// # Errors
    /// Why there are none.
    pub fn of(gpu: usize, libtorch: Option<&Path>) -> Result<&'static Self, String> {
        type Made = Result<&'static Kernels, String>;
        static MADE: OnceLock<Mutex<HashMap<usize, Made>>> = OnceLock::new();
        let all = MADE.get_or_init(Mutex::default);
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Ok(&*Box::leak(Box::new(Self::make(gpu, libtorch)?)));
        all.entry(gpu).or_insert_with(make).clone()
    }

    fn make(gpu: usize, libtorch: Option<&Path>) -> Result<Self, String> {
        // SAFETY: it is looked for, no more.
        if !unsafe { sys::is_culib_present() } {
            return Err("the driver's library libcuda is not here".into());
        }
        let said = |error: result::DriverError| format!("the driver says {error}");
        result::init().map_err(said)?;
        let device = result::device::get(gpu as i32).map_err(said)?;
        use sys::CUdevice_attribute_enum as Attribute;
        let of = |attribute| {
            // SAFETY: the device is one that the driver gave.
            unsafe { result::device::get_attribute(device, attribute) }.map_err(said)
        };
        let major = of(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = of(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        let code = Self::code(libtorch, major, minor)?;
        // SAFETY: the primary context is libtorch's, and lives as long as the program, as this does.
        let context = unsafe { result::primary_ctx::retain(device) }.map_err(said)?;
        // SAFETY: as above.
        unsafe { result::ctx::set_current(context) }.map_err(said)?;
        // SAFETY: PTX ends with a zero, and machine code says its own length.
        let module = unsafe { result::module::load_data(code.as_ptr().cast()) };
        let module = module.map_err(|error| {
            format!("the driver does not take the kernels, which were compiled by a newer NVRTC, perhaps ({error}); a newer driver would")
        })?;
        let mut functions = HashMap::new();
        for name in NAMES {
            let c_name = CString::new(name).map_err(|error| error.to_string())?;
            // SAFETY: the module is never unloaded.
            let function = unsafe { result::module::get_function(module, c_name) };
            functions.insert(name, function.map_err(said)?);
        }
        let device = Device::Cuda(gpu);
        let table = |table: &[f64]| tch::Tensor::from_slice(table).to_device(device);
        Ok(Self {
            device,
            context,
            functions,
            tables: [table(&ziggurat::EDGES), table(&ziggurat::DENSITY)],
            failed: tch::Tensor::zeros([1], (Kind::Int, device)),
        })
    }

    /// Machine code for this card, which drivers older than NVRTC take too; where NVRTC does not know the card, PTX,
    /// which a newer driver compiles for it.
    fn code(libtorch: Option<&Path>, major: i32, minor: i32) -> Result<Vec<u8>, String> {
        let code = compiled(libtorch, &format!("sm_{major}{minor}"));
        let newest = || {
            let of = |it: &str| compiled(libtorch, it);
            of("compute_90").or_else(|_| of("compute_75"))
        };
        code.or_else(|why| newest().map_err(|_| why))
    }

    /// Launches a kernel on libtorch's stream: the one that is current where nobody has chosen another, which
    /// this program does not.
    fn launch(&self, name: &str, blocks: u64, arguments: &mut [*mut c_void]) {
        let grid = u32::try_from(blocks).ok().filter(|&n| n < 1 << 31);
        let grid = grid.unwrap_or_else(|| panic!("a launch of {blocks} blocks of threads"));
        // SAFETY: the arguments are those of the kernel's declaration, and point to memory of libtorch's, which is
        // freed and used again on the same stream alone.
        let launched = unsafe {
            result::ctx::set_current(self.context).and_then(|()| {
                result::launch_kernel(
                    self.functions[name],
                    (grid, 1, 1),
                    (THREADS, 1, 1),
                    0,
                    std::ptr::null_mut(),
                    arguments,
                )
            })
        };
        if let Err(error) = launched {
            panic!("CUDA error: kernel {name}: {error}");
        }
    }

    /// Draws a launch: one upload, two kernels, four where the noise is Gaussian, five where it is Gabor's. Waits
    /// for nothing.
    ///
    /// # Panics
    /// With CUDA's words where the device fails.
    pub fn draw(&self, launch: &Launch<'_>) -> Drawn {
        let (blocks, n) = (launch.heads.len() / HEAD, launch.image.len());
        let points = launch.source.points();
        let mut packed: Vec<i32> =
            Vec::with_capacity(launch.heads.len() + 2 * n + launch.places.len());
        packed.extend(launch.heads.iter().map(|&word| word as i32));
        packed.extend(launch.image.iter().map(|&place| place as i32));
        packed.extend(launch.shown.iter().map(|&class| i32::from(class)));
        packed.extend(launch.places.iter().map(|&place| place as i32));
        let pinned = pinned(&packed, self.device);
        let packed = pinned.to_device_(self.device, Kind::Int, true, false);
        let part = |at: usize, count: usize| packed.narrow(0, at as i64, count as i64);
        let rest = |at: usize| part(launch.heads.len() + at * n, n);
        let places = part(launch.heads.len() + 2 * n, launch.places.len());
        let empty = |shape: &[i64], kind| tch::Tensor::empty(shape, (kind, self.device));
        let noise = empty(&[n as i64, points as i64], Kind::Int16);
        let stimuli = empty(&[n as i64, launch.numbers as i64], Kind::Float);

        self.draw_points(launch, blocks as u64, &packed, &places, &noise);
        let grid = launch.source.noise().grid();
        let pointer = |tensor: Option<*mut c_void>| tensor.unwrap_or(std::ptr::null_mut());
        let slices = (launch.numbers as u64).div_ceil(SLICE);
        let (mut at, mut heads) = (noise.data_ptr(), packed.data_ptr());
        let mut cells = pointer(launch.cells.map(data_pointer));
        let blended = launch.images.filter(|_| launch.blends);
        let mut bytes = pointer(blended.map(data_pointer));
        let mut image = pointer(blended.map(|_| rest(0).data_ptr()));
        let (mut trials, mut width) = (launch.trials as u32, points as u32);
        let (mut numbers, mut own) = (launch.numbers as u32, slices as u32);
        let (mut step, mut offset) = (grid.step as f32, grid.offset as f32);
        let mut shown = stimuli.data_ptr();
        let mut arguments = [
            argument(&mut at),
            argument(&mut heads),
            argument(&mut cells),
            argument(&mut bytes),
            argument(&mut image),
            argument(&mut trials),
            argument(&mut width),
            argument(&mut numbers),
            argument(&mut own),
            argument(&mut step),
            argument(&mut offset),
            argument(&mut shown),
        ];
        self.launch("show", n as u64 * slices, &mut arguments);
        Drawn {
            truth: Tensor::from_primitive::<LibTorch>(TchTensor::new(rest(1).shallow_clone())),
            image: Tensor::from_primitive::<LibTorch>(TchTensor::new(rest(0).shallow_clone())),
            noise: Tensor::from_primitive::<LibTorch>(TchTensor::new(noise)),
            stimuli: Tensor::from_primitive::<LibTorch>(TchTensor::new(stimuli)),
        }
    }

    /// The points of every block.
    fn draw_points(
        &self,
        launch: &Launch<'_>,
        blocks: u64,
        heads: &tch::Tensor,
        places: &tch::Tensor,
        noise: &tch::Tensor,
    ) {
        let (mut heads, mut noise) = (heads.data_ptr(), noise.data_ptr());
        let mut count = (launch.trials * launch.source.points()) as u64;
        let (name, words) = match launch.source.noise() {
            Noise::Gaussian(plan) => {
                let grid = launch.source.noise().grid();
                let mut centre = ((0.5 - grid.offset) / grid.step).round();
                let mut scale = plan.sigma / grid.step;
                let more = [argument(&mut centre), argument(&mut scale)];
                return self.draw_normals("draw_gaussian", blocks, count, heads, &more, noise);
            }
            Noise::Gabor => return self.draw_gabor(launch, blocks, heads, noise),
            Noise::Patch => return self.draw_patch(launch, places, noise),
            Noise::Binary => ("draw_binary", count.div_ceil(32)),
            _ => ("draw_uniform", count.div_ceil(2)),
        };
        // A stretch begins anywhere within a ChaCha block.
        let stretches = (words + WORDS - 1).div_ceil(STRETCH);
        let mut each = stretches as u32;
        let mut arguments = [
            argument(&mut heads),
            argument(&mut count),
            argument(&mut each),
            argument(&mut noise),
        ];
        self.launch(name, blocks * stretches, &mut arguments);
    }

    /// One white patch an image and channel, at `places`.
    fn draw_patch(&self, launch: &Launch<'_>, places: &tch::Tensor, mut noise: *mut c_void) {
        let [_, height, width] = launch.source.grid();
        let mut places = places.data_ptr();
        let (mut area, mut columns) = ((height * width) as u32, width as u32);
        let mut arguments = [
            argument(&mut places),
            argument(&mut area),
            argument(&mut columns),
            argument(&mut noise),
        ];
        self.launch("draw_patch", launch.places.len() as u64, &mut arguments);
    }

    /// Gabor images of normal numbers.
    fn draw_gabor(
        &self,
        launch: &Launch<'_>,
        blocks: u64,
        heads: *mut c_void,
        mut noise: *mut c_void,
    ) {
        let [channels, height, width] = launch.source.grid();
        let own = launch.source.normals();
        let images = blocks * launch.trials as u64;
        let count = (launch.trials * own) as u64;
        let drawn = tch::Tensor::empty([(blocks * count) as i64], (Kind::Float, self.device));
        let mut normals = drawn.data_ptr();
        self.draw_normals("draw_normals", blocks, count, heads, &[], normals);
        let mut filters = launch.filters.map_or(std::ptr::null_mut(), data_pointer);
        let (mut area, mut each) = ((height * width) as u32, (own / channels) as u32);
        let mut channels = channels as u32;
        let mut arguments = [
            argument(&mut filters),
            argument(&mut normals),
            argument(&mut channels),
            argument(&mut area),
            argument(&mut each),
            argument(&mut noise),
        ];
        self.launch("draw_gabor", images, &mut arguments);
    }

    /// The normal numbers of every block, `count` each, which the last of three kernels writes; `more` are the
    /// arguments that it alone takes.
    fn draw_normals(
        &self,
        last: &str,
        blocks: u64,
        mut count: u64,
        mut heads: *mut c_void,
        more: &[*mut c_void],
        mut out: *mut c_void,
    ) {
        // A normal takes 1.022 words on average.
        let chunks = (count + count.div_ceil(32) + 256).div_ceil(CHUNK);
        let empty = |length: u64, kind| tch::Tensor::empty([length as i64], (kind, self.device));
        let passes = empty(blocks * chunks * SPARE, Kind::Int);
        let entries = empty(blocks * chunks, Kind::Int);
        let firsts = empty(blocks * chunks, Kind::Int64);
        let (mut edges, mut density) = (self.tables[0].data_ptr(), self.tables[1].data_ptr());
        let mut each = chunks as u32;
        let mut passed = passes.data_ptr();
        let mut arguments = [
            argument(&mut heads),
            argument(&mut edges),
            argument(&mut density),
            argument(&mut each),
            argument(&mut passed),
        ];
        self.launch("pass_chunks", blocks * chunks, &mut arguments);
        let (mut entered, mut first) = (entries.data_ptr(), firsts.data_ptr());
        let mut failed = self.failed.data_ptr();
        let mut arguments = [
            argument(&mut passed),
            argument(&mut count),
            argument(&mut each),
            argument(&mut entered),
            argument(&mut first),
            argument(&mut failed),
        ];
        self.launch("link_chunks", blocks, &mut arguments);
        let mut arguments = vec![
            argument(&mut heads),
            argument(&mut edges),
            argument(&mut density),
            argument(&mut each),
            argument(&mut entered),
            argument(&mut first),
        ];
        arguments.extend(more);
        arguments.extend([argument(&mut count), argument(&mut out)]);
        self.launch(last, blocks * chunks, &mut arguments);
    }

    /// Sees that all that was drawn so far may be used. Waits for it.
    ///
    /// # Panics
    /// Where a normal took more words than a kernel looks at, which happens less than once in 10³⁰.
    pub fn check(&self) {
        assert!(
            self.failed.int64_value(&[0]) == 0,
            "the kernels of normal numbers gave up; set NOISESCOPE_WITHOUT_KERNELS=1 to draw it here"
        );
    }
}

/// Brings numbers to a GPU from memory that it reads by itself, while the processor goes on.
pub fn upload(numbers: &[i16], gpu: usize) -> Option<Tensor<1, Int>> {
    let device = Device::Cuda(gpu);
    let pinned = pinned(numbers, device);
    let there = pinned.to_device_(device, Kind::Int16, true, false);
    Some(Tensor::from_primitive::<LibTorch>(TchTensor::new(there)))
}

/// Numbers in memory that a GPU reads by itself.
fn pinned<T: tch::kind::Element>(numbers: &[T], device: Device) -> tch::Tensor {
    // The public function warns of its argument at every call.
    tch::Tensor::from_slice(numbers).internal_pin_memory(device)
}

/// A kernel's argument.
fn argument<T>(value: &mut T) -> *mut c_void {
    std::ptr::from_mut(value).cast()
}

/// Where the numbers of a tensor on libtorch lie.
fn data_pointer<const D: usize>(tensor: &Tensor<D, Int>) -> *mut c_void {
    let raw = tensor.clone().try_into_primitive::<LibTorch>();
    raw.unwrap_or_else(|error| panic!("a tensor of another backend: {error:?}"))
        .tensor
        .data_ptr()
}

/// The kernels compiled for GPUs of an architecture: PTX that ends with a zero for one such as `compute_75`, machine
/// code for one such as `sm_90`.
///
/// # Errors
/// Where there is no NVRTC, or it refuses them.
pub fn compiled(libtorch: Option<&Path>, architecture: &str) -> Result<Vec<u8>, String> {
    find_nvrtc(libtorch)?;
    let said = |error: nvrtc::NvrtcError| format!("NVRTC does not compile the kernels ({error:?})");
    let source = CString::new(SOURCE).map_err(|error| error.to_string())?;
    let program = nvrtc::create_program(&source, Some(c"kernels.cu")).map_err(said)?;
    let mut options: Vec<String> = OPTIONS.iter().map(|&it| it.to_owned()).collect();
    options.push(format!("--gpu-architecture={architecture}"));
    // SAFETY: the program is one that NVRTC has made, and is given back to it below.
    let made = unsafe { nvrtc::compile_program(program, &options) }
        .map_err(|error| {
            // SAFETY: as above.
            let log = unsafe { nvrtc::get_program_log(program) }.unwrap_or_default();
            let log: Vec<u8> = log.iter().map(|&letter| letter as u8).collect();
            let log = String::from_utf8_lossy(&log).into_owned();
            let line = log.lines().find(|line| line.contains("error"));
            let line = line.map_or_else(String::new, |line| format!(": {line}"));
            format!("NVRTC does not compile the kernels for {architecture} ({error:?}{line})")
        })
        .and_then(|()| {
            if architecture.starts_with("sm_") {
                return machine_code(program).map_err(said);
            }
            // SAFETY: as above.
            let text = unsafe { nvrtc::get_ptx(program) }.map_err(said)?;
            Ok(text.into_iter().map(|letter| letter as u8).collect())
        });
    // SAFETY: as above.
    let _ = unsafe { nvrtc::destroy_program(program) };
    made
}

/// The machine code of a program that was compiled for a card.
fn machine_code(program: nvrtc_sys::nvrtcProgram) -> Result<Vec<u8>, nvrtc::NvrtcError> {
    let mut size = 0;
    // SAFETY: the program was compiled, and the memory is as large as NVRTC says.
    unsafe {
        nvrtc_sys::nvrtcGetCUBINSize(program, &raw mut size).result()?;
        let mut code = vec![0_u8; size];
        nvrtc_sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()).result()?;
        Ok(code)
    }
}

/// Loads NVRTC from where pip puts it, unless the loader finds one by itself.
fn find_nvrtc(libtorch: Option<&Path>) -> Result<(), String> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| {
        // What is loaded already is found by its name.
        if let Some(library) = places(libtorch).into_iter().find(|it| it.is_file()) {
            preload(&library);
        }
        // SAFETY: it is looked for, no more.
        unsafe { nvrtc_sys::is_culib_present() }
    });
    match found {
        true => Ok(()),
        false => Err("NVRTC (libnvrtc) is not here; it comes with torch for GPUs, or by `pip install nvidia-cuda-nvrtc-cu12`: name it in NOISESCOPE_NVRTC".into()),
    }
}

/// Where NVRTC may lie: where a person says, and beside libtorch.
fn places(libtorch: Option<&Path>) -> Vec<PathBuf> {
    let named = std::env::var_os("NOISESCOPE_NVRTC").map(PathBuf::from);
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut all = Vec::new();
    match named {
        Some(named) if named.is_dir() => folders.push(named),
        Some(named) => all.push(named),
        None => {}
    }
    if let Some(libtorch) = libtorch {
        let packages = libtorch.join("../../nvidia");
        folders.push(libtorch.to_owned());
        folders.extend(["cu13/lib", "cuda_nvrtc/lib"].map(|it| packages.join(it)));
    }
    for folder in folders {
        all.extend(["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"].map(|it| folder.join(it)));
    }
    all
}

/// Loads a library for good, and what NVRTC needs beside it, which it looks for by name.
fn preload(library: &Path) {
    let beside = library.parent().and_then(|it| std::fs::read_dir(it).ok());
    let files = beside.into_iter().flatten().filter_map(Result::ok);
    let builtins = files.map(|file| file.path()).filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libnvrtc-builtins.so") && !name.contains(".alt.")
    });
    for path in builtins.chain([library.to_owned()]) {
        // SAFETY: NVIDIA's library runs no code of ours while it is loaded. What cannot be loaded is told later.
        if let Ok(library) = unsafe { libloading::Library::new(path) } {
            std::mem::forget(library);
        }
    }
}
