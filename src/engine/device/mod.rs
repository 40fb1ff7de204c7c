//! Devices: what `--device` names, and who computes on it. All choice of a backend is here.
//!
//! Beside this file: [`libtorch`] and [`cubecl`], what only these backends can say; [`trial`], how
//! fast a device is; [`gpu`], how a GPU is doing, and [`visible`], which it is; [`numerics`], how it rounds;
//! [`trouble`], what a device that fails has said; [`verify`], whether it computes what it should.

mod choice;
pub mod cubecl;
pub mod gpu;
pub mod libtorch;
pub mod numerics;
pub mod pieces;
pub mod seat;
pub mod trial;
pub mod trouble;
pub mod verify;
pub mod visible;

use std::thread::available_parallelism;

use burn::tensor::Device;

pub use choice::{Choice, DeviceError, Kind};
use seat::Seat;

use crate::analysis::Lab;
use crate::nets::launch::{self, CACHED};
use crate::session::config::NetworkKind;

/// Blocks that a GPU takes at once before a trial has told.
const BLOCKS_A_LAUNCH: usize = 32;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The devices.
    pub choice: &'a Choice,
    /// Overrides one worker a core; of a GPU, the threads that draw noise where it does not.
    pub workers: Option<usize>,
    /// Blocks of a launch; `None` for what the session had, or what a short trial finds best.
    pub launch: Option<usize>,
}

impl<'a> Wanted<'a> {
    /// A device, and all else as it is best.
    pub fn of(choice: &'a Choice) -> Self {
        Self {
            choice,
            workers: None,
            launch: None,
        }
    }
}

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
    /// Whether the blocks of a launch are still to be chosen.
    pub untried: bool,
}

impl Opened {
    /// Workers that a run on this device would have: a GPU one, a processor one a core.
    pub fn workers_of_all(&self) -> usize {
        match self.gpus.is_empty() {
            true => cores(),
            false => self.gpus.len(),
        }
    }

    /// For the header: the name, and how many workers, or what its launches are.
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

    /// For the session's record: the devices, what their launches are, and how they round.
    pub fn recorded(&self) -> String {
        let mut parts = vec![self.name.clone()];
        if self.name == "cpu" && launch::is_direct() {
            parts.push(DIRECT.into());
        }
        if self.seats[0].is_fed() && !self.untried {
            parts.push(format!("{LAUNCHES_OF}{} blocks", self.seats[0].blocks));
        }
        if matches!(self.seats[0].kind, Kind::Cuda(_)) {
            parts.push(numerics::label().to_owned());
        }
        parts.join(", ")
    }

    /// Takes launches of no more than so many blocks from now on, since one device has not the memory for more.
    pub fn take_at_most(&mut self, blocks: usize) {
        let fed = self.seats.iter_mut().filter(|seat| seat.is_fed());
        fed.for_each(|seat| seat.blocks = seat.blocks.min(blocks));
    }

    /// Chooses the blocks of a launch by a short trial on the network under study, where nobody has named them
    /// and the session has none: once, since what a device's libraries compute may depend on it.
    ///
    /// # Errors
    /// A device that does not compute.
    pub fn choose_launch(&mut self, lab: &Lab, block: usize) -> Result<(), DeviceError> {
        if !std::mem::take(&mut self.untried) {
            return Ok(());
        }
        let tried = trial::best_launch(&self.seats, lab, block);
        let (blocks, rate) = tried.map_err(|said| DeviceError::Broken {
            kind: self.seats[0].kind,
            said: trouble::told(&said),
        })?;
        self.seats.iter_mut().for_each(|seat| seat.blocks = blocks);
        self.notes = vec![format!(
            "{}: launches of {blocks} blocks, {rate:.0} trials/s",
            self.name
        )];
        Ok(())
    }
}

/// How a record says what its launches are.
const LAUNCHES_OF: &str = "launches of ";

/// How a record says that every convolution was computed directly.
const DIRECT: &str = "convolutions direct";

/// Whether a record tells that every convolution was computed directly.
pub fn was_direct(recorded: &str) -> bool {
    recorded.split(", ").any(|part| part == DIRECT)
}

/// The blocks of a launch that a record tells of.
fn recorded_launch(recorded: &str) -> Option<usize> {
    let parts = recorded.split(", ");
    let told = parts.filter_map(|part| part.strip_prefix(LAUNCHES_OF)?.strip_suffix(" blocks"));
    told.filter_map(|number| number.parse().ok()).next()
}

/// Processor cores that this program may use.
fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Opens what was asked for. For `auto`, `network` is what devices are tried with, and a session goes on
/// where it was (`before`, as recorded), if that still works, with launches as they were.
///
/// # Errors
/// A device that is not here, or that does not compute.
pub fn open(
    wanted: Wanted<'_>,
    network: NetworkKind,
    before: Option<&str>,
) -> Result<Opened, DeviceError> {
    let how = How {
        workers: wanted.workers,
        launch: wanted.launch,
        network,
    };
    match wanted.choice {
        Choice::Auto => Ok(automatic(how, before)),
        Choice::Named(kinds) => open_named(kinds, how.going_on(kinds, before)),
    }
}

/// How devices are opened.
#[derive(Debug, Clone, Copy)]
struct How {
    workers: Option<usize>,
    /// Blocks of a launch, where they are known.
    launch: Option<usize>,
    network: NetworkKind,
}

impl How {
    /// With launches as the session had them, where it was on devices of this kind.
    fn going_on(self, kinds: &[Kind], before: Option<&str>) -> Self {
        let alike = |then: &[Kind]| {
            let pairs = then.iter().zip(kinds);
            let same =
                |(a, b): (&Kind, &Kind)| std::mem::discriminant(a) == std::mem::discriminant(b);
            pairs.into_iter().all(same)
        };
        let recorded = before.filter(|it| before_kinds(it).is_some_and(|then| alike(&then)));
        Self {
            launch: self.launch.or_else(|| recorded.and_then(recorded_launch)),
            ..self
        }
    }
}

/// What is here, best first: without a look at how fast.
pub fn present() -> Vec<Kind> {
    let mut kinds: Vec<Kind> = (0..gpu::of_libtorch().unwrap_or(0))
        .map(Kind::Cuda)
        .collect();
    kinds.extend((0..cubecl::gpus().unwrap_or(0)).map(Kind::Cubecl));
    if libtorch::BUILT {
        kinds.push(Kind::Libtorch);
    }
    kinds.extend([Kind::Cpu, Kind::Flex]);
    kinds
}

fn automatic(how: How, before: Option<&str>) -> Opened {
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
        match open_named(&kinds, how.going_on(&kinds, before)) {
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
        match open_named(&[kind], how) {
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
        let opened = assemble(&[*kind], seats(*kind, how), how);
        if processors.len() == 1 {
            best = Some((0.0, opened));
            break;
        }
        match trial::trials_per_second(&opened.seats, how.network, trial::SHORT) {
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
    let (_, mut opened) =
        best.unwrap_or_else(|| (0.0, assemble(&[Kind::Cpu], seats(Kind::Cpu, how), how)));
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

fn open_named(kinds: &[Kind], how: How) -> Result<Opened, DeviceError> {
    let mut all = Vec::new();
    for (place, &kind) in kinds.iter().enumerate() {
        kind.check()?;
        // Workers are shared out; the first devices get one more, and each has one.
        let share = how.workers.map(|all| {
            let more = usize::from(place < all % kinds.len());
            (all / kinds.len() + more).max(1)
        });
        let own = seats(
            kind,
            How {
                workers: share,
                ..how
            },
        );
        if kind.is_gpu() {
            trial::check(&own, how.network).map_err(|said| DeviceError::Broken {
                kind,
                said: trouble::told(&said),
            })?;
        }
        all.extend(own);
    }
    Ok(assemble(kinds, all, how))
}

/// The places of the workers of one device: one that feeds it with launches, or one a core.
fn seats(kind: Kind, how: How) -> Vec<Seat> {
    let workers = how.workers.unwrap_or_else(cores).max(1);
    let blocks = match kind {
        Kind::Cuda(_) | Kind::Cubecl(_) => how.launch.unwrap_or(BLOCKS_A_LAUNCH),
        // The way with a GPU, on a processor, where it is asked for.
        Kind::Libtorch => how.launch.unwrap_or(1),
        Kind::Cpu | Kind::Flex => 1,
    };
    let is_fed = blocks > 1;
    let seat = Seat {
        device: kind.handle(),
        name: kind.to_string(),
        kind,
        blocks,
        threads: if is_fed { workers } else { 1 },
        images: match is_fed {
            true => usize::MAX,
            false => at_once(kind, how.network),
        },
    };
    vec![seat; if is_fed { 1 } else { workers }]
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

fn assemble(kinds: &[Kind], seats: Vec<Seat>, how: How) -> Opened {
    let names: Vec<String> = kinds.iter().map(Kind::to_string).collect();
    Opened {
        device: kinds
            .first()
            .map_or_else(Device::flex, |kind| kind.handle()),
        name: names.join(","),
        notes: Vec::new(),
        seats,
        gpus: kinds.iter().filter_map(|kind| kind.gpu()).collect(),
        untried: how.launch.is_none() && kinds.iter().any(|kind| kind.is_gpu()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flex_has_a_worker_a_core_unless_told_otherwise() {
        let open = |workers| {
            let choice = "flex".parse().unwrap();
            let wanted = Wanted {
                workers,
                ..Wanted::of(&choice)
            };
            open(wanted, NetworkKind::Logistic, None).unwrap()
        };
        assert_eq!(open(None).seats.len(), cores());
        assert_eq!(open(Some(3)).label(), "flex · 3 workers");
        assert_eq!(open(Some(1)).label(), "flex · 1 worker");
        assert_eq!(open(None).recorded(), "flex");
    }

    #[test]
    fn auto_goes_on_where_the_session_was() {
        let wanted = Wanted {
            workers: Some(1),
            ..Wanted::of(&Choice::Auto)
        };
        let opened = |before| open(wanted, NetworkKind::Logistic, Some(before)).unwrap();
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

    #[test]
    fn a_record_tells_how_it_was_computed() {
        assert!(was_direct("cpu, convolutions direct"));
        assert!(!was_direct("cpu"));
        assert!(numerics::was_tf32("cuda:0, launches of 16 blocks, TF32"));
        assert!(!numerics::was_tf32(
            "cuda:0, launches of 16 blocks, float32"
        ));
    }

    #[test]
    fn a_session_goes_on_with_launches_of_the_size_that_it_began_with() {
        let recorded = "cuda:0,cuda:1, launches of 64 blocks, float32";
        assert_eq!(recorded_launch(recorded), Some(64));
        let both = [Kind::Cuda(0), Kind::Cuda(1)];
        assert_eq!(
            before_kinds(recorded),
            libtorch::BUILT.then(|| both.to_vec())
        );
        // As version 0.1.0 had it.
        assert_eq!(recorded_launch("cuda:0, noise drawn there"), None);
        let how = How {
            workers: Some(4),
            launch: None,
            network: NetworkKind::Cnn,
        };
        let own = seats(Kind::Cuda(0), how);
        assert_eq!((own.len(), own[0].threads), (1, 4));
        assert!(assemble(&[Kind::Cuda(0)], own, how).untried);
        let own = seats(
            Kind::Cuda(0),
            How {
                launch: Some(64),
                ..how
            },
        );
        assert_eq!((own.len(), own[0].blocks), (1, 64));
        // A processor takes launches only where somebody asks for them.
        assert_eq!(seats(Kind::Libtorch, how).len(), 4);
        let fed = How {
            launch: Some(64),
            ..how
        };
        let fed = assemble(&[Kind::Libtorch], seats(Kind::Libtorch, fed), fed);
        assert_eq!(fed.label(), "libtorch · launches of 64 blocks");
        assert_eq!(fed.recorded(), "libtorch, launches of 64 blocks");
        // One that ran out of memory on the way.
        let mut less = fed.clone();
        less.take_at_most(16);
        assert_eq!(less.recorded(), "libtorch, launches of 16 blocks");
        if libtorch::BUILT {
            let going_on = |kind| how.going_on(&[kind], Some(recorded)).launch;
            assert_eq!(going_on(Kind::Cuda(1)), Some(64));
            assert_eq!(going_on(Kind::Libtorch), None);
        }
    }
}
