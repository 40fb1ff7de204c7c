//! Writes weights as a safetensors file, so that a network of the study can be audited on its own:
//! `network: (kind: Cnn, weights: File("…"))`.

use std::error::Error;
use std::fs;
use std::path::Path;

use noisescope::session::record::NetworkWeights;
use serde_json::{Map, json};

/// Writes weights with PyTorch's names and order of axes.
pub fn write(weights: &NetworkWeights, file: &Path) -> Result<(), Box<dyn Error>> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, array) in &weights.tensors {
        let (mut shape, mut values) = (array.shape().to_vec(), array.values().to_vec());
        // In Noisescope, a layer's inputs come first.
        if let [inputs, outputs] = shape[..] {
            let transposed = |index: usize| values[index % inputs * outputs + index / inputs];
            values = (0..values.len()).map(transposed).collect();
            shape = vec![outputs, inputs];
        }
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header)?;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    fs::write(file, bytes)?;
    Ok(())
}
