//! Eigenvalues and eigenvectors of symmetric matrices, for the axes of a covariance.

use nalgebra::{DMatrix, SymmetricEigen};

/// Eigenvalues and eigenvectors of a symmetric matrix of n rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// Eigenvalues, ascending, \[n\].
    pub values: Vec<f64>,
    /// The eigenvector of each, of unit norm, \[n\] of \[n\]. The sign, which is arbitrary, is chosen so that the
    /// entry of largest magnitude is positive.
    pub vectors: Vec<Vec<f64>>,
}

/// Eigendecomposition of a symmetric matrix, \[n,n\], of which only the lower triangle is read. Empty if
/// the matrix does not have n×n numbers or one of them is not finite.
///
/// The result is bit-identical on the same machine. n = 784 takes about a second.
pub fn symmetric_eigen(matrix: &[f64], n: usize) -> Eigen {
    if matrix.is_empty() || matrix.len() != n * n || matrix.iter().any(|v| !v.is_finite()) {
        return Eigen {
            values: Vec::new(),
            vectors: Vec::new(),
        };
    }
    let found = SymmetricEigen::new(DMatrix::from_row_slice(n, n, matrix));
    let mut order: Vec<usize> = (0..n).collect();
    let values = &found.eigenvalues;
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let vector = |&index: &usize| signed(found.eigenvectors.column(index).iter().copied());
    Eigen {
        values: order.iter().map(|&index| values[index]).collect(),
        vectors: order.iter().map(vector).collect(),
    }
}

/// The vector or its negative, such that its first entry of largest magnitude is positive.
fn signed(vector: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut vector: Vec<f64> = vector.collect();
    let largest = vector.iter().fold(
        0.0_f64,
        |best, &v| if v.abs() > best.abs() { v } else { best },
    );
    if largest < 0.0 {
        vector.iter_mut().for_each(|v| *v = -*v);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn a_two_by_two_matrix_has_the_axes_of_its_closed_form() {
        // [[2,1],[1,2]]: 1 along (1,−1) and 3 along (1,1).
        let eigen = symmetric_eigen(&[2.0, 1.0, 1.0, 2.0], 2);
        let half = 0.5_f64.sqrt();
        assert!((eigen.values[0] - 1.0).abs() < 1e-12 && (eigen.values[1] - 3.0).abs() < 1e-12);
        assert!((eigen.vectors[0][0] + eigen.vectors[0][1]).abs() < 1e-12);
        for entry in &eigen.vectors[1] {
            assert!((entry - half).abs() < 1e-12);
        }
    }

    /// Second differences: 2 − 2·cos(πk/(n+1)) along sin(πkj/(n+1)).
    #[test]
    fn a_chain_of_springs_has_its_closed_form_modes() {
        let n = 30;
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            matrix[i * n + i] = 2.0;
            if i + 1 < n {
                matrix[i * n + i + 1] = -1.0;
                matrix[(i + 1) * n + i] = -1.0;
            }
        }
        let eigen = symmetric_eigen(&matrix, n);
        let turn = std::f64::consts::PI / (n + 1) as f64;
        for (k, (value, vector)) in eigen.values.iter().zip(&eigen.vectors).enumerate() {
            let k = (k + 1) as f64;
            assert!((value - (2.0 - 2.0 * (turn * k).cos())).abs() < 1e-12);
            let mode = (1..=n).map(|j| (turn * k * j as f64).sin());
            let product: f64 = mode.zip(vector).map(|(a, b)| a * b).sum();
            let norm = ((n + 1) as f64 / 2.0).sqrt();
            assert!((product.abs() / norm - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn vectors_are_orthonormal_and_rebuild_the_matrix() {
        let n = 40;
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let value = rng.random_range(-1.0..1.0);
                matrix[i * n + j] = value;
                matrix[j * n + i] = value;
            }
        }
        let eigen = symmetric_eigen(&matrix, n);
        assert!(eigen.values.is_sorted());
        for a in 0..n {
            for b in 0..n {
                let (u, v) = (&eigen.vectors[a], &eigen.vectors[b]);
                let product: f64 = u.iter().zip(v).map(|(x, y)| x * y).sum();
                assert!((product - f64::from(u8::from(a == b))).abs() < 1e-10);
                let rebuilt: f64 = (0..n)
                    .map(|k| eigen.values[k] * eigen.vectors[k][a] * eigen.vectors[k][b])
                    .sum();
                assert!((rebuilt - matrix[a * n + b]).abs() < 1e-10);
            }
        }
        assert_eq!(eigen, symmetric_eigen(&matrix, n));
    }

    #[test]
    fn the_largest_entry_of_every_vector_is_positive() {
        let eigen = symmetric_eigen(&[1.0, 0.0, 0.0, 0.0, 5.0, 2.0, 0.0, 2.0, 3.0], 3);
        for vector in &eigen.vectors {
            let largest = vector.iter().map(|v| v.abs()).fold(0.0, f64::max);
            assert!(vector.contains(&largest), "{vector:?}");
        }
        // Of two entries of equal magnitude, the first.
        assert_eq!(signed([-1.0, 1.0].into_iter()), [1.0, -1.0]);
    }

    #[test]
    fn input_that_is_not_a_matrix_has_no_axes() {
        assert!(symmetric_eigen(&[], 0).values.is_empty());
        assert!(symmetric_eigen(&[1.0; 3], 2).values.is_empty());
        assert!(symmetric_eigen(&[f64::NAN; 4], 2).vectors.is_empty());
        assert_eq!(symmetric_eigen(&[7.0], 1).values, [7.0]);
        assert_eq!(symmetric_eigen(&[0.0; 9], 3).values, [0.0; 3]);
    }
}
