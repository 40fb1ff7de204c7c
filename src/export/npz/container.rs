//! An NPZ in the making: arrays, each with the names of its axes, so that names and shape cannot disagree.

use std::io::{self, Cursor, Seek, Write};

use npyz::WriterBuilder as _;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::session::form::Shape;

/// An axis: what it runs over, and how long it is.
pub type Axis = (&'static str, usize);

/// An NPZ in the making, and what is said of the arrays that are in it.
pub struct Container<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// The names of the axes of every array.
    axes: Map<String, Value>,
    /// What the numbers of an array count, where that is anything.
    units: Map<String, Value>,
}

impl<W: Write + Seek> Container<W> {
    /// Nothing in it yet.
    pub fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new(out),
            axes: Map::new(),
            units: Map::new(),
        }
    }

    /// Arrays that are in it.
    pub fn count(&self) -> usize {
        self.axes.len()
    }

    /// Adds an array of numbers, row-major. `unit` is empty where they are plain numbers.
    ///
    /// # Errors
    /// Where there are not as many as the axes say, or they cannot be written.
    pub fn array<T: npyz::AutoSerialize>(
        &mut self,
        name: &str,
        axes: &[Axis],
        unit: &str,
        values: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        let mut npy = Vec::new();
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&lengths(axes))
            .writer(Cursor::new(&mut npy))
            .begin_nd()?;
        writer.extend(values)?;
        writer.finish()?;
        self.entry(name, axes, unit, &npy)
    }

    /// Adds maps of a shape along the axes `before`; NaN where there is none. An axis of one channel is
    /// left out.
    ///
    /// # Errors
    /// As [`Self::array`].
    pub fn maps<'a>(
        &mut self,
        name: &str,
        before: &[Axis],
        shape: Shape,
        unit: &str,
        maps: impl Iterator<Item = Option<&'a [f32]>>,
    ) -> io::Result<()> {
        let pixels: usize = shape.iter().product();
        let axes = [before, &image_axes(shape)[..]].concat();
        let mut values = Vec::with_capacity(axes.iter().map(|axis| axis.1).product());
        for map in maps {
            match map {
                Some(map) => values.extend(map.iter().copied().map(f64::from)),
                None => values.extend(std::iter::repeat_n(f64::NAN, pixels)),
            }
        }
        self.array(name, &axes, unit, values)
    }

    /// Adds texts along one axis.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn texts(
        &mut self,
        name: &str,
        axis: &'static str,
        texts: &[impl AsRef<str>],
    ) -> io::Result<()> {
        let texts: Vec<&str> = texts.iter().map(|text| text.as_ref()).collect();
        self.text(name, &[(axis, texts.len())], &texts)
    }

    /// Adds `meta`, what is said of the file and of its arrays, as the last one, and ends the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self, mut about: Map<String, Value>) -> io::Result<()> {
        let mut axes = std::mem::take(&mut self.axes);
        axes.insert(META.into(), json!([]));
        about.insert("axes".into(), axes.into());
        about.insert("units".into(), std::mem::take(&mut self.units).into());
        let text = Value::Object(about).to_string();
        self.text(META, &[], &[text.as_str()])?;
        self.zip.finish()?;
        Ok(())
    }

    /// Adds texts, each with as much room as the longest of them.
    fn text(&mut self, name: &str, axes: &[Axis], texts: &[&str]) -> io::Result<()> {
        let longest = texts.iter().map(|text| text.chars().count()).max();
        let dtype: npyz::TypeStr = format!("<U{}", longest.unwrap_or(0).max(1))
            .parse()
            .map_err(io::Error::other)?;
        let mut npy = Vec::new();
        let mut writer = npyz::WriteOptions::new()
            .dtype(npyz::DType::Plain(dtype))
            .shape(&lengths(axes))
            .writer(Cursor::new(&mut npy))
            .begin_nd()?;
        for &text in texts {
            writer.push(text)?;
        }
        writer.finish()?;
        self.entry(name, axes, "", &npy)
    }

    fn entry(&mut self, name: &str, axes: &[Axis], unit: &str, npy: &[u8]) -> io::Result<()> {
        let name = self.free(name);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // The usual container ends at 4 GiB a file.
            .large_file(u32::try_from(npy.len()).is_err());
        self.zip.start_file(format!("{name}.npy"), options)?;
        self.zip.write_all(npy)?;
        if !unit.is_empty() {
            self.units.insert(name.clone(), unit.into());
        }
        let names: Vec<&str> = axes.iter().map(|axis| axis.0).collect();
        self.axes.insert(name, json!(names));
        Ok(())
    }

    /// The name; with a number where an array has it already: a layer may be called anything.
    fn free(&self, name: &str) -> String {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.axes.contains_key(name));
        free.unwrap_or_else(|| name.to_owned())
    }
}

/// The array that tells of the others.
const META: &str = "meta";

fn lengths(axes: &[Axis]) -> Vec<u64> {
    axes.iter().map(|axis| axis.1 as u64).collect()
}

/// The axes of an image; one channel has none.
pub fn image_axes([channels, rows, columns]: Shape) -> Vec<Axis> {
    let mut axes = vec![("row", rows), ("column", columns)];
    if channels != 1 {
        axes.insert(0, ("channel", channels));
    }
    axes
}

/// A count as numpy's int64.
pub fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number, or NaN where there is none.
pub fn or_nan(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}
