//! The transform of kernels: its points and its matrix G.

/// Outputs of a tile along an axis.
pub const TILE_OUTPUTS: usize = 4;

/// The pairs of points ±a, in order of use.
const PAIRS: [f64; 3] = [1.0, 2.0, 0.5];

/// Maximum points along an axis: those of a kernel with 5 taps.
pub const MAX_POINTS: usize = 8;

/// The transforms for a kernel with r taps along each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transform {
    /// Points along an axis: rows and columns of a tile of inputs.
    pub points: usize,
}

impl Transform {
    /// The transforms for 3 or 5 taps; `None` for others.
    pub fn new(taps: usize) -> Option<Self> {
        matches!(taps, 3 | 5).then_some(Self {
            points: TILE_OUTPUTS + taps - 1,
        })
    }

    /// Row j of G: the factors of the kernel's taps at point j. Points are 0, then +a and −a of each pair, then ∞.
    pub fn kernel_row(&self, j: usize, taps: usize) -> Vec<f64> {
        let count = (self.points - 2) / 2;
        if j + 1 == self.points {
            return (0..taps)
                .map(|k| f64::from(u8::from(k + 1 == taps)))
                .collect();
        }
        let a = point(j);
        let others = (0..=2 * count).filter(|&l| l != j).map(point);
        let scale: f64 = others.map(|b| a - b).product();
        (0..taps).map(|k| a.powi(k as i32) / scale).collect()
    }

    /// G g Gᵀ of a kernel g, row-major \[taps,taps\]: \[points,points\].
    pub fn transform_kernel(&self, g: &[f32], taps: usize) -> Vec<f32> {
        let rows: Vec<Vec<f64>> = (0..self.points).map(|j| self.kernel_row(j, taps)).collect();
        let mut out = Vec::with_capacity(self.points * self.points);
        for down in &rows {
            for across in &rows {
                let mut sum = 0.0;
                for (y, u) in down.iter().enumerate() {
                    for (x, v) in across.iter().enumerate() {
                        sum += u * v * f64::from(g[y * taps + x]);
                    }
                }
                out.push(sum as f32);
            }
        }
        out
    }
}

/// Point j of 0, 1, −1, 2, −2, ½, −½.
fn point(j: usize) -> f64 {
    match j {
        0 => 0.0,
        j if j % 2 == 1 => PAIRS[j / 2],
        j => -PAIRS[j / 2 - 1],
    }
}
