//! Weights as a safetensors file, so that a network of the study can be audited by itself:
//! `network: (kind: Cnn, weights: File("…"))`.

use std::error::Error;
use std::fs;
use std::path::Path;

use noisescope::session::record::Weights;
use serde_json::{Map, json};

/// Writes weights with the names and the order of axes that PyTorch has.
pub fn write(weights: &Weights, file: &Path) -> Result<(), Box<dyn Error>> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, array) in &weights.tensors {
        let (mut shape, mut values) = (array.shape().to_vec(), array.values().to_vec());
        // Here a layer's inputs come first.
        if let [inputs, outputs] = shape[..] {
            let at = |place: usize| values[place % inputs * outputs + place / inputs];
            values = (0..values.len()).map(at).collect();
            shape = vec![outputs, inputs];
        }
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let own = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
        header.insert(name.clone(), own);
    }
    let header = serde_json::to_vec(&header)?;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    fs::write(file, bytes)?;
    Ok(())
}
