//! Devices: what `--device` names, and who computes on it. All choice of a backend is here.
//!
//! Beside this file: [`libtorch`] and [`cubecl`], what only these backends can say; [`trial`], how
//! fast a device is; [`gpu`], how a GPU is doing; [`trouble`], what a device that fails has said.

mod choice;
pub mod cubecl;
pub mod gpu;
pub mod libtorch;
pub mod pieces;
pub mod seat;
pub mod trial;
pub mod trouble;

use std::thread::available_parallelism;

use burn::tensor::Device;

pub use choice::{Choice, DeviceError, Kind};
use seat::Seat;

use crate::nets::launch::{self, CACHED};
use crate::session::config::NetworkKind;

/// Blocks that a GPU takes at once, unless a trial finds another number better.
const BLOCKS_A_LAUNCH: usize = 32;

/// Workers that feed one GPU: while one waits for its sums, the others' work runs.
const FEEDERS: usize = 2;

/// A device in use, or several of the same kind.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Burn's handle of the first one, which trains and refreshes.
    pub device: Device,
    /// The name that the session records, for example `flex` or `cuda:0,cuda:1`.
    pub name: String,
    /// What was found out while opening it, for the log.
    pub notes: Vec<String>,
    /// A worker's place each.
    pub seats: Vec<Seat>,
    /// The GPUs' own names and indices.
    pub gpus: Vec<usize>,
}

impl Opened {
    /// Workers that a run on this device would have: a GPU one, a processor one a core.
    pub fn workers_of_all(&self) -> usize {
        match self.gpus.is_empty() {
            true => cores(),
            false => self.gpus.len(),
        }
    }

    /// For the header: the name, and how many workers.
    pub fn label(&self) -> String {
        let workers = self.seats.len();
        let plural = if workers == 1 { "" } else { "s" };
        let names: Vec<String> = self.gpus.iter().filter_map(|&i| gpu::name(i)).collect();
        match names.first() {
            Some(name) => format!("{} {name}", self.name),
            None => format!("{} · {workers} worker{plural}", self.name),
        }
    }

    /// For the session's record: the devices, and where the noise was drawn.
    pub fn recorded(&self) -> String {
        if self.gpus.is_empty() {
            match self.name == "cpu" && launch::is_direct() {
                true => "cpu, convolutions direct".to_owned(),
                false => self.name.clone(),
            }
        } else {
            format!("{}, noise drawn there", self.name)
        }
    }
}

/// Processor cores that this program may use.
fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Opens what was asked for. `workers` overrides one worker a core, or two a GPU; results do not
/// depend on it. For `auto`, `network` is what devices are tried with, and a session goes on where
/// it was (`before`, as recorded), if that still works.
///
/// # Errors
/// A device that is not here, or that does not compute.
pub fn open(
    choice: &Choice,
    workers: Option<usize>,
    network: NetworkKind,
    before: Option<&str>,
) -> Result<Opened, DeviceError> {
    match choice {
        Choice::Auto => Ok(automatic(workers, network, before)),
        Choice::Named(kinds) => open_named(kinds, workers, network),
    }
}

/// What is here, best first: without a look at how fast.
pub fn present() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = (0..libtorch::gpus().unwrap_or(0)).map(Kind::Cuda).collect();
    kinds.extend((0..cubecl::gpus().unwrap_or(0)).map(Kind::Cubecl));
    if libtorch::BUILT {
        kinds.push(Kind::Libtorch);
    }
    kinds.extend([Kind::Cpu, Kind::Flex]);
    kinds
}

fn automatic(workers: Option<usize>, network: NetworkKind, before: Option<&str>) -> Opened {
    let mut notes = Vec::new();
    if let Some(mut kinds) = before.and_then(before_kinds) {
        // The plan took its place; `--device flex` still computes as it did.
        if kinds == [Kind::Flex] {
            kinds = vec![Kind::Cpu];
            notes.push(
                "it began on flex and goes on on cpu: the same noise, and logits that differ in their last digits"
                    .to_owned(),
            );
        }
        match open_named(&kinds, workers, network) {
            Ok(mut opened) => {
                opened.notes.splice(0..0, notes);
                return opened;
            }
            Err(error) => notes.push(format!("{error}. Going on elsewhere")),
        }
    }
    let (gpus, processors): (Vec<Kind>, Vec<Kind>) =
        present().into_iter().partition(|kind| kind.is_gpu());
    for kind in gpus {
        match open_named(&[kind], workers, network) {
            Ok(mut opened) => {
                opened.notes.splice(0..0, notes);
                return opened;
            }
            Err(error) => notes.push(format!("{error}. Going on without it")),
        }
    }
    // Flex is the reference, and is never the faster one.
    let processors = processors.into_iter().filter(|kind| *kind != Kind::Flex);
    let processors: Vec<Kind> = processors.collect();
    let mut best: Option<(f64, Opened)> = None;
    for kind in &processors {
        let seats = seats(*kind, workers, network);
        let opened = assemble(&[*kind], seats);
        if processors.len() == 1 {
            best = Some((0.0, opened));
            break;
        }
        match trial::trials_per_second(&opened.seats, network, trial::SHORT) {
            Ok(rate) => {
                notes.push(format!("{kind} makes {rate:.0} trials/s"));
                if best.as_ref().is_none_or(|(most, _)| rate > *most) {
                    best = Some((rate, opened));
                }
            }
            Err(said) => notes.push(format!("device `{kind}` does not compute: {said}")),
        }
    }
    // The processor is always there.
    let (_, mut opened) = best.unwrap_or_else(|| {
        (
            0.0,
            assemble(&[Kind::Cpu], seats(Kind::Cpu, workers, network)),
        )
    });
    opened.notes = notes;
    opened
}

/// The devices of a record's last entry, where they can be named here.
fn before_kinds(recorded: &str) -> Option<Vec<Kind>> {
    let names = recorded.split(", ").next()?;
    match names.parse() {
        Ok(Choice::Named(kinds)) => Some(kinds),
        _ => None,
    }
}

fn open_named(
    kinds: &[Kind],
    workers: Option<usize>,
    network: NetworkKind,
) -> Result<Opened, DeviceError> {
    let mut all = Vec::new();
    let mut notes = Vec::new();
    for (place, &kind) in kinds.iter().enumerate() {
        kind.check()?;
        // Workers are shared out; the first devices get one more, and each has one.
        let share = workers.map(|all| {
            let more = usize::from(place < all % kinds.len());
            (all / kinds.len() + more).max(1)
        });
        let mut own = seats(kind, share, network);
        if kind.is_gpu() {
            let (blocks, rate) =
                trial::best_launch(&own, network).map_err(|said| DeviceError::Broken {
                    kind,
                    said: trouble::first_line(&said),
                })?;
            notes.push(format!(
                "{kind}: {blocks} blocks a launch, {rate:.0} trials/s"
            ));
            own.iter_mut().for_each(|seat| seat.blocks = blocks);
        }
        all.extend(own);
    }
    let mut opened = assemble(kinds, all);
    opened.notes = notes;
    Ok(opened)
}

/// The places of the workers of one device.
fn seats(kind: Kind, workers: Option<usize>, network: NetworkKind) -> Vec<Seat> {
    let usual = if kind.is_gpu() { FEEDERS } else { cores() };
    let seat = Seat {
        device: kind.handle(),
        name: kind.to_string(),
        kind,
        blocks: if kind.is_gpu() { BLOCKS_A_LAUNCH } else { 1 },
        images: at_once(kind, network),
    };
    vec![seat; workers.unwrap_or(usual).max(1)]
}

fn at_once(kind: Kind, network: NetworkKind) -> usize {
    match network {
        NetworkKind::Cnn | NetworkKind::Simple | NetworkKind::Complex | NetworkKind::Onnx
            if !kind.is_gpu() =>
        {
            CACHED
        }
        _ => usize::MAX,
    }
}

fn assemble(kinds: &[Kind], seats: Vec<Seat>) -> Opened {
    let names: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    Opened {
        device: kinds
            .first()
            .map_or_else(Device::flex, |kind| kind.handle()),
        name: names.join(","),
        notes: Vec::new(),
        seats,
        gpus: kinds.iter().filter_map(|kind| kind.gpu()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flex_has_a_worker_a_core_unless_told_otherwise() {
        let open = |workers| {
            let choice = "flex".parse().unwrap();
            open(&choice, workers, NetworkKind::Logistic, None).unwrap()
        };
        assert_eq!(open(None).seats.len(), cores());
        assert_eq!(open(Some(3)).label(), "flex · 3 workers");
        assert_eq!(open(Some(1)).label(), "flex · 1 worker");
        assert_eq!(open(None).recorded(), "flex");
    }

    #[test]
    fn auto_goes_on_where_the_session_was() {
        let opened =
            |before| open(&Choice::Auto, Some(1), NetworkKind::Logistic, Some(before)).unwrap();
        let own = opened("cpu");
        assert_eq!(own.name, "cpu");
        assert!(own.notes.is_empty(), "no trial was needed");
        // What began on flex goes on by the plan, and says so.
        let other = opened("flex");
        assert_eq!(other.name, "cpu");
        assert!(
            other.notes[0].contains("began on flex"),
            "{:?}",
            other.notes
        );
    }

    #[test]
    fn a_record_names_its_devices_before_what_it_says_of_them() {
        assert_eq!(before_kinds("flex"), Some(vec![Kind::Flex]));
        assert_eq!(before_kinds("an abacus"), None);
        assert_eq!(before_kinds("auto"), None);
    }
}
