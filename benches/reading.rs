//! Benchmark of reading a folder of pictures: first by decoding them, then from the cache file.
//!
//! `cargo bench --bench reading [-- PICTURES]`; by default 60,000 pictures of 28×28 in ten classes. The pictures are
//! first written to a temporary folder, which takes longer than reading them.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use image::GrayImage;
use noisescope::data::{DatasetRequest, load};
use noisescope::session::config::{Dataset, DatasetName, DatasetSource};

const CLASSES: u32 = 10;
const SIDE: u32 = 28;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let count: u32 = count.unwrap_or(60_000);
    let (pictures, cache) = (tempfile::tempdir()?, tempfile::tempdir()?);
    write(pictures.path(), count)?;
    for way in ["decoded", "cached", "cached"] {
        let began = Instant::now();
        let images = read(pictures.path(), cache.path())?;
        let seconds = began.elapsed().as_secs_f64();
        println!("{way:>8}  {images} pictures  {seconds:.2} s");
    }
    Ok(())
}

/// Writes pictures that do not compress to almost nothing.
fn write(folder: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    for class in 0..CLASSES {
        fs::create_dir_all(folder.join(class.to_string()))?;
    }
    for index in 0..count {
        let level = |x: u32, y: u32| (x * y + index * (x + 3)).wrapping_mul(2_654_435_761) >> 24;
        let picture = GrayImage::from_fn(SIDE, SIDE, |x, y| [level(x, y) as u8].into());
        let name = format!("{}/{index}.png", index % CLASSES);
        picture.save(folder.join(name))?;
    }
    Ok(())
}

/// Reads all pictures and returns how many there are.
fn read(folder: &Path, cache: &Path) -> Result<usize, Box<dyn Error>> {
    let plan = Dataset {
        name: DatasetName::Own("pictures".into()),
        source: DatasetSource::Folder(folder.to_owned()),
        transpose: false,
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 1,
        data: Path::new("unused"),
        cache: Some(cache),
    };
    let set = load(&request, &mut |_, _| ControlFlow::Continue(()))?;
    Ok(set.train.len() + set.test.len())
}
