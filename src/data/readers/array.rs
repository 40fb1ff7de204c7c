//! Parser for a single NumPy array: its header, and its elements as numbers.
//!
//! Written here and not taken from a library because the file is untrusted: parsing must not recurse deeply or believe
//! an announced length.

use super::super::file::{ForeignFormat, recognise_foreign};

/// The type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    Bool,
    Signed,
    Unsigned,
    Float,
}

/// An array, with its elements as stored.
#[derive(Debug, Clone)]
pub(super) struct NumpyArray<'a> {
    /// The type of an element.
    pub element: ElementType,
    /// Bytes of an element: 1, 2, 4 or 8.
    pub size: usize,
    big_endian: bool,
    fortran: bool,
    /// Length of each dimension.
    pub shape: Vec<usize>,
    data: &'a [u8],
}

/// How to save labels that are names.
const NAMES_REMEDY: &str = "names, labels = numpy.unique(labels, return_inverse=True) gives numbers to save instead; \
                            the names go into a classes.txt beside the images, one per line, in this order";

/// Longest header accepted, in bytes; a usual one has about a hundred.
const MOST_HEADER: usize = 16 * 1024;

impl<'a> NumpyArray<'a> {
    /// Reads the header of an array in NPY format and checks it against the bytes that follow.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence that begins with the array's name.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let Some(rest) = bytes.strip_prefix(b"\x93NUMPY") else {
            return Err(match recognise_foreign(&bytes[..bytes.len().min(512)]) {
                Some(ForeignFormat { what, remedy }) => {
                    format!("is {what}, not a NumPy array; {remedy}")
                }
                None => "is not a NumPy array".to_owned(),
            });
        };
        let (length, rest) = match rest {
            [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
            [2 | 3, _, a, b, c, d, rest @ ..] => {
                (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest)
            }
            [version, _, ..] if *version > 3 => {
                return Err(format!(
                    "is in version {version} of NumPy's format, which is unknown"
                ));
            }
            _ => return Err("ends inside its header".to_owned()),
        };
        if length > MOST_HEADER {
            return Err(format!("is damaged: its header has {length} bytes"));
        }
        let Some((header, data)) = rest.split_at_checked(length) else {
            return Err("ends inside its header".to_owned());
        };
        let header = String::from_utf8_lossy(header);
        let (element, size, big_endian) = element(&header)?;
        let shape = shape(&header).ok_or("has a header without a shape")?;
        // A guess would give other images if the header is damaged.
        let fortran = match value_of(&header, "fortran_order") {
            Some(value) if value.starts_with("True") => true,
            Some(value) if value.starts_with("False") => false,
            _ => {
                return Err(
                    "has a header that does not say how its elements are ordered (fortran_order); replace it with a good \
                     copy"
                        .to_owned(),
                );
            }
        };
        let expected = shape
            .iter()
            .try_fold(size, |product, &length| product.checked_mul(length));
        match expected {
            Some(expected) if expected == data.len() => Ok(Self {
                element,
                size,
                big_endian,
                fortran,
                shape,
                data,
            }),
            Some(expected) if expected < data.len() => Err(format!(
                "continues after the {expected} bytes of data that its header declares"
            )),
            _ => Err(format!(
                "is cut short: its header declares {} elements of {size} bytes, but it has {} bytes",
                shape
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join("×"),
                data.len()
            )),
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.data.len() / self.size
    }

    /// NumPy's name of the type: `uint8`, `float32`.
    pub(super) fn type_name(&self) -> String {
        let bits = 8 * self.size;
        match self.element {
            ElementType::Bool => "bool".to_owned(),
            ElementType::Signed => format!("int{bits}"),
            ElementType::Unsigned => format!("uint{bits}"),
            ElementType::Float => format!("float{bits}"),
        }
    }

    /// The elements as numbers, in the order in which they are stored.
    fn stored(&self) -> impl Iterator<Item = f64> + '_ {
        let convert = converter(self.element, self.size);
        let big_endian = self.big_endian;
        self.data.chunks_exact(self.size).map(move |bytes| {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            if big_endian {
                word[..bytes.len()].reverse();
            }
            convert(word)
        })
    }

    /// Least and greatest element, and whether all are whole numbers.
    ///
    /// # Errors
    /// If an element is not finite.
    pub(super) fn range(&self) -> Result<(f64, f64, bool), String> {
        let (mut least, mut greatest, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for (place, value) in self.stored().enumerate() {
            if !value.is_finite() {
                return Err(format!(
                    "has {value} as element {place}; finite numbers are expected"
                ));
            }
            least = least.min(value);
            greatest = greatest.max(value);
            whole &= value.fract() == 0.0;
        }
        Ok((least, greatest, whole))
    }

    /// The converted elements in C order (last index fastest).
    pub(super) fn map<T: Copy + Default>(&self, convert: impl FnMut(f64) -> T) -> Vec<T> {
        let values: Vec<T> = self.stored().map(convert).collect();
        self.in_c_order(values)
    }

    /// The elements in C order, if they are unsigned bytes.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        (self.element == ElementType::Unsigned && self.size == 1)
            .then(|| self.in_c_order(self.data.to_vec()))
    }

    fn in_c_order<T: Copy + Default>(&self, values: Vec<T>) -> Vec<T> {
        if !self.fortran || self.shape.len() < 2 {
            return values;
        }
        // In Fortran order the first index runs fastest: walk in C order and gather.
        let mut strides = Vec::with_capacity(self.shape.len());
        let mut stride = 1;
        for &length in &self.shape {
            strides.push(stride);
            stride *= length;
        }
        let mut index = vec![0; self.shape.len()];
        let mut place = 0;
        let mut ordered = Vec::with_capacity(values.len());
        for _ in 0..values.len() {
            ordered.push(values[place]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                place += strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                place -= strides[axis] * index[axis];
                index[axis] = 0;
            }
        }
        ordered
    }
}

/// The function that converts an element's bytes, lowest first, to a number.
fn converter(element: ElementType, size: usize) -> fn([u8; 8]) -> f64 {
    match (element, size) {
        (ElementType::Bool, _) => |word| f64::from(u8::from(word[0] != 0)),
        (ElementType::Signed, 1) => |word| f64::from(word[0] as i8),
        (ElementType::Signed, 2) => |word| f64::from(i16::from_le_bytes([word[0], word[1]])),
        (ElementType::Signed, 4) => |word| f64::from(u64::from_le_bytes(word) as u32 as i32),
        (ElementType::Signed, _) => |word| i64::from_le_bytes(word) as f64,
        (ElementType::Unsigned, _) => |word| u64::from_le_bytes(word) as f64,
        (ElementType::Float, 4) => {
            |word| f64::from(f32::from_bits(u64::from_le_bytes(word) as u32))
        }
        (ElementType::Float, _) => f64::from_le_bytes,
    }
}

/// The text after `'key':` in a header, which is a Python dict literal.
fn value_of<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// The type of the elements, their size in bytes, and whether they are big-endian.
fn element(header: &str) -> Result<(ElementType, usize, bool), String> {
    let descr = value_of(header, "descr").ok_or("has a header without a type")?;
    let Some(code) = descr
        .strip_prefix('\'')
        .and_then(|rest| rest.split('\'').next())
    else {
        return Err(
            "holds records of several fields; one number per element is expected".to_owned(),
        );
    };
    let unknown = || {
        let remedy = "save it as uint8, an integer type or float32";
        let (kind, remedy) = match code.trim_start_matches(['<', '>', '|', '=']).chars().next() {
            Some('O') => ("Python objects (a pickle inside)", remedy),
            Some('U' | 'S' | 'a') => ("text", NAMES_REMEDY),
            Some('c') => ("complex numbers", remedy),
            Some('f') => ("floats of an unusual width", remedy),
            _ => ("elements of an unusual type", remedy),
        };
        format!("holds {kind}, type {code:?}; {remedy}")
    };
    let mut letters = code.chars();
    let (order, kind) = (letters.next(), letters.next());
    if !matches!(order, Some('<' | '>' | '|' | '=')) {
        return Err(unknown());
    }
    let size: usize = letters.as_str().parse().map_err(|_| unknown())?;
    let element = match (kind, size) {
        (Some('b'), 1) => ElementType::Bool,
        (Some('i'), 1 | 2 | 4 | 8) => ElementType::Signed,
        (Some('u'), 1 | 2 | 4 | 8) => ElementType::Unsigned,
        (Some('f'), 4 | 8) => ElementType::Float,
        _ => return Err(unknown()),
    };
    Ok((element, size, order == Some('>')))
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let inside = value_of(header, "shape")?.strip_prefix('(')?;
    let (inside, _) = inside.split_once(')')?;
    inside
        .split(',')
        .map(str::trim)
        .filter(|length| !length.is_empty())
        .map(|length| length.trim_end_matches('L').parse().ok())
        .collect()
}
