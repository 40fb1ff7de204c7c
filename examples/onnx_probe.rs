//! Writes the logits of a network in an ONNX file and, on request, its activations and a gradient, for
//! `scripts/onnx-table`.
//!
//!     onnx_probe FILE.onnx IMAGES.f32 ANSWERS HEIGHT WIDTH [inside]
//!
//! IMAGES.f32 holds little-endian floats \[N,C,H,W\] in \[0,1\]. Writes ANSWERS.logits.f32 \[N,K\] and, with `inside`,
//! ANSWERS.sites.f32, the concatenated activations \[units,rows,columns\] of every site for the first image, and
//! ANSWERS.gradient.f32, the gradient of that image's largest logit with respect to the image, \[C,H,W\]. HEIGHT and
//! WIDTH are used if the file leaves them open. Prints the notes of the import and a line
//! `site NAME UNITS ROWS COLUMNS` for every site.

use std::error::Error;
use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use noisescope::ids::SiteId;
use noisescope::nets::import::onnx::Bundle;
use noisescope::nets::onnx_network::OnnxNetwork;
use noisescope::nets::{Subject, decision};

fn main() -> Result<(), Box<dyn Error>> {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
    Ok(())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, images, answers, height, width, rest @ ..] = &arguments[..] else {
        return Err("onnx_probe FILE.onnx IMAGES.f32 ANSWERS HEIGHT WIDTH [inside]".into());
    };
    let size = Some((height.parse()?, width.parse()?));
    let foreign = OnnxNetwork::open(&Bundle::open(Path::new(file))?, None, size)?;
    for note in &foreign.notes {
        println!("{note}");
    }
    let numbers: Vec<f32> = fs::read(images)?
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    let shape = foreign.graph.image();
    let area = shape.iter().product();
    let device = Device::flex();
    let network = Subject::new(foreign.graph, &device)?;
    let mut logits = Vec::new();
    for pair in numbers.chunks(2 * area) {
        logits.extend(network.logits(pair.to_vec(), &device));
    }
    write(&format!("{answers}.logits.f32"), &logits)?;
    if rest.first().is_some_and(|word| word == "inside") {
        let first = TensorData::new(numbers[..area].to_vec(), [1, shape[0], shape[1], shape[2]]);
        inside(&network, &first, answers)?;
    }
    Ok(())
}

fn inside(network: &Subject, image: &TensorData, answers: &str) -> Result<(), Box<dyn Error>> {
    let device = network.device();
    let mut all = Vec::new();
    let sites: Vec<SiteId> = (0..network.sites().len()).map(SiteId).collect();
    let values = network.activations(Tensor::from_data(image.clone(), device), &sites);
    for (site, value) in network.sites().iter().zip(values) {
        let (rows, columns) = site.positions;
        println!("site {} {} {rows} {columns}", site.name, site.units);
        let numbers: Vec<f32> = value.into_data().try_into_vec()?;
        all.extend(numbers);
    }
    write(&format!("{answers}.sites.f32"), &all)?;
    let recording = device.clone().autodiff();
    let image = Tensor::<4>::from_data(image.clone(), &recording).require_grad();
    let logits = network.on(&recording).forward(image.clone());
    let values: Vec<f32> = logits.clone().into_data().try_into_vec()?;
    let largest = logits.narrow(1, decision(&values).0, 1);
    let gradient = image.grad(&largest.backward());
    let gradient = gradient.ok_or("no logit depends on the image")?;
    let gradient: Vec<f32> = gradient.into_data().try_into_vec()?;
    write(&format!("{answers}.gradient.f32"), &gradient)
}

fn write(path: &str, numbers: &[f32]) -> Result<(), Box<dyn Error>> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    Ok(fs::write(path, bytes)?)
}
