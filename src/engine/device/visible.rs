//! Which cards CUDA shows, and in which order: `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER`, held
//! against the list of the machine's cards that NVIDIA's management library (NVML) gives.
//!
//! NVML knows nothing of these variables, so its number of a card is not CUDA's. Where the two cannot
//! be brought together for certain, the place is [`Place::Unknown`]: no card is shown rather than a
//! wrong one.

use std::env;

/// A card, as NVML lists it. Lists of them are in the order of the PCI bus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// NVML's number.
    pub index: u32,
    /// For example `GPU-8932f937-d72c-4106-c12f-20bd9faed9f6`; empty where it is not told.
    pub uuid: String,
    /// For example `NVIDIA H100 80GB HBM3`; empty where it is not told.
    pub name: String,
    /// Whether it is in MIG mode: CUDA then shows slices of it, and never the whole card.
    pub divided: bool,
    /// Its MIG slices, as far as they are told.
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

/// Where a device of CUDA is found at NVML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A whole card, by NVML's number.
    Card(u32),
    /// A MIG slice.
    Slice {
        /// NVML's number of the card.
        parent: u32,
        /// NVML's number of the slice within the card, where it is known.
        slice: Option<u32>,
    },
    /// It cannot be said which it is: why, and what helps.
    Unknown(String),
}

/// What the environment says of devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Setting {
    /// `CUDA_VISIBLE_DEVICES`, where it is set.
    pub listed: Option<String>,
    /// `CUDA_DEVICE_ORDER`, where it is set.
    pub order: Option<String>,
    /// Whether this is a job of Slurm, which sets the list itself.
    pub slurm: bool,
}

/// CUDA's devices in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visible {
    /// The place of each.
    pub places: Vec<Place>,
    /// Why the list ended early, and what helps.
    pub hidden: Option<String>,
}

/// Said where a number does not name a card, since CUDA numbers by speed.
const BY_SPEED: &str = "GPUs of several models are here, and CUDA numbers them by speed: export CUDA_DEVICE_ORDER=PCI_BUS_ID, and it is known which is which";

/// Said where a number may be a card or a slice.
const BY_SLICE: &str = "GPUs here are divided into MIG slices, and a number does not say which one it is: name it by its UUID (`nvidia-smi -L`) in CUDA_VISIBLE_DEVICES";

impl Setting {
    /// Of this process.
    pub fn of_environment() -> Self {
        let value = |name| env::var_os(name).map(|it| it.to_string_lossy().into_owned());
        Self {
            listed: value("CUDA_VISIBLE_DEVICES"),
            order: value("CUDA_DEVICE_ORDER"),
            slurm: env::var_os("SLURM_JOB_ID").is_some(),
        }
    }

    /// Whether CUDA's numbers, before any list, follow the order of `cards`.
    fn follows(&self, cards: &[Card]) -> bool {
        let by_bus = self.order.as_deref() == Some("PCI_BUS_ID");
        let first = cards.first().map_or("", |card| &card.name);
        by_bus || cards.len() == 1 || !first.is_empty() && cards.iter().all(|it| it.name == first)
    }

    /// What a person can do about a list that hides too much.
    fn remedy(&self) -> &'static str {
        match self.slurm {
            true => {
                "this job has the GPUs that Slurm gave it: ask for one with --gres=gpu:1, and leave the variable as Slurm sets it"
            }
            false => {
                "name some of `nvidia-smi -L` in it, or `unset CUDA_VISIBLE_DEVICES` to have all"
            }
        }
    }

    /// That the list, given as `listed`, hides GPUs: why, and what helps.
    fn hides(&self, listed: &str, why: &str) -> String {
        format!("CUDA_VISIBLE_DEVICES={listed} {why}; {}", self.remedy())
    }
}

impl Visible {
    /// The devices that CUDA shows of `cards`.
    pub fn of(setting: &Setting, cards: &[Card]) -> Self {
        let Some(listed) = setting.listed.as_deref() else {
            return Self::unlisted(setting, cards);
        };
        let mut visible = Self::default();
        if listed.trim().is_empty() {
            let words = "is set and empty, which hides every GPU";
            visible.hidden = Some(setting.hides("\"\"", words));
            return visible;
        }
        let kind = Kind::of(listed);
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
            visible.hidden = Some(setting.hides(listed, &why));
            break;
        }
        visible
    }

    fn unlisted(setting: &Setting, cards: &[Card]) -> Self {
        // As soon as a slice is there, CUDA shows one, and no whole card beside it.
        let sliced: Vec<&Card> = cards
            .iter()
            .filter(|card| !card.slices.is_empty())
            .collect();
        let whole: Vec<&Card> = cards.iter().filter(|card| !card.divided).collect();
        let follows = setting.follows(cards);
        let mut visible = Self::default();
        match (&sliced[..], &whole[..]) {
            ([], []) if !cards.is_empty() => {
                visible.hidden = Some(
                    "every GPU here is in MIG mode, and this process may use no slice of them; see `nvidia-smi -L`, and have one made (`nvidia-smi mig`) or given to this job"
                        .into(),
                );
            }
            ([], whole) => {
                let place = |card: &&Card| match follows {
                    true => Place::Card(card.index),
                    false => Place::Unknown(BY_SPEED.into()),
                };
                visible.places = whole.iter().map(place).collect();
            }
            ([card], _) => visible.places.push(card.slice()),
            _ => visible.places.push(Place::Unknown(BY_SLICE.into())),
        }
        visible
    }

    /// The same, held against the number of devices that CUDA itself counts: where that is another
    /// one, as in a job that is shown other cards than NVML, it is not known which they are.
    #[must_use]
    pub fn counted(mut self, by_cuda: usize) -> Self {
        let slices = |place: &Place| matches!(place, Place::Slice { .. });
        // Of several slices a process is shown the first, or, with newer drivers, perhaps all.
        if by_cuda < self.places.len() && self.places.iter().all(slices) {
            self.places.truncate(by_cuda);
        }
        if by_cuda != self.places.len() {
            let words = format!(
                "CUDA counts {by_cuda} here, and by NVML's list it would be {}: it is not known which is which; names by UUID (`nvidia-smi -L`) in CUDA_VISIBLE_DEVICES make it so",
                self.places.len()
            );
            self.places = vec![Place::Unknown(words); by_cuda];
        }
        self
    }

    /// The place of a device of CUDA.
    pub fn place(&self, index: usize) -> Option<&Place> {
        self.places.get(index)
    }
}

impl Place {
    /// NVML's number of the card: the slice's own is its parent's.
    pub fn card(&self) -> Option<u32> {
        match self {
            Self::Card(index) | Self::Slice { parent: index, .. } => Some(*index),
            Self::Unknown(_) => None,
        }
    }

    /// What a person should know of what is told of it, if anything.
    pub fn remark(&self) -> Option<&str> {
        match self {
            Self::Card(_) => None,
            Self::Slice { .. } => Some(
                "a MIG slice: it works as one device; the temperature is the whole card's, the load is not told",
            ),
            Self::Unknown(why) => Some(why),
        }
    }

    /// Whether it is one place and no other.
    fn is_known(&self) -> bool {
        match self {
            Self::Card(_) => true,
            Self::Slice { slice, .. } => slice.is_some(),
            Self::Unknown(_) => false,
        }
    }
}

impl Card {
    /// The one that CUDA shows, where no slice is named.
    fn slice(&self) -> Place {
        let only = match &self.slices[..] {
            [only] => Some(only.index),
            _ => None,
        };
        Place::Slice {
            parent: self.index,
            slice: only,
        }
    }
}

/// How the entries of a list name devices; the first one decides for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Card,
    Slice,
}

impl Kind {
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

    /// The place that an entry names, or why it names none: the list ends there.
    fn place(self, entry: &str, setting: &Setting, cards: &[Card]) -> Result<Place, String> {
        match self {
            Self::Number => by_number(entry, setting, cards),
            Self::Card if entry.starts_with("GPU-") => by_uuid(entry, cards),
            Self::Slice if entry.starts_with("MIG-") => by_slice(entry, cards),
            Self::Card | Self::Slice => Err(format!(
                "names `{entry}` beside UUIDs, which must be of one kind: it and what follows are hidden"
            )),
        }
    }
}

fn by_number(entry: &str, setting: &Setting, cards: &[Card]) -> Result<Place, String> {
    if entry == "NoDevFiles" {
        return Err("is Slurm's way to say that this job has no GPU".into());
    }
    let Some(number) = leading_number(entry) else {
        return Err(format!(
            "names `{entry}`, which is no number and no UUID: it and what follows are hidden"
        ));
    };
    let Ok(number) = usize::try_from(number) else {
        return Err(format!(
            "names `{entry}`, which hides all that would follow"
        ));
    };
    let Some(card) = cards.get(number) else {
        let here = match cards.len() {
            0 => "there is none here".to_owned(),
            1 => "the only one here is 0".to_owned(),
            many => format!("those here are 0 to {}", many - 1),
        };
        return Err(format!(
            "names GPU {number}, and {here}: it and what follows are hidden"
        ));
    };
    Ok(match cards {
        [only] if only.divided => only.slice(),
        _ if cards.iter().any(|card| card.divided) => Place::Unknown(BY_SLICE.into()),
        _ if !setting.follows(cards) => Place::Unknown(BY_SPEED.into()),
        _ => Place::Card(card.index),
    })
}

/// The number that an entry begins with, as C reads it: `2gb` is 2.
fn leading_number(entry: &str) -> Option<i64> {
    let digits = entry.strip_prefix(['+', '-']).unwrap_or(entry);
    let end = digits.find(|it: char| !it.is_ascii_digit());
    let number: i64 = digits[..end.unwrap_or(digits.len())].parse().ok()?;
    Some(if entry.starts_with('-') {
        -number
    } else {
        number
    })
}

fn by_uuid(entry: &str, cards: &[Card]) -> Result<Place, String> {
    let mut fitting = cards.iter().filter(|card| card.uuid.starts_with(entry));
    match (fitting.next(), fitting.next()) {
        (Some(card), None) if card.divided => Ok(card.slice()),
        (Some(card), None) => Ok(Place::Card(card.index)),
        (Some(_), Some(_)) => Err(format!(
            "names `{entry}`, which the UUIDs of several GPUs begin with: it and what follows are hidden"
        )),
        (None, _) if cards.iter().any(|card| card.uuid.is_empty()) => Ok(Place::Unknown(
            "NVML does not tell the UUIDs of all GPUs here".into(),
        )),
        (None, _) => Err(format!(
            "names `{entry}`, and no GPU here has that UUID: it and what follows are hidden"
        )),
    }
}

fn by_slice(entry: &str, cards: &[Card]) -> Result<Place, String> {
    let slices = |card: &Card| -> Vec<(u32, u32)> {
        let fitting = card.slices.iter().filter(|it| it.uuid.starts_with(entry));
        fitting.map(|slice| (card.index, slice.index)).collect()
    };
    let fitting: Vec<(u32, u32)> = cards.iter().flat_map(slices).collect();
    let unknown = || {
        format!(
            "names `{entry}`, and no MIG slice here has that UUID: it and what follows are hidden"
        )
    };
    match fitting[..] {
        [(parent, slice)] => {
            return Ok(Place::Slice {
                parent,
                slice: Some(slice),
            });
        }
        [] => {}
        _ => {
            return Err(format!(
                "names `{entry}`, which the UUIDs of several MIG slices begin with: it and what follows are hidden"
            ));
        }
    }
    // Before driver 470: `MIG-GPU-…/1/0`, the card with the instance of the GPU and of its processors.
    if let Some(card) = entry
        .strip_prefix("MIG-")
        .and_then(|it| it.split('/').next())
        && card.starts_with("GPU-")
    {
        return match cards.iter().find(|it| it.uuid == card) {
            Some(card) if card.divided => Ok(Place::Slice {
                parent: card.index,
                slice: None,
            }),
            _ => Err(unknown()),
        };
    }
    // A slice that NVML may not tell this process of.
    let untold = |card: &&Card| card.divided && card.slices.is_empty();
    match cards.iter().filter(untold).collect::<Vec<_>>()[..] {
        [] => Err(unknown()),
        [card] => Ok(card.slice()),
        _ => Ok(Place::Unknown(
            "NVML does not tell which GPU this MIG slice belongs to".into(),
        )),
    }
}

#[cfg(test)]
mod tests;
