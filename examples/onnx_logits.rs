//! Logits of a network in an ONNX file, for `scripts/onnx-table`.
//!
//!     onnx_logits FILE.onnx IMAGES.f32 LOGITS.f32 [HEIGHT WIDTH] [OUTPUT]
//!
//! IMAGES.f32 holds little-endian floats \[N,C,H,W\] in \[0,1\], LOGITS.f32 is written as \[N,K\]. Height and
//! width are used where the file leaves them open. Prints the notes of the import.

use std::error::Error;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use noisescope::nets::import::onnx::{self, Fault, Options};

fn main() -> Result<(), Box<dyn Error>> {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
    Ok(())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, images, logits, rest @ ..] = &arguments[..] else {
        return Err("onnx_logits FILE.onnx IMAGES.f32 LOGITS.f32 [HEIGHT WIDTH] [OUTPUT]".into());
    };
    let mut options = Options {
        output: rest.get(2).cloned(),
        size: None,
    };
    let imported = match onnx::read(Path::new(file), &options) {
        Err(error) if matches!(error.fault, Fault::OpenSize { .. }) && rest.len() > 1 => {
            options.size = Some((rest[0].parse()?, rest[1].parse()?));
            onnx::read(Path::new(file), &options)?
        }
        other => other?,
    };
    for note in &imported.notes {
        println!("{note}");
    }
    let numbers: Vec<f32> = fs::read(images)?
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    let [channels, height, width] = imported.graph.image();
    let area = channels * height * width;
    let device = Device::flex();
    let loaded = imported.graph.load(&device);
    let mut bytes = Vec::new();
    for image in numbers.chunks(2 * area) {
        let count = image.len() / area;
        let data = TensorData::new(image.to_vec(), [count, channels, height, width]);
        let answer = loaded.forward(Tensor::from_data(data, &device)).into_data();
        let answer: Vec<f32> = answer.try_into_vec()?;
        bytes.extend(answer.iter().flat_map(|logit| logit.to_le_bytes()));
    }
    fs::write(logits, bytes)?;
    Ok(())
}
