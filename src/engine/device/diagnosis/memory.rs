//! Who uses a GPU's memory, parsed from libtorch's out-of-memory message.

use std::fmt;

/// Other processes are the cause if they use more than one part in this many of the whole memory.
const NOTABLE: u64 = 10;

/// Approximate memory that CUDA itself uses in a process, if the process's total is not given.
const OWN_OVERHEAD: u64 = 1 << 30;

/// Use of a GPU's memory when it ran out, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuMemoryUse {
    /// Total memory.
    pub total: u64,
    /// Memory used by other processes.
    pub others: u64,
    /// Known processes among those: their IDs, and how much they use.
    pub processes: Vec<(u32, u64)>,
}

impl GpuMemoryUse {
    /// Parses libtorch's message; `None` if it gives no sizes.
    pub fn parse(message: &str) -> Option<Self> {
        let total = after(message, "total capacity of ")?;
        let free = after(message, "of which ").unwrap_or(0);
        let this = after(message, "this process has ").filter(|&bytes| bytes <= total);
        let allocated = after(message, "Of the allocated memory ").unwrap_or(0);
        let reserved = after(message, "PyTorch, and ")
            .or_else(|| after(message, "CUDA Graphs), and "))
            .unwrap_or(0);
        let ours = this.unwrap_or(allocated + reserved + OWN_OVERHEAD);
        // In a container process IDs differ, so a listed process may be this one.
        let processes = match this {
            Some(_) => processes(message, total),
            None => Vec::new(),
        };
        Some(Self {
            total,
            // Memory without a listed process may belong to another container.
            others: total.saturating_sub(free.saturating_add(ours)),
            processes,
        })
    }

    /// Whether others use so much of it that they are the cause.
    pub fn is_filled_by_others(&self) -> bool {
        self.others > self.total / NOTABLE
    }
}

impl fmt::Display for GpuMemoryUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (others, total) = (gibibytes(self.others), gibibytes(self.total));
        write!(f, "Others use {others} of the GPU's {total}")?;
        for (index, (number, bytes)) in self.processes.iter().enumerate() {
            let before = if index == 0 { " (" } else { ", " };
            write!(f, "{before}process {number}: {}", gibibytes(*bytes))?;
        }
        let close = if self.processes.is_empty() { "" } else { ")" };
        write!(
            f,
            "{close}: wait for them or end them (`nvidia-smi` lists them), or use another GPU"
        )
    }
}

/// All processes in a message, listed as `Process 7478 has 4.08 GiB memory in use`.
fn processes(message: &str, total: u64) -> Vec<(u32, u64)> {
    let listed = message.split("Process ").skip(1).filter_map(|rest| {
        let (number, rest) = rest.split_once(" has ")?;
        let bytes = size(rest)?;
        // NVML reports unknown sizes as a number larger than the memory.
        (bytes <= total).then_some((number.parse().ok()?, bytes))
    });
    listed.collect()
}

/// The size that follows a phrase.
fn after(message: &str, words: &str) -> Option<u64> {
    let (_, rest) = message.split_once(words)?;
    size(rest)
}

/// The size at the beginning of `text`, as libtorch writes it: `79.18 GiB`, `336.56 MiB`, `512 bytes`.
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
