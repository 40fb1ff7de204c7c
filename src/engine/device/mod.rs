//! Devices: opening those that `--device` names, with their workers. All choice of a backend is here.
//!
//! Submodules: [`libtorch`], specific to this backend; [`speed`], the speed of a device; [`gpu`], the state of
//! a GPU, and [`visible`], which card it is; [`numerics`], its rounding; [`records`], how a session was computed so
//! far; [`diagnosis`], the messages of failing devices; [`verify`], whether a device computes correctly.

mod choice;
pub mod diagnosis;
pub mod gpu;
pub mod libtorch;
pub mod numerics;
pub mod profile;
pub mod records;
pub mod seat;
pub mod speed;
pub mod verify;
pub mod visible;

use std::thread::available_parallelism;

use burn::tensor::Device;

pub use choice::{DeviceChoice, DeviceError, DeviceKind};
use seat::Seat;

use crate::analysis::Lab;
use crate::nets::launch::{self, CACHED_IMAGES};
use crate::session::config::NetworkKind;

/// Blocks per launch on a GPU before a short trial has chosen the number.
const BLOCKS_A_LAUNCH: usize = 32;

/// A request to open devices.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRequest<'a> {
    /// The devices.
    pub choice: &'a DeviceChoice,
    /// Number of workers instead of one per core; for a GPU, threads that draw noise if the GPU does not.
    pub workers: Option<usize>,
    /// Blocks per launch; `None` for the session's previous number, or the best one in a short trial.
    pub launch: Option<usize>,
}

impl<'a> DeviceRequest<'a> {
    /// A device with default settings.
    pub fn new(choice: &'a DeviceChoice) -> Self {
        Self {
            choice,
            workers: None,
            launch: None,
        }
    }
}

/// A device in use, or several of the same kind.
#[derive(Debug, Clone)]
pub struct OpenDevices {
    /// Burn's handle of the first device, which trains and refreshes.
    pub device: Device,
    /// The name that the session records, for example `flex` or `cuda:0,cuda:1`.
    pub name: String,
    /// Notes on opening it, for the log.
    pub notes: Vec<String>,
    /// One seat per worker.
    pub seats: Vec<Seat>,
    /// The GPUs' indices.
    pub gpus: Vec<usize>,
    /// Whether the number of blocks per launch is still to be chosen.
    pub launch_unchosen: bool,
}

impl OpenDevices {
    /// Default number of workers on this device: one per GPU, or one per core.
    pub fn workers_of_all(&self) -> usize {
        match self.gpus.is_empty() {
            true => cores(),
            false => self.gpus.len(),
        }
    }

    /// Text for the header: the name, with the number of workers or the launch size.
    pub fn label(&self) -> String {
        let workers = self.seats.len();
        let plural = if workers == 1 { "" } else { "s" };
        let names: Vec<String> = self.gpus.iter().filter_map(|&i| gpu::name(i)).collect();
        match names.first() {
            Some(name) => format!("{} {name}", self.name),
            None if self.seats[0].is_fed() => {
                format!(
                    "{} · {LAUNCHES_OF}{} blocks",
                    self.name, self.seats[0].blocks
                )
            }
            None => format!("{} · {workers} worker{plural}", self.name),
        }
    }

    /// Text for the session's record: the devices, their launch size and rounding.
    pub fn record_label(&self) -> String {
        let mut parts = vec![self.name.clone()];
        if self.name == "cpu" && launch::is_winograd_disabled() {
            parts.push(DIRECT.into());
        }
        if self.seats[0].is_fed() && !self.launch_unchosen {
            parts.push(format!("{LAUNCHES_OF}{} blocks", self.seats[0].blocks));
        }
        if matches!(self.seats[0].kind, DeviceKind::Cuda(_)) {
            parts.push(numerics::label().to_owned());
        }
        parts.join(", ")
    }

    /// Limits launches to this many blocks from now on, since one device lacks the memory for more.
    pub fn limit_launch(&mut self, blocks: usize) {
        let fed = self.seats.iter_mut().filter(|seat| seat.is_fed());
        fed.for_each(|seat| seat.blocks = seat.blocks.min(blocks));
    }

    /// Chooses the number of blocks per launch by a short trial on the network under study, unless it is given or
    /// recorded in the session: only once, since the results of a device's libraries may depend on it.
    ///
    /// # Errors
    /// If the device does not work.
    pub fn choose_launch(&mut self, lab: &Lab, block: usize) -> Result<(), DeviceError> {
        if !std::mem::take(&mut self.launch_unchosen) {
            return Ok(());
        }
        let best = speed::best_launch(&self.seats, lab, block);
        let (blocks, rate) = best.map_err(|message| DeviceError::Failed {
            kind: self.seats[0].kind,
            message: diagnosis::user_message(&message),
        })?;
        self.seats.iter_mut().for_each(|seat| seat.blocks = blocks);
        self.notes = vec![format!(
            "{}: launches of {blocks} blocks, {rate:.0} trials/s",
            self.name
        )];
        Ok(())
    }
}

/// Begins the launch size in a record.
const LAUNCHES_OF: &str = "launches of ";

/// In a record: every convolution was computed directly.
const DIRECT: &str = "convolutions direct";

/// Whether a record states that every convolution was computed directly.
pub fn is_recorded_direct(recorded: &str) -> bool {
    recorded.split(", ").any(|part| part == DIRECT)
}

/// The number of blocks per launch in a record.
fn recorded_launch(recorded: &str) -> Option<usize> {
    let parts = recorded.split(", ");
    let sizes = parts.filter_map(|part| part.strip_prefix(LAUNCHES_OF)?.strip_suffix(" blocks"));
    sizes.filter_map(|number| number.parse().ok()).next()
}

/// Number of processor cores that this program may use.
fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Opens the requested devices. For `auto`, devices are tried with `network`, and a session continues on its
/// previous devices (`before`, as recorded) with the same launch size, if they still work.
///
/// # Errors
/// If a device is not available or does not work.
pub fn open(
    wanted: DeviceRequest<'_>,
    network: NetworkKind,
    before: Option<&str>,
) -> Result<OpenDevices, DeviceError> {
    let how = OpenSettings {
        workers: wanted.workers,
        launch: wanted.launch,
        network,
    };
    match wanted.choice {
        DeviceChoice::Auto => Ok(open_auto(how, before)),
        DeviceChoice::Named(kinds) => open_named(kinds, how.resuming(kinds, before)),
    }
}

/// How devices are opened.
#[derive(Debug, Clone, Copy)]
struct OpenSettings {
    workers: Option<usize>,
    /// Blocks per launch, if known.
    launch: Option<usize>,
    network: NetworkKind,
}

impl OpenSettings {
    /// With the session's previous launch size, if it was on devices of the same kind.
    fn resuming(self, kinds: &[DeviceKind], before: Option<&str>) -> Self {
        let same_kinds = |then: &[DeviceKind]| {
            let pairs = then.iter().zip(kinds);
            let same = |(a, b): (&DeviceKind, &DeviceKind)| {
                std::mem::discriminant(a) == std::mem::discriminant(b)
            };
            pairs.into_iter().all(same)
        };
        let recorded = before
            .filter(|recorded| recorded_kinds(recorded).is_some_and(|then| same_kinds(&then)));
        Self {
            launch: self.launch.or_else(|| recorded.and_then(recorded_launch)),
            ..self
        }
    }
}

/// The devices available here, best first, without measuring their speed.
pub fn available_devices() -> Vec<DeviceKind> {
    let mut kinds: Vec<DeviceKind> = (0..gpu::count_for_libtorch().unwrap_or(0))
        .map(DeviceKind::Cuda)
        .collect();
    if libtorch::BUILT {
        kinds.push(DeviceKind::Libtorch);
    }
    kinds.extend([DeviceKind::Cpu, DeviceKind::Flex]);
    kinds
}

fn open_auto(how: OpenSettings, before: Option<&str>) -> OpenDevices {
    let mut notes = Vec::new();
    if let Some(mut kinds) = before.and_then(recorded_kinds) {
        // `cpu` has replaced it; `--device flex` still computes as before.
        if kinds == [DeviceKind::Flex] {
            kinds = vec![DeviceKind::Cpu];
            notes.push(
                "it began on flex and continues on cpu: with the same noise, but logits that differ in their last digits"
                    .to_owned(),
            );
        }
        match open_named(&kinds, how.resuming(&kinds, before)) {
            Ok(mut opened) => {
                opened.notes.splice(0..0, notes);
                return opened;
            }
            Err(error) => notes.push(format!("{error}. Continuing on another device")),
        }
    }
    let (gpus, processors): (Vec<DeviceKind>, Vec<DeviceKind>) = available_devices()
        .into_iter()
        .partition(|kind| kind.is_gpu());
    for kind in gpus {
        match open_named(&[kind], how) {
            Ok(mut opened) => {
                opened.notes.splice(0..0, notes);
                return opened;
            }
            Err(error) => notes.push(format!("{error}. Continuing without it")),
        }
    }
    // Flex is the reference, and never faster.
    let processors = processors
        .into_iter()
        .filter(|kind| *kind != DeviceKind::Flex);
    let processors: Vec<DeviceKind> = processors.collect();
    let mut best: Option<(f64, OpenDevices)> = None;
    for kind in &processors {
        let opened = assemble(&[*kind], seats(*kind, how), how);
        if processors.len() == 1 {
            best = Some((0.0, opened));
            break;
        }
        match speed::trials_per_second(&opened.seats, how.network, speed::SHORT) {
            Ok(rate) => {
                notes.push(format!("{kind} computes {rate:.0} trials/s"));
                if best.as_ref().is_none_or(|(most, _)| rate > *most) {
                    best = Some((rate, opened));
                }
            }
            Err(message) => notes.push(format!("device `{kind}` does not work: {message}")),
        }
    }
    // The processor is always available.
    let (_, mut opened) = best.unwrap_or_else(|| {
        (
            0.0,
            assemble(&[DeviceKind::Cpu], seats(DeviceKind::Cpu, how), how),
        )
    });
    opened.notes = notes;
    opened
}

/// The devices in a record, if this program knows them.
fn recorded_kinds(recorded: &str) -> Option<Vec<DeviceKind>> {
    let names = recorded.split(", ").next()?;
    match names.parse() {
        Ok(DeviceChoice::Named(kinds)) => Some(kinds),
        _ => None,
    }
}

fn open_named(kinds: &[DeviceKind], how: OpenSettings) -> Result<OpenDevices, DeviceError> {
    let mut all = Vec::new();
    for (index, &kind) in kinds.iter().enumerate() {
        kind.check()?;
        // Workers are divided among the devices, at least one each; the first devices get the remainder.
        let share = how.workers.map(|all| {
            let more = usize::from(index < all % kinds.len());
            (all / kinds.len() + more).max(1)
        });
        let seats = seats(
            kind,
            OpenSettings {
                workers: share,
                ..how
            },
        );
        if kind.is_gpu() {
            speed::check_computes(&seats, how.network).map_err(|message| DeviceError::Failed {
                kind,
                message: diagnosis::user_message(&message),
            })?;
        }
        all.extend(seats);
    }
    Ok(assemble(kinds, all, how))
}

/// The seats of one device: one for a worker that feeds it with launches, or one per core.
fn seats(kind: DeviceKind, how: OpenSettings) -> Vec<Seat> {
    let workers = how.workers.unwrap_or_else(cores).max(1);
    let blocks = match kind {
        DeviceKind::Cuda(_) => how.launch.unwrap_or(BLOCKS_A_LAUNCH),
        // Launches on a processor, only on request.
        DeviceKind::Libtorch => how.launch.unwrap_or(1),
        DeviceKind::Cpu | DeviceKind::Flex => 1,
    };
    let is_fed = blocks > 1;
    let seat = Seat {
        device: kind.handle(),
        name: kind.to_string(),
        kind,
        blocks,
        threads: if is_fed { workers } else { 1 },
        max_images: match is_fed {
            true => usize::MAX,
            false => images_at_once(kind, how.network),
        },
    };
    vec![seat; if is_fed { 1 } else { workers }]
}

/// Most images that a network on this device takes at once.
fn images_at_once(kind: DeviceKind, network: NetworkKind) -> usize {
    match network {
        NetworkKind::Cnn | NetworkKind::Simple | NetworkKind::Complex | NetworkKind::Onnx
            if !kind.is_gpu() =>
        {
            CACHED_IMAGES
        }
        _ => usize::MAX,
    }
}

fn assemble(kinds: &[DeviceKind], seats: Vec<Seat>, how: OpenSettings) -> OpenDevices {
    let names: Vec<String> = kinds.iter().map(DeviceKind::to_string).collect();
    OpenDevices {
        device: kinds
            .first()
            .map_or_else(Device::flex, |kind| kind.handle()),
        name: names.join(","),
        notes: Vec::new(),
        seats,
        gpus: kinds.iter().filter_map(|kind| kind.gpu()).collect(),
        launch_unchosen: how.launch.is_none() && kinds.iter().any(|kind| kind.is_gpu()),
    }
}

#[cfg(test)]
mod tests;
