//! An NPZ file under construction: arrays, each with the names of its axes, so that names and shape cannot disagree.

use std::io::{self, Cursor, Seek, Write};

use npyz::WriterBuilder as _;
use serde_json::{Map, Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::session::form::Shape;

/// An axis: its name and its length.
pub type ArrayAxis = (&'static str, usize);

/// An NPZ file under construction, with the metadata of the arrays in it.
pub struct Container<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// The names of each array's axes.
    axes: Map<String, Value>,
    /// The unit of each array that has one.
    units: Map<String, Value>,
}

impl<W: Write + Seek> Container<W> {
    /// An empty file.
    pub fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new(out),
            axes: Map::new(),
            units: Map::new(),
        }
    }

    /// The number of arrays so far.
    pub fn count(&self) -> usize {
        self.axes.len()
    }

    /// Adds an array of numbers, row-major. `unit` is empty for dimensionless numbers.
    ///
    /// # Errors
    /// If the number of values does not match the axes, or they cannot be written.
    pub fn array<T: npyz::AutoSerialize>(
        &mut self,
        name: &str,
        axes: &[ArrayAxis],
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

    /// Adds maps of a shape along the axes `before`; NaN for a missing map. A single channel has no axis.
    ///
    /// # Errors
    /// As [`Self::array`].
    pub fn maps<'a>(
        &mut self,
        name: &str,
        before: &[ArrayAxis],
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
    /// If they cannot be written.
    pub fn texts(
        &mut self,
        name: &str,
        axis: &'static str,
        texts: &[impl AsRef<str>],
    ) -> io::Result<()> {
        let texts: Vec<&str> = texts.iter().map(|text| text.as_ref()).collect();
        self.text(name, &[(axis, texts.len())], &texts)
    }

    /// Adds `meta`, the description of the file and its arrays, as the last array, and completes the file.
    ///
    /// # Errors
    /// If it cannot be written.
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

    /// Adds fixed-width texts, as wide as the longest of them.
    fn text(&mut self, name: &str, axes: &[ArrayAxis], texts: &[&str]) -> io::Result<()> {
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

    fn entry(&mut self, name: &str, axes: &[ArrayAxis], unit: &str, npy: &[u8]) -> io::Result<()> {
        let name = self.free(name);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // Without this flag, an entry cannot exceed 4 GiB.
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

    /// The name, with a number appended if another array already has it: layers may have any name.
    fn free(&self, name: &str) -> String {
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.axes.contains_key(name));
        free.unwrap_or_else(|| name.to_owned())
    }
}

/// The array that describes the others.
const META: &str = "meta";

fn lengths(axes: &[ArrayAxis]) -> Vec<u64> {
    axes.iter().map(|axis| axis.1 as u64).collect()
}

/// The axes of an image; a single channel has no axis.
pub fn image_axes([channels, rows, columns]: Shape) -> Vec<ArrayAxis> {
    let mut axes = vec![("row", rows), ("column", columns)];
    if channels != 1 {
        axes.insert(0, ("channel", channels));
    }
    axes
}

/// A count as int64.
pub fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number, or NaN if missing.
pub fn or_nan(number: Option<f64>) -> f64 {
    number.unwrap_or(f64::NAN)
}
