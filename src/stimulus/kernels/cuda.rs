//! Loading and launching the CUDA kernels, and uploads.
#![allow(
    deprecated,
    reason = "this program must run on libtorch; see engine/device/libtorch.rs"
)]

mod compile;
mod points;

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::{Int, Tensor};
use burn_tch::{LibTorch, TchTensor};
use cudarc::driver::{result, sys};
use tch::{Device, Kind};

use super::{KernelLaunch, KernelOutput};
use crate::stimulus::{KERNEL_INPUT, ziggurat};

pub use compile::compile;

/// Threads per thread block, in every kernel.
const THREADS: u32 = 128;
/// Stimulus values computed by a thread block.
const SLICE: u64 = 4 * THREADS as u64;

/// The kernels, compiled for one GPU and loaded there.
pub struct Kernels {
    device: Device,
    context: sys::CUcontext,
    functions: HashMap<&'static str, sys::CUfunction>,
    /// The edges and the density of the ziggurat.
    tables: [tch::Tensor; 2],
    /// Not 0 once a normal needed more words than a kernel examines.
    failed: tch::Tensor,
}

// SAFETY: the driver's handles may be used on any thread on which the context is current, which every launch
// ensures; the tensors are only read.
unsafe impl Send for Kernels {}
unsafe impl Sync for Kernels {}

impl std::fmt::Debug for Kernels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kernels on {:?}", self.device)
    }
}

/// The kernels' names.
const NAMES: [&str; 10] = [
    "draw_uniform",
    "draw_binary",
    "draw_patch",
    "pass_chunks",
    "link_chunks",
    "draw_gaussian",
    "draw_normals",
    "draw_gabor",
    "draw_pca",
    "show",
];

impl Kernels {
    /// The kernels for the GPU with this index, compiled once per process. `libtorch` is the folder of its
    /// libraries, beside which pip puts NVRTC.
    ///
    /// # Errors
    /// Why they are not available.
    pub fn get(gpu: usize, libtorch: Option<&Path>) -> Result<&'static Self, String> {
        type Loaded = Result<&'static Kernels, String>;
        static LOADED: OnceLock<Mutex<HashMap<usize, Loaded>>> = OnceLock::new();
        let all = LOADED.get_or_init(Mutex::default);
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || Ok(&*Box::leak(Box::new(Self::load(gpu, libtorch)?)));
        all.entry(gpu).or_insert_with(load).clone()
    }

    fn load(gpu: usize, libtorch: Option<&Path>) -> Result<Self, String> {
        // SAFETY: this only looks for the library.
        if !unsafe { sys::is_culib_present() } {
            return Err("the driver's library libcuda is not installed".into());
        }
        let message = |error: result::DriverError| format!("the driver reports {error}");
        result::init().map_err(message)?;
        let device = result::device::get(gpu as i32).map_err(message)?;
        use sys::CUdevice_attribute_enum as Attribute;
        let attribute = |attribute| {
            // SAFETY: the device is from the driver.
            unsafe { result::device::get_attribute(device, attribute) }.map_err(message)
        };
        let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        let code = Self::code(libtorch, major, minor)?;
        // SAFETY: the primary context is libtorch's, and lives as long as the program, as `Self` does.
        let context = unsafe { result::primary_ctx::retain(device) }.map_err(message)?;
        // SAFETY: as above.
        unsafe { result::ctx::set_current(context) }.map_err(message)?;
        // SAFETY: PTX ends with a zero, and machine code contains its length.
        let module = unsafe { result::module::load_data(code.as_ptr().cast()) };
        let module = module.map_err(|error| {
            format!("the driver cannot load the kernels, perhaps because NVRTC is newer ({error}); install a newer driver")
        })?;
        let mut functions = HashMap::new();
        for name in NAMES {
            let c_name = CString::new(name).map_err(|error| error.to_string())?;
            // SAFETY: the module is never unloaded.
            let function = unsafe { result::module::get_function(module, c_name) };
            functions.insert(name, function.map_err(message)?);
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

    /// Machine code for this card, which drivers older than NVRTC accept too; or if NVRTC does not know the card, PTX,
    /// which a newer driver compiles for it.
    fn code(libtorch: Option<&Path>, major: i32, minor: i32) -> Result<Vec<u8>, String> {
        let code = compile(libtorch, &format!("sm_{major}{minor}"));
        let newest = || {
            let ptx = |architecture: &str| compile(libtorch, architecture);
            ptx("compute_90").or_else(|_| ptx("compute_75"))
        };
        code.or_else(|why| newest().map_err(|_| why))
    }

    /// Launches a kernel on libtorch's stream, which is the default one since this program never selects
    /// another.
    fn launch(&self, name: &str, blocks: u64, arguments: &mut [*mut c_void]) {
        let grid = u32::try_from(blocks).ok().filter(|&n| n < 1 << 31);
        let grid = grid.unwrap_or_else(|| panic!("a launch of {blocks} thread blocks"));
        // SAFETY: the arguments match the kernel's declaration, and point to libtorch's memory, which is
        // freed and reused only on the same stream.
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

    /// Draws a launch: one upload and two kernels, four for Gaussian noise, five for Gabor noise. Does not
    /// wait.
    ///
    /// # Panics
    /// With CUDA's message if the device fails.
    pub fn draw(&self, launch: &KernelLaunch<'_>) -> KernelOutput {
        let (blocks, n) = (launch.inputs.len() / KERNEL_INPUT, launch.image.len());
        let points = launch.source.points();
        let mut packed: Vec<i32> =
            Vec::with_capacity(launch.inputs.len() + 2 * n + launch.places.len());
        packed.extend(launch.inputs.iter().map(|&word| word as i32));
        packed.extend(launch.image.iter().map(|&place| place as i32));
        packed.extend(launch.truth.iter().map(|&class| i32::from(class)));
        packed.extend(launch.places.iter().map(|&place| place as i32));
        let pinned = pinned(&packed, self.device);
        let packed = pinned.to_device_(self.device, Kind::Int, true, false);
        let part = |start: usize, count: usize| packed.narrow(0, start as i64, count as i64);
        let rest = |index: usize| part(launch.inputs.len() + index * n, n);
        let places = part(launch.inputs.len() + 2 * n, launch.places.len());
        let empty = |shape: &[i64], kind| tch::Tensor::empty(shape, (kind, self.device));
        let noise = empty(&[n as i64, points as i64], Kind::Int16);
        let stimuli = empty(&[n as i64, launch.numbers as i64], Kind::Float);

        self.draw_points(launch, blocks as u64, &packed, &places, &noise);
        let grid = launch.source.noise().grid();
        let pointer = |tensor: Option<*mut c_void>| tensor.unwrap_or(std::ptr::null_mut());
        let slices = (launch.numbers as u64).div_ceil(SLICE);
        let (mut drawn_points, mut heads) = (noise.data_ptr(), packed.data_ptr());
        let mut cells = pointer(launch.cells.map(data_pointer));
        let blended = launch.images.filter(|_| launch.blends);
        let mut bytes = pointer(blended.map(data_pointer));
        let mut image = pointer(blended.map(|_| rest(0).data_ptr()));
        let (mut trials, mut width) = (launch.trials as u32, points as u32);
        let (mut numbers, mut slice_count) = (launch.numbers as u32, slices as u32);
        let (mut step, mut offset) = (grid.step as f32, grid.offset as f32);
        let mut shown = stimuli.data_ptr();
        let mut arguments = [
            argument(&mut drawn_points),
            argument(&mut heads),
            argument(&mut cells),
            argument(&mut bytes),
            argument(&mut image),
            argument(&mut trials),
            argument(&mut width),
            argument(&mut numbers),
            argument(&mut slice_count),
            argument(&mut step),
            argument(&mut offset),
            argument(&mut shown),
        ];
        self.launch("show", n as u64 * slices, &mut arguments);
        KernelOutput {
            truth: Tensor::from_primitive::<LibTorch>(TchTensor::new(rest(1).shallow_clone())),
            image: Tensor::from_primitive::<LibTorch>(TchTensor::new(rest(0).shallow_clone())),
            noise: Tensor::from_primitive::<LibTorch>(TchTensor::new(noise)),
            stimuli: Tensor::from_primitive::<LibTorch>(TchTensor::new(stimuli)),
        }
    }

    /// Waits, and checks that everything drawn so far is valid.
    ///
    /// # Panics
    /// If a normal needed more words than a kernel examines, which happens less than once in 10³⁰.
    pub fn check(&self) {
        assert!(
            self.failed.int64_value(&[0]) == 0,
            "the kernels for normal numbers failed; set NOISESCOPE_WITHOUT_KERNELS=1 to draw noise on the processor"
        );
    }
}

/// Uploads numbers to a GPU asynchronously, from pinned memory.
pub fn upload(numbers: &[i16], gpu: usize) -> Option<Tensor<1, Int>> {
    let device = Device::Cuda(gpu);
    let pinned = pinned(numbers, device);
    let uploaded = pinned.to_device_(device, Kind::Int16, true, false);
    Some(Tensor::from_primitive::<LibTorch>(TchTensor::new(uploaded)))
}

/// Copies numbers to pinned memory, which a GPU can read directly.
fn pinned<T: tch::kind::Element>(numbers: &[T], device: Device) -> tch::Tensor {
    // The public function prints a deprecation warning at every call.
    tch::Tensor::from_slice(numbers).internal_pin_memory(device)
}

/// A pointer to a kernel's argument.
fn argument<T>(value: &mut T) -> *mut c_void {
    std::ptr::from_mut(value).cast()
}

/// The data pointer of a libtorch tensor.
fn data_pointer<const D: usize>(tensor: &Tensor<D, Int>) -> *mut c_void {
    let raw = tensor.clone().try_into_primitive::<LibTorch>();
    raw.unwrap_or_else(|error| panic!("a tensor of another backend: {error:?}"))
        .tensor
        .data_ptr()
}
