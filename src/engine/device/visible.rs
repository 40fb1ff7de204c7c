//! The cards visible to CUDA and their order, from `CUDA_VISIBLE_DEVICES`, `CUDA_DEVICE_ORDER` and the list of
//! the machine's cards in NVIDIA's management library (NVML).
//!
//! NVML ignores these variables, so its number of a card is not CUDA's. If the two cannot be matched for
//! certain, the place is [`NvmlPlace::Unknown`]: no card is shown rather than a wrong one.

use std::env;

/// A card in NVML's list. Lists of cards are in PCI bus order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// NVML's number.
    pub index: u32,
    /// For example `GPU-8932f937-d72c-4106-c12f-20bd9faed9f6`; empty if unknown.
    pub uuid: String,
    /// For example `NVIDIA H100 80GB HBM3`; empty if unknown.
    pub name: String,
    /// Whether it is in MIG mode: CUDA then shows its slices, and never the whole card.
    pub divided: bool,
    /// Its known MIG slices.
    pub slices: Vec<Slice>,
}

/// A MIG slice of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// NVML's number within the card.
    pub index: u32,
    /// For example `MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f`.
    pub uuid: String,
}

/// The card or slice in NVML that corresponds to a CUDA device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NvmlPlace {
    /// A whole card, by NVML's number.
    Card(u32),
    /// A MIG slice.
    Slice {
        /// NVML's number of the card.
        parent: u32,
        /// NVML's number of the slice within the card, if known.
        slice: Option<u32>,
    },
    /// It is unknown which it is: why, and what helps.
    Unknown(String),
}

/// The environment's settings for CUDA devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CudaEnvironment {
    /// `CUDA_VISIBLE_DEVICES`, if set.
    pub listed: Option<String>,
    /// `CUDA_DEVICE_ORDER`, if set.
    pub order: Option<String>,
    /// Whether this is a Slurm job; Slurm sets the list itself.
    pub slurm: bool,
}

/// CUDA's devices in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VisibleDevices {
    /// The place of each.
    pub places: Vec<NvmlPlace>,
    /// Why the list ended early, and what helps.
    pub ended_because: Option<String>,
}

/// Why a number does not identify a card: CUDA numbers by speed.
const BY_SPEED: &str = "this machine has GPUs of several models, and CUDA numbers them by speed: export CUDA_DEVICE_ORDER=PCI_BUS_ID to identify them";

/// Why a number does not identify a card: it may be a card or a slice.
const BY_SLICE: &str = "GPUs here are divided into MIG slices, which a number does not identify: use its UUID (`nvidia-smi -L`) in CUDA_VISIBLE_DEVICES";

impl CudaEnvironment {
    /// The settings of this process.
    pub fn of_environment() -> Self {
        let value = |name| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            listed: value("CUDA_VISIBLE_DEVICES"),
            order: value("CUDA_DEVICE_ORDER"),
            slurm: env::var_os("SLURM_JOB_ID").is_some(),
        }
    }

    /// Whether CUDA numbers all devices in the order of `cards`.
    fn follows(&self, cards: &[Card]) -> bool {
        let by_bus = self.order.as_deref() == Some("PCI_BUS_ID");
        let first = cards.first().map_or("", |card| &card.name);
        let one_model = !first.is_empty() && cards.iter().all(|card| card.name == first);
        by_bus || cards.len() == 1 || one_model
    }

    /// What to do about a list that hides too much.
    fn remedy(&self) -> &'static str {
        match self.slurm {
            true => {
                "this job has only the GPUs that Slurm gave it: request one with --gres=gpu:1, and leave the variable as Slurm sets it"
            }
            false => {
                "list devices from `nvidia-smi -L` in it, or `unset CUDA_VISIBLE_DEVICES` to use all"
            }
        }
    }

    /// A message that the list, given as `listed`, hides GPUs: why, and what helps.
    fn hides(&self, listed: &str, why: &str) -> String {
        format!("CUDA_VISIBLE_DEVICES={listed} {why}; {}", self.remedy())
    }
}

impl VisibleDevices {
    /// Which of `cards` CUDA shows.
    pub fn new(setting: &CudaEnvironment, cards: &[Card]) -> Self {
        let Some(listed) = setting.listed.as_deref() else {
            return Self::unlisted(setting, cards);
        };
        let mut visible = Self::default();
        if listed.trim().is_empty() {
            let words = "is set and empty, which hides every GPU";
            visible.ended_because = Some(setting.hides("\"\"", words));
            return visible;
        }
        let kind = EntryKind::of(listed);
        let mut before = Vec::new();
        for entry in listed.split(',').map(str::trim) {
            let why = match kind.place(entry, setting, cards) {
                Ok(place)
                    if before.contains(&entry)
                        || place.is_known() && visible.places.contains(&place) =>
                {
                    visible.places.clear();
                    format!("names `{entry}` twice, which hides every GPU")
                }
                Ok(place) => {
                    before.push(entry);
                    visible.places.push(place);
                    continue;
                }
                Err(why) => why,
            };
            visible.ended_because = Some(setting.hides(listed, &why));
            break;
        }
        visible
    }

    fn unlisted(setting: &CudaEnvironment, cards: &[Card]) -> Self {
        // If there are slices, CUDA shows one of them and no whole card.
        let sliced: Vec<&Card> = cards
            .iter()
            .filter(|card| !card.slices.is_empty())
            .collect();
        let whole: Vec<&Card> = cards.iter().filter(|card| !card.divided).collect();
        let follows = setting.follows(cards);
        let mut visible = Self::default();
        match (&sliced[..], &whole[..]) {
            ([], []) if !cards.is_empty() => {
                visible.ended_because = Some(
                    "every GPU here is in MIG mode, and no slice of them is available to this process; check `nvidia-smi -L`, and have a slice created (`nvidia-smi mig`) or assigned to this job"
                        .into(),
                );
            }
            ([], whole) => {
                let place = |card: &&Card| match follows {
                    true => NvmlPlace::Card(card.index),
                    false => NvmlPlace::Unknown(BY_SPEED.into()),
                };
                visible.places = whole.iter().map(place).collect();
            }
            ([card], _) => visible.places.push(card.slice()),
            _ => visible.places.push(NvmlPlace::Unknown(BY_SLICE.into())),
        }
        visible
    }

    /// The same, checked against the number of devices that CUDA itself counts: if that differs, as in a
    /// job that sees other cards than NVML, all devices become unknown.
    #[must_use]
    pub fn check_count(mut self, by_cuda: usize) -> Self {
        let slices = |place: &NvmlPlace| matches!(place, NvmlPlace::Slice { .. });
        // Of several slices a process sees the first, or with newer drivers perhaps all.
        if by_cuda < self.places.len() && self.places.iter().all(slices) {
            self.places.truncate(by_cuda);
        }
        if by_cuda != self.places.len() {
            let words = format!(
                "CUDA counts {by_cuda} devices here, but NVML's list gives {}, so it is unknown which is which; identify them by UUID (`nvidia-smi -L`) in CUDA_VISIBLE_DEVICES",
                self.places.len()
            );
            self.places = vec![NvmlPlace::Unknown(words); by_cuda];
        }
        self
    }

    /// The place of a CUDA device.
    pub fn place(&self, index: usize) -> Option<&NvmlPlace> {
        self.places.get(index)
    }
}

impl NvmlPlace {
    /// NVML's number of the card, for a slice that of its parent.
    pub fn card(&self) -> Option<u32> {
        match self {
            Self::Card(index) | Self::Slice { parent: index, .. } => Some(*index),
            Self::Unknown(_) => None,
        }
    }

    /// A remark on its state, if any.
    pub fn remark(&self) -> Option<&str> {
        match self {
            Self::Card(_) => None,
            Self::Slice { .. } => Some(
                "a MIG slice: it works as one device; the temperature is the whole card's, the load is not available",
            ),
            Self::Unknown(why) => Some(why),
        }
    }

    /// Whether it is known exactly.
    fn is_known(&self) -> bool {
        match self {
            Self::Card(_) => true,
            Self::Slice { slice, .. } => slice.is_some(),
            Self::Unknown(_) => false,
        }
    }
}

impl Card {
    /// The slice that CUDA shows if none is named.
    fn slice(&self) -> NvmlPlace {
        let only = match &self.slices[..] {
            [only] => Some(only.index),
            _ => None,
        };
        NvmlPlace::Slice {
            parent: self.index,
            slice: only,
        }
    }
}

/// How the entries of a list name devices; the first one decides for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryKind {
    Number,
    Card,
    Slice,
}

impl EntryKind {
    fn of(listed: &str) -> Self {
        let listed = listed.trim_start();
        if listed.starts_with("GPU-") {
            Self::Card
        } else if listed.starts_with("MIG-") {
            Self::Slice
        } else {
            Self::Number
        }
    }

    /// The place that an entry names; or why it names none, so that the list ends there.
    fn place(
        self,
        entry: &str,
        setting: &CudaEnvironment,
        cards: &[Card],
    ) -> Result<NvmlPlace, String> {
        match self {
            Self::Number => by_number(entry, setting, cards),
            Self::Card if entry.starts_with("GPU-") => by_uuid(entry, cards),
            Self::Slice if entry.starts_with("MIG-") => by_slice(entry, cards),
            Self::Card | Self::Slice => Err(format!(
                "names `{entry}` beside UUIDs, which must be of one kind: it and what follows it are hidden"
            )),
        }
    }
}

fn by_number(entry: &str, setting: &CudaEnvironment, cards: &[Card]) -> Result<NvmlPlace, String> {
    if entry == "NoDevFiles" {
        return Err("is how Slurm marks a job without GPUs".into());
    }
    let Some(number) = leading_number(entry) else {
        return Err(format!(
            "names `{entry}`, which is neither a number nor a UUID: it and what follows it are hidden"
        ));
    };
    let Ok(number) = usize::try_from(number) else {
        return Err(format!("names `{entry}`, which hides everything after it"));
    };
    let Some(card) = cards.get(number) else {
        let here = match cards.len() {
            0 => "there is no GPU here".to_owned(),
            1 => "the only GPU here is 0".to_owned(),
            many => format!("the GPUs here are 0 to {}", many - 1),
        };
        return Err(format!(
            "names GPU {number}, but {here}: it and what follows it are hidden"
        ));
    };
    Ok(match cards {
        [only] if only.divided => only.slice(),
        _ if cards.iter().any(|card| card.divided) => NvmlPlace::Unknown(BY_SLICE.into()),
        _ if !setting.follows(cards) => NvmlPlace::Unknown(BY_SPEED.into()),
        _ => NvmlPlace::Card(card.index),
    })
}

/// The number at the beginning of an entry, as C parses it: `2gb` is 2.
fn leading_number(entry: &str) -> Option<i64> {
    let digits = entry.strip_prefix(['+', '-']).unwrap_or(entry);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let number: i64 = digits[..end.unwrap_or(digits.len())].parse().ok()?;
    Some(if entry.starts_with('-') {
        -number
    } else {
        number
    })
}

fn by_uuid(entry: &str, cards: &[Card]) -> Result<NvmlPlace, String> {
    let mut fitting = cards.iter().filter(|card| card.uuid.starts_with(entry));
    match (fitting.next(), fitting.next()) {
        (Some(card), None) if card.divided => Ok(card.slice()),
        (Some(card), None) => Ok(NvmlPlace::Card(card.index)),
        (Some(_), Some(_)) => Err(format!(
            "names `{entry}`, which begins the UUIDs of several GPUs: it and what follows it are hidden"
        )),
        (None, _) if cards.iter().any(|card| card.uuid.is_empty()) => Ok(NvmlPlace::Unknown(
            "NVML does not give the UUIDs of all GPUs here".into(),
        )),
        (None, _) => Err(format!(
            "names `{entry}`, but no GPU here has that UUID: it and what follows it are hidden"
        )),
    }
}

fn by_slice(entry: &str, cards: &[Card]) -> Result<NvmlPlace, String> {
    let slices = |card: &Card| -> Vec<(u32, u32)> {
        let slices = card.slices.iter();
        let fitting = slices.filter(|slice| slice.uuid.starts_with(entry));
        fitting.map(|slice| (card.index, slice.index)).collect()
    };
    let fitting: Vec<(u32, u32)> = cards.iter().flat_map(slices).collect();
    let unknown = || {
        format!(
            "names `{entry}`, but no MIG slice here has that UUID: it and what follows it are hidden"
        )
    };
    match fitting[..] {
        [(parent, slice)] => {
            return Ok(NvmlPlace::Slice {
                parent,
                slice: Some(slice),
            });
        }
        [] => {}
        _ => {
            return Err(format!(
                "names `{entry}`, which begins the UUIDs of several MIG slices: it and what follows it are hidden"
            ));
        }
    }
    // Before driver 470: `MIG-GPU-…/1/0`, the card with its GPU instance and compute instance.
    if let Some(card) = entry
        .strip_prefix("MIG-")
        .and_then(|rest| rest.split('/').next())
        && card.starts_with("GPU-")
    {
        return match cards.iter().find(|other| other.uuid == card) {
            Some(card) if card.divided => Ok(NvmlPlace::Slice {
                parent: card.index,
                slice: None,
            }),
            _ => Err(unknown()),
        };
    }
    // NVML may hide slices from this process.
    let may_contain = |card: &&Card| card.divided && card.slices.is_empty();
    match cards.iter().filter(may_contain).collect::<Vec<_>>()[..] {
        [] => Err(unknown()),
        [card] => Ok(card.slice()),
        _ => Ok(NvmlPlace::Unknown(
            "NVML does not say which GPU this MIG slice belongs to".into(),
        )),
    }
}

#[cfg(test)]
mod tests;
