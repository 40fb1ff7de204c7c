//! Whose the memory of a GPU is, as libtorch counts it when it has run out.

use std::fmt;

/// Others count as the cause where they have more than one part in so many of the whole.
const NOTABLE: u64 = 10;

/// Memory that CUDA itself takes for a process, about, where it is not told what the process has in all.
const OWN_OVERHEAD: u64 = 1 << 30;

/// The memory of a GPU when there was none left, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// In all.
    pub total: u64,
    /// What others have.
    pub others: u64,
    /// The processes that are known to have some of that: their numbers, and how much.
    pub processes: Vec<(u32, u64)>,
}

impl Memory {
    /// Reads libtorch's message; `None` where it does not count.
    pub fn read(said: &str) -> Option<Self> {
        let total = after(said, "total capacity of ")?;
        let free = after(said, "of which ").unwrap_or(0);
        let this = after(said, "this process has ").filter(|&it| it <= total);
        let allocated = after(said, "Of the allocated memory ").unwrap_or(0);
        let reserved = after(said, "PyTorch, and ")
            .or_else(|| after(said, "CUDA Graphs), and "))
            .unwrap_or(0);
        let own = this.unwrap_or(allocated + reserved + OWN_OVERHEAD);
        // In a container no number of a process is this one's, so that the listed ones may be it.
        let processes = match this {
            Some(_) => processes(said, total),
            None => Vec::new(),
        };
        Some(Self {
            total,
            // What no process is listed with may be that of another container.
            others: total.saturating_sub(free.saturating_add(own)),
            processes,
        })
    }

    /// Whether others have so much of it that they are the cause.
    pub fn is_of_others(&self) -> bool {
        self.others > self.total / NOTABLE
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (others, total) = (gibibytes(self.others), gibibytes(self.total));
        write!(f, "Others have {others} of the GPU's {total}")?;
        for (place, (number, bytes)) in self.processes.iter().enumerate() {
            let before = if place == 0 { " (" } else { ", " };
            write!(f, "{before}process {number}: {}", gibibytes(*bytes))?;
        }
        let close = if self.processes.is_empty() { "" } else { ")" };
        write!(
            f,
            "{close}: wait for them or end them (`nvidia-smi` lists them), or use another GPU"
        )
    }
}

/// `Process 7478 has 4.08 GiB memory in use`: all that are told so.
fn processes(said: &str, total: u64) -> Vec<(u32, u64)> {
    let told = said.split("Process ").skip(1).filter_map(|rest| {
        let (number, rest) = rest.split_once(" has ")?;
        let bytes = size(rest)?;
        // NVML gives a number beyond all memory where it does not know.
        (bytes <= total).then_some((number.parse().ok()?, bytes))
    });
    told.collect()
}

/// The size that follows words.
fn after(said: &str, words: &str) -> Option<u64> {
    let (_, rest) = said.split_once(words)?;
    size(rest)
}

/// `79.18 GiB`, `336.56 MiB`, `512 bytes`: as libtorch writes sizes, at the beginning of `text`.
fn size(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = words.next()?.trim_end_matches(['.', ',', ';']);
    let scale = match unit {
        "bytes" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * scale) as u64)
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}
